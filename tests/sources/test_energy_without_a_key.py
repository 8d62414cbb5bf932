"""Energy and positions asked in their second ways, and a folder of saved files.

Over real sockets, of the replay server; no host is real.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.replay import books
from cbi_stream.replay.server import Replay
from cbi_stream.replay.world import World
from handlers.ingest.packed import sheets_of
from tests.replay.asking import ask
from tests.sources.conftest import Bench, bench, graph

__all__ = ["bench"]
REAL = Path(__file__).parents[2].parent / "shared" / "data" / "real"
SERIES = {"RWTC", "WDISTUS1", "M_EPOOBDSO_YIFBP_NUS_MMLB", "EMD_EPD2D_PTE_NUS_DPG"}


def values(bench: Bench) -> dict[tuple[str, date], float]:
    """Return the values of four series, one of each frequency, since the spring."""
    rows = bench.rows("eia").filter(
        pl.col("series").is_in(list(SERIES)) & (pl.col("date") >= date(2024, 3, 1))
    )
    told = rows.select("series", "date", "value").rows()
    return {(s, day): float(value) for s, day, value in told if value}


def test_workbooks_say_what_the_api_says(bench: Bench, tmp_path: Path) -> None:
    """Without a key the same ids, dates and numbers come; a withheld cell stands there."""
    bench.ask("eia")
    api = values(bench)
    bench.lake = type(bench.lake).create(
        tmp_path / "b", graph().registry, kind="simulated"
    )
    bench.secret = lambda _: None
    told = bench.ask("eia")
    assert [each.reason for each in told.failed] == []
    sheets = values(bench)
    assert {series for series, _ in api} == SERIES
    assert {key: sheets[key] for key in api} == api
    assert len(sheets) - len(api) < 5


def test_archives_say_what_the_portal_says(bench: Bench, tmp_path: Path) -> None:
    """The yearly archive holds the weeks that the portal tells."""
    bench.ask("cftc")
    portal = bench.rows("cftc").select("contract", "date", "open_interest", "traders")
    with Replay(bench.replay.world) as server:
        said = ask(server, "www.cftc.gov/files/dea/history/deacot2024.zip")
    parsers = {p.form: p for p in graph().parsers["cftc"]}
    rows = parsers["zip"].parse(said.data, None)
    assert rows["problem"].count() == 0
    both = portal.join(rows, on=["contract", "date"], suffix="_of_zip")
    assert both.height == portal.height
    assert both.filter(
        pl.col("open_interest") != pl.col("open_interest_of_zip")
    ).is_empty()


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the folder of real files")
def test_saved_reports_are_served_as_the_portal_would(tmp_path: Path) -> None:
    """A folder with a real text gives its weeks, and nothing that is made up."""
    text = gzip.decompress(
        (REAL / "cftc_native/f_disagg_2023_partial.txt.gz").read_bytes()
    )
    (tmp_path / "f_disagg_2023.txt").write_bytes(text)
    world = World(kind="folder", folder=tmp_path, today=date(2024, 6, 28))
    where = "cftc_contract_market_code%20in%20('007601')"
    path = f"publicreporting.cftc.gov/resource/72hh-3qpy.json?$where={where}&$limit=50"
    with Replay(world) as server:
        rows = json.loads(ask(server, path).data)
    lines = [
        r for r in csv.reader(io.StringIO(text.decode())) if r[3].strip() == "007601"
    ]
    assert len(rows) == len(lines) == 8
    newest = max(rows, key=lambda row: row["report_date_as_yyyy_mm_dd"])
    assert newest["open_interest_all"] == "455298"
    assert newest["m_money_positions_spread"] == "57648"


def test_a_page_of_saved_files_links_to_the_newest(tmp_path: Path) -> None:
    """The EPA's page and file of a folder; another file is not there."""
    (tmp_path / "rindata_may2024.csv").write_text("FUEL_CODE\n4\n")
    world = World(kind="folder", folder=tmp_path, today=date(2024, 6, 28))
    with Replay(world) as server:
        there = ask(server, "www.epa.gov/system/files/x/rindata_may2024.csv")
        gone = ask(server, "www.epa.gov/system/files/x/rindata_june2024.csv")
    assert (there.status, there.data) == (200, b"FUEL_CODE\n4\n")
    assert gone.status == 404


def test_a_workbook_by_hand_is_read_back() -> None:
    """Texts, numbers, days, empty cells; also one of many sectors, in two sheets."""
    rows = [("Date", "x"), (date(2024, 1, 2), 1.5), (date(2024, 1, 3), None)]
    many = [(date(2000, 1, 1), float(i)) for i in range(20_000)]
    found = sheets_of(books.workbook({"A": rows, "B": many}, note=b"\n# SIMULATED\n"))
    assert found["A"] == [
        ("Date", "x"),
        ("2024-01-02 00:00:00", "1.5"),
        ("2024-01-03 00:00:00", None),
    ]
    assert len(found["B"]) == 20_000
    with pytest.raises(ValueError, match="expected at most 109"):
        books.workbook({"A": rows}, note=bytes(8_000_000))
    with pytest.raises(ValueError, match="expected at most 65536 rows"):
        books.workbook({"A": many * 4})


def test_an_unknown_column_and_data_set_are_refused_as_the_portal_does() -> None:
    """400 and 404 with the portal's own words."""
    portal = "publicreporting.cftc.gov/resource"
    with Replay(replace(World(), today=date(2024, 6, 28))) as server:
        column = ask(server, f"{portal}/6dca-aqww.json?$where=market%20=%20'x'")
        data_set = ask(server, f"{portal}/abcd-efgh.json")
    assert column.status == 400
    assert json.loads(column.data)["errorCode"] == "query.soql.no-such-column"
    assert json.loads(data_set.data)["code"] == "dataset.missing"
    assert data_set.status == 404
