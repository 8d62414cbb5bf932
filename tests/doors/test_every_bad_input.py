"""The golden table: every bad input in every dialect, through the landing into a lake.

Each ends in one place, is told with file, line, reason and mend, and stages nothing that
the clean file does not say. It hands in made-up bytes alone.
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.landing import Hint, Receipt
from cbi_stream.engine import fates
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.registry.loader import Registry
from tests.doors.bad_inputs import BAD, Bad
from tests.doors.dialects import DIALECTS, Dialect
from tests.doors.traps import TRAPS

_NOT_HELD = ("first_seen_at",)
CASES = [(bad, d) for bad in BAD for d in DIALECTS if d.name in bad.only]


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no disk: what a power cut leaves is another test's matter."""
    monkeypatch.setattr(durable, "sync", lambda _: None)


@pytest.fixture(scope="module")
def road(graph: Graph) -> Graph:
    """Return what lies between the landing and staging of these dialects."""
    wanted = {d.staged for d in DIALECTS} | {d.quarantine for d in DIALECTS}
    nodes = tuple(node for node in graph.nodes if node.table in wanted)
    return replace(graph, nodes=nodes, effects=())


def taken(lake: Lake, road: Graph, data: bytes, name: str, folder: Path) -> Receipt:
    """Hand a file in, take it in, run a wave; return its receipt, complete."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    landing.drop(lake, folder / name, Hint())
    told = landing.take_in(lake, road, names={name})
    run_wave(lake, road, probing="off")
    (receipt,) = landing.complete(lake, road, told)
    return receipt


def staged(lake: Lake, dialect: Dialect) -> pl.DataFrame:
    """Return what is staged of a dialect's source."""
    table = lake.table(dialect.staged)
    found = table.read(table.head()[1].partitions.values())
    return found.drop(_NOT_HELD).sort(table.contract.key)


@pytest.fixture(scope="module")
def clean(
    tmp_path_factory: pytest.TempPathFactory, registry: Registry, road: Graph
) -> dict[str, pl.DataFrame]:
    """Return by dialect what the clean file stages."""
    found = {}
    for each in DIALECTS:
        folder = tmp_path_factory.mktemp(each.name)
        lake = Lake.create(folder / "lake", registry, kind="real")
        receipt = taken(lake, road, each.text().encode(), each.file, folder / "mine")
        assert (receipt.lines, receipt.end) == (6, "archive")
        assert (receipt.staged, receipt.reason) == (6, None)
        found[each.name] = staged(lake, each)
        assert found[each.name]["date"].n_unique() == 6
    return found


def where(lake: Lake, receipt: Receipt) -> dict[str, bytes]:
    """Return the bytes of a file at each end where they are."""
    sha256 = receipt.sha256 or ""
    places = {
        "quarantine": lake.folder / (receipt.place or "nowhere"),
        "waiting": lake.folder / "landing" / receipt.file,
    }
    found = {end: path.read_bytes() for end, path in places.items() if path.is_file()}
    if lake.archive.holds(sha256):
        found["archive"] = lake.archive.read(sha256)
    return found


@pytest.mark.parametrize(
    ("bad", "dialect"), CASES, ids=[f"{b.row} {b.what}-{d.name}" for b, d in CASES]
)
def test_it_ends_where_it_must(
    *,
    bad: Bad,
    dialect: Dialect,
    lake: Lake,
    road: Graph,
    tmp_path: Path,
    clean: dict[str, pl.DataFrame],
) -> None:
    """End, reason, lines and mend are told; of what is wrong nothing is staged."""
    told, data = bad.of(dialect), bad.bytes_of(dialect)
    receipt = taken(lake, road, data, dialect.file + bad.ending, tmp_path / "mine")
    assert receipt.end == told.end, receipt
    assert where(lake, receipt) == {told.end: data}
    reason = (receipt.reason or "").replace("\n", " ")
    assert re.search(told.said, reason) if told.said else not reason, receipt
    assert all(f"line {n}: " in reason for n in told.lines), reason
    assert receipt.mend or not reason or told.lost == 6
    assert receipt.file == dialect.file + bad.ending
    rows, whole = staged(lake, dialect), clean[dialect.name]
    lost = len(told.lines) if told.lost is None else told.lost
    days = 6 - lost if told.end == "archive" else 0
    assert rows.height == round(whole.height * days / 6), rows
    # A number that may be cut is left out, never staged as a part of itself.
    if bad.row == 35 and dialect.name == "yahoo":
        assert rows["volume"][-1] is None
        rows = rows.with_columns(whole["volume"])
    wrong = rows.join(whole, on=whole.columns, how="anti", nulls_equal=True)
    assert not wrong.height, wrong
    counts = fates.of_lake(lake, road).values()
    assert all(each["unaccounted"] == 0 for each in counts), counts
    assert not list(tmp_path.parent.glob("*evil*"))


ELSEWHERE = {
    59: ("test_settling", "test_what_is_no_file_of_its_own_is_never_opened"),
    60: ("test_settling", "test_an_odd_name_breaks_nothing"),
    61: ("test_settling", "test_a_file_nobody_may_read_waits"),
    62: ("test_settling", "test_an_odd_name_breaks_nothing"),
}
"""Rows that are no bytes but places, names and permissions."""


def test_no_row_of_the_list_is_without_its_test() -> None:
    """The list has 62 rows; each is here, among the traps, or in the file named."""
    rows = {bad.row for bad in BAD} | {trap[0] for trap in TRAPS} | set(ELSEWHERE)
    assert rows == set(range(1, 63))
    for module, test in ELSEWHERE.values():
        assert hasattr(import_module(f"tests.doors.{module}"), test)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_a_header_alone_takes_nothing_back(
    *, dialect: Dialect, lake: Lake, road: Graph, tmp_path: Path
) -> None:
    """What was staged stands, and no commit is made for it."""
    taken(lake, road, dialect.text().encode(), dialect.file, tmp_path / "mine")
    before, version = staged(lake, dialect), lake.table(dialect.staged).head()[0]
    head = f"{dialect.top}\n".encode()
    receipt = taken(lake, road, head, dialect.file, tmp_path / "mine")
    assert (receipt.end, receipt.lines) == ("archive", 0)
    assert staged(lake, dialect).equals(before)
    assert lake.table(dialect.staged).head()[0] == version
