"""Each layout of weather and trade all the way: dropped, settled, every line accounted for.

No file here is a source's own.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.dropping import Hint, drop
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock
from tests.ingest import test_stations as stations
from tests.ingest.test_trade import CHINA, SOY, TYPED
from tests.oracles.real_lake import settle
from tests.quirks.test_trade import table, trade
from tests.quirks.test_weather import ARCHIVE, hours_of
from tests.sources.conftest import graph

NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)
FLAGGED = stations.wide_file(
    '"   74",",X,7,1800","  51",",,7","  289",",,7,1800","  -12",",,7","1",",,7"',
    '"    ",",","   ",","," 2890",",,7","  -12",",,7","",","',
).replace(b"USW00014839", b"USW00014933")
POWER = {
    "type": "Feature",
    "properties": {
        "parameter": {
            name: {"20250101": 4.18, "20250102": -999.0, "20250103": 7.1}
            for name in ("T2M_MAX", "T2M_MIN", "PRECTOTCORR")
        }
    },
    "header": {"fill_value": -999.0},
}


def year_of_hours() -> bytes:
    """Return a year's archive with one station that is registered."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(
            "INMET_X_A901_Y.CSV", hours_of({5: ","}).replace(b"A309", b"A901")
        )
    return out.getvalue()


FILES = {
    "USW00014933.csv": ("ghcn", FLAGGED),
    "USW00014839.csv": ("ghcn", stations.WIDE),
    "by_station.csv": (
        "ghcn",
        stations.LONG + b"USW00014839,20130909,WT01,1,,,7,\nbroken\n",
    ),
    "USW00014839.dly": ("ghcn", stations.DLY),
    "access.json": ("ghcn", stations.ACCESS),
    "access.csv": ("ghcn", stations.ACCESS_CSV),
    "cdo.json": ("cdo", stations.CDO.replace(b"USW00014839", b"USW00014933")),
    "open_meteo_br_sorriso.json": ("open_meteo", json.dumps(ARCHIVE).encode()),
    "nasa_power_us_ames.json": ("nasa_power", json.dumps(POWER).encode()),
    "2020.zip": ("inmet", year_of_hours()),
    "INMET_NE_PE_A309.CSV": ("inmet", hours_of({5: ",2"})),
    "Exports 2023.xlsx": ("mpob", table("JAN - AUG", *range(1, 9), 0, 0, 0, 0)),
    "palm.csv": (
        "mpob",
        f"{TYPED}2024-05,1700000,1378000,,1753665,2024-06-10\n".encode(),
    ),
    "trade.json": ("comtrade", trade({}, {"motCode": 2100}, {"period": "202402"})),
    "gacc_import_1507.csv": ("gacc", CHINA.encode("gbk")),
    "EXP_2024.csv": ("comexstat", SOY),
}


@pytest.fixture(scope="module")
def settled(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Lake, dict[str, landing.Receipt]]:
    """Return a lake with every file taken and settled, and the completed receipts."""
    folder = tmp_path_factory.mktemp("road")
    lake = Lake.create(folder / "lake", graph().registry, kind="real")
    (folder / "mine").mkdir()
    for name, (_, data) in FILES.items():
        file: Path = folder / "mine" / name
        file.write_bytes(data)
        drop(lake, file, Hint(source="mpob" if name == "palm.csv" else None))
    with clock.held_at(NOW):
        told = landing.take_in(lake, graph())
        settle(lake, graph())
        told = landing.complete(lake, graph(), told)
    return lake, {receipt.file: receipt for receipt in told}


@pytest.mark.parametrize("name", FILES)
def test_every_line_has_one_fate(
    settled: tuple[Lake, dict[str, landing.Receipt]], name: str
) -> None:
    """A file is recognised as its source's, and its lines add up, whatever they are."""
    receipt = settled[1][name]
    assert receipt.taken, receipt.reason
    assert receipt.source == FILES[name][0]
    assert "MISSING" not in (receipt.reason or "")
    fates = (
        receipt.staged,
        receipt.quarantined,
        receipt.superseded,
        receipt.duplicate,
        receipt.provisional,
        receipt.unused,
    )
    assert sum(fate or 0 for fate in fates) == receipt.lines > 0


def test_six_layouts_of_one_day_are_one_version(
    settled: tuple[Lake, dict[str, landing.Receipt]],
) -> None:
    """The same station and day from five files is staged once; the others say it again."""
    table = settled[0].table("staging.ghcn")
    rows = table.read(table.head()[1].partitions.values())
    mine = [n for n in rows["series"] if n.startswith("USW00014839")]
    assert Counter(mine) == {f"USW00014839.{n}": 1 for n in ("tmax", "tmin", "prcp")}


def test_a_flagged_value_stands_in_the_quarantine(
    settled: tuple[Lake, dict[str, landing.Receipt]],
) -> None:
    """Its reason names the flag, and the rest of its line is staged."""
    receipt = settled[1]["USW00014933.csv"]
    assert receipt.quarantined == 2
    table = settled[0].table("quarantine.ghcn")
    rows = table.read(table.head()[1].partitions.values())
    found = dict(rows.select("series", "found").rows())
    assert "found flag X" in found["USW00014933.prcp"]
    assert "degrees C from -60 to 60" in found["USW00014933.tmax"]
