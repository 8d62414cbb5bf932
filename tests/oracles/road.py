"""The whole real road: every file that the project can take in by hand today.

It says which files there are, how they are handed in, and when each was seen. It
computes no expected value.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from cbi_stream.doors import landing
from cbi_stream.doors.dropping import Hint, drop
from cbi_stream.doors.receipts import Receipt
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock

NOW = datetime(2026, 8, 2, 12, tzinfo=UTC)
"""When everything is handed in: held, so that no byte depends on today."""
DOWNLOADED = datetime(2021, 6, 10, 12, tzinfo=UTC)
YOUNG = datetime(2026, 7, 15, 12, tzinfo=UTC)
GRAPHED = datetime(2026, 8, 1, 22, tzinfo=UTC)
LONG = datetime(2025, 12, 31, 23, tzinfo=UTC)

STATED: dict[str, datetime] = {
    **{f"yahoo_csv_2021/{s}=F.csv": DOWNLOADED for s in ("ZL", "ZS", "ZM", "ZC", "CL", "GC")},
    "yahoo_futures_2026/wti.csv": YOUNG,
    **{
        f"fred_graph_csv_2026/{s}.csv": GRAPHED
        for s in ("VIXCLS", "DGS10", "T10Y2Y", "DTWEXBGS")
    },
    **{f"fred_long_layout_2026/{s}.csv": LONG for s in ("DGS2", "DGS30", "DCOILWTICO")},
    **{
        f"fred_api_layout_2026/{s}.csv": datetime(2026, 6, 6, 22, tzinfo=UTC)
        for s in ("T5YIE", "UNRATE")
    },
}  # fmt: skip
"""Files whose names do not say when they were seen."""
DATED = (
    "yahoo_futures_2026/vintages/soybean_oil_asof_*",
    "fred_api_layout_2026/vintages/*",
    "fred_graph_csv_old_header/vintages/DFF_asof_*",
    "cftc_native/annual_legacy_2025_asof_*",
)
"""Files whose names do."""


def dated(real: Path, pattern: str) -> list[Path]:
    """Return the files of one pattern, oldest first."""
    found = sorted(real.glob(pattern))
    assert found, f"no real file {pattern}"
    return found


def made(folder: Path, graph: Graph, real: Path) -> tuple[Lake, list[Receipt]]:
    """Return a lake with everything in raw, not settled yet, and the receipts."""
    lake = Lake.create(folder, graph.registry, kind="real")
    for name, seen in STATED.items():
        drop(lake, real / name, Hint(as_of=seen))
    for pattern in DATED:
        for path in dated(real, pattern):
            drop(lake, path, Hint())
    with clock.held_at(NOW):
        receipts = landing.take_in(lake, graph)
    assert all(receipt.taken for receipt in receipts), [
        r for r in receipts if not r.taken
    ]
    return lake, receipts


def one_by_one(
    lake: Lake, graph: Graph, files: Iterable[tuple[Path, Hint]]
) -> list[Receipt]:
    """Take files in one after the other, in this order, all at the same instant."""
    receipts = []
    with clock.held_at(NOW):
        for path, hint in files:
            drop(lake, path, hint)
            receipts += landing.take_in(lake, graph)
    assert all(receipt.taken for receipt in receipts), receipts
    return receipts


def lines(path: Path) -> list[str]:
    """Return the lines of a real file under its header, unpacked."""
    data = path.read_bytes()
    plain = gzip.decompress(data) if path.suffix == ".gz" else data
    return [line for line in plain.decode().replace("\r", "").split("\n")[1:] if line]
