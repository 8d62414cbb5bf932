"""Real files of FRED and FRED-MD: each is recognised, and holds what is known of it.

Copies of one series from other people must agree where they should, and a restated one
must not. No file is left out in silence.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.dropping import Hint, drop
from cbi_stream.doors.receipts import Receipt
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock
from tests.oracles import real_lake, vintages

FOLDERS = {
    "fred_api_layout_2026": datetime(2026, 6, 6, 22, tzinfo=UTC),
    "fred_graph_csv_2026": datetime(2026, 8, 1, 22, tzinfo=UTC),
    "fred_graph_csv_old_header": datetime(2025, 6, 26, 22, tzinfo=UTC),
    "fred_long_layout_2026": datetime(2025, 12, 31, 23, tzinfo=UTC),
}
FILES = 38


@pytest.fixture(scope="module")
def taken(
    real: Path, graph: Graph, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Lake, list[Receipt]]:
    """Return a settled lake with every plain file of the four folders."""
    lake = Lake.create(
        tmp_path_factory.mktemp("macro") / "lake", graph.registry, kind="real"
    )
    receipts: list[Receipt] = []
    with clock.held_at(vintages.NOW):
        for folder, seen in FOLDERS.items():
            for path in sorted((real / folder).glob("*.csv")):
                drop(lake, path, Hint(as_of=seen))
            # UMCSENT lies in two folders: one name at a time.
            receipts += landing.take_in(lake, graph)
        real_lake.settle(lake, graph)
        return lake, landing.complete(lake, graph, receipts)


@pytest.fixture(scope="module")
def staged(taken: tuple[Lake, list[Receipt]]) -> pl.DataFrame:
    """Return what is staged of them."""
    return real_lake.content(taken[0], "staging.fred")


def newest(staged: pl.DataFrame, series: str) -> dict[date, float | None]:
    """Return the newest version of each value of a series."""
    rows = staged.filter(pl.col("series") == series).sort("date", "vintage")
    return dict(rows.select("date", "value").rows())


def test_every_file_is_taken_and_every_line_staged(
    taken: tuple[Lake, list[Receipt]],
) -> None:
    """38 files of 37 series, each registered; no line is unreadable, unused or lost."""
    receipts = taken[1]
    assert len(receipts) == FILES
    for told in receipts:
        assert (told.end, told.source) == ("archive", "fred"), told
        assert (told.unreadable, told.unused, told.quarantined) == (0, 0, 0), told
        assert told.lines == (told.staged or 0) + (told.duplicate or 0), told
    assert len({told.key for told in receipts}) == 37


def test_the_oil_price_was_below_nothing(staged: pl.DataFrame) -> None:
    """-36.98 dollars on 2020-04-20 is true."""
    assert newest(staged, "DCOILWTICO")[date(2020, 4, 20)] == -36.98
    assert newest(staged, "VIXCLS")[date(2020, 3, 16)] == 82.69


def test_money_cost_nearly_nothing_for_seven_years(staged: pl.DataFrame) -> None:
    """The effective rate lay between 0.04 and 0.25 from 2009-01-15 to 2015-12-15."""
    rates = newest(staged, "DFF")
    days = [d for d in rates if date(2009, 1, 15) <= d <= date(2015, 12, 15)]
    found = [rate for d in days if (rate := rates[d]) is not None]
    assert (len(found), min(found), max(found)) == (2526, 0.04, 0.25)


def test_october_2025_was_never_published(staged: pl.DataFrame) -> None:
    """Consumer prices and unemployment of that month are missing for good."""
    for series in ("CPIAUCSL", "CPILFESL", "UNRATE"):
        values = newest(staged, series)
        assert values.get(date(2025, 10, 1)) is None
        assert values[date(2025, 9, 1)] is not None
        assert values[date(2025, 11, 1)] is not None


def test_the_dollar_index_was_restated_in_its_fourth_decimal(
    real: Path, graph: Graph, tmp_path: Path
) -> None:
    """109.6444 in October 2025 and 109.6445 in July 2026: two versions, each in its time."""
    lake = Lake.create(tmp_path / "lake", graph.registry, kind="real")
    with clock.held_at(vintages.NOW):
        old = tmp_path / "DTWEXBGS_asof_2025-10-15.csv"
        old.write_text("observation_date,DTWEXBGS\n2018-01-02,109.6444\n")
        drop(lake, old, Hint())
        path = real / "fred_graph_csv_2026/DTWEXBGS.csv"
        drop(lake, path, Hint(as_of=FOLDERS["fred_graph_csv_2026"]))
        landing.take_in(lake, graph)
        real_lake.settle(lake, graph)
    rows = real_lake.content(lake, "staging.fred").filter(
        pl.col("date") == date(2018, 1, 2)
    )
    assert rows.select("vintage", "value", "basis").rows() == [
        (0, 109.6444, "rule"),
        (1, 109.6445, "stated"),
    ]


@pytest.mark.parametrize(
    ("series", "indicator", "days"),
    [
        ("DGS10", "ten_year_treasury", 10_076),
        ("VIXCLS", "vix_index_fred", 9_043),
        ("DCOILWTICO", "crude_oil_wti", 10_020),
    ],
)
def test_copies_by_different_people_agree(
    real: Path, staged: pl.DataFrame, series: str, indicator: str, days: int
) -> None:
    """Every shared day is equal to the last digit; what was typed in by day is no copy."""
    exports = real / "cbi_v14_exports"
    name = "forecasting_data_warehouse.economic_indicators.parquet"
    rows = pl.read_parquet(exports / name).filter(
        (pl.col("indicator") == indicator) & (pl.col("time").dt.time() == time(0))
    )
    mine = newest(staged, series)
    theirs = dict(rows.select(pl.col("time").cast(pl.Date), "value").rows())
    pairs = {d: (mine[d], theirs[d]) for d in theirs if mine.get(d) is not None}
    assert len(pairs) == days
    assert [d for d, (one, other) in pairs.items() if one != other] == []


@pytest.mark.parametrize(
    "name", ["2008-07", "2014-12", "2015-01", "2018-12", "2021-09"]
)
def test_each_layout_of_fred_md_is_taken_whole(
    real: Path, graph: Graph, tmp_path: Path, name: str
) -> None:
    """Padded or not, 127 to 135 columns, with and without a last line of commas."""
    lake = Lake.create(tmp_path / "lake", graph.registry, kind="real")
    with clock.held_at(vintages.NOW):
        drop(lake, real / f"fred_md/{name}.csv.gz", Hint())
        (told,) = landing.take_in(lake, graph)
        real_lake.settle(lake, graph)
        (told,) = landing.complete(lake, graph, [told])
    assert (told.end, told.source, told.unreadable, told.unused) == (
        "archive",
        "fred_md",
        0,
        0,
    )
    assert told.staged == told.lines > 70_000
