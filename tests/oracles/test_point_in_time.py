"""What a row may know: observations by their release, bars by theirs, labels for ever.

Expected values are worked out here from the files' own cells, never from the tables
that are judged.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from tests.oracles import real_lake

CHICAGO = ZoneInfo("America/Chicago")
COLUMNS = {"vix": "VIXCLS", "treasury_10y": "DGS10"}


@pytest.fixture(scope="module")
def panel(lake: Lake) -> pl.DataFrame:
    """Return the whole panel."""
    return real_lake.content(lake, "features.panel")


@pytest.mark.parametrize("column", COLUMNS)
def test_each_row_holds_the_newest_released_observation(
    panel: pl.DataFrame, real: Path, graph: Graph, column: str
) -> None:
    """One weekday after its date an observation counts, for at most five days.

    The Treasury's yields are not published on a federal holiday, though soybeans trade
    on some: then they count a day later.
    """
    observed = _values(real / "fred_graph_csv_2026" / f"{COLUMNS[column]}.csv")
    holidays = graph.registry.closures.lists["us_federal"]
    closed = holidays if column == "treasury_10y" else ()
    released = [_next_weekday(day, closed) for day, _ in observed]
    for session, value, age in panel.select(
        "date", column, f"{column}_age_days"
    ).iter_rows():
        day, newest = observed[bisect_right(released, session) - 1]
        if (session - day).days > 5:
            assert (value, age) == (None, None), session
        else:
            assert (value, age) == (newest, (session - day).days), session


@pytest.mark.parametrize(("column", "empty"), [("vix", 1), ("treasury_10y", 0)])
def test_nearly_every_session_has_a_value(
    panel: pl.DataFrame, column: str, empty: int
) -> None:
    """100.0 % of sessions; the one without is 2001-09-17, six days after the last VIX."""
    assert panel[column].null_count() == empty
    share = 100 * (1 - empty / panel.height)
    assert f"{share:.1f}" == "100.0"
    if empty:
        gaps = panel.filter(pl.col(column).is_null())["date"].to_list()
        assert gaps == [date(2001, 9, 17)]


def test_the_highest_vix_is_known_one_session_later(panel: pl.DataFrame) -> None:
    """82.69 of 2020-03-16 stands in no row before 2020-03-17."""
    by_date = dict(panel.select("date", "vix").iter_rows())
    assert by_date[date(2020, 3, 16)] == 57.83
    assert by_date[date(2020, 3, 17)] == 82.69
    assert min(day for day, vix in by_date.items() if vix == 82.69) == date(2020, 3, 17)


def test_later_sessions_change_no_resolved_label(
    lake: Lake, graph: Graph, real: Path, tmp_path: Path
) -> None:
    """A lake grown from a cut file keeps each resolved label, and ends up the same."""
    header, *rows = (real / real_lake.PRICES).read_text().splitlines()
    cut = [header, *(row for row in rows if row < "2020")]
    grown = Lake.create(tmp_path / "lake", graph.registry, kind="real")
    seen = _chicago(2020, 1, 2, 12)
    real_lake.drop_text(grown, "ZL=F cut.csv", "\n".join(cut), as_of=seen)
    real_lake.take_in(grown, graph)
    real_lake.settle(grown, graph)
    early = real_lake.content(grown, "labels.forward").filter("resolved")

    real_lake.drop_files(grown, real)
    real_lake.take_in(grown, graph)
    real_lake.settle(grown, graph)
    late = real_lake.content(grown, "labels.forward")

    assert early.height > 23_000
    assert late.join(early, on=early.columns, how="semi", nulls_equal=True).equals(
        early
    )
    # And whatever the road was, the end is the lake that saw everything at once.
    for table in ("labels.forward", "features.panel", "features.master"):
        assert real_lake.root(grown, table) == real_lake.root(lake, table)


def test_a_bar_seen_before_its_release_is_never_staged(
    graph: Graph, real: Path, tmp_path: Path
) -> None:
    """The file of 14:00 adds the session before; the file of 18:00 adds the bar."""
    header, *rows = (real / real_lake.PRICES).read_text().splitlines()
    *before, last = rows[-30:]
    cells = last.split(",")
    unfinished = ",".join([*cells[:4], "70.010002", "70.010002", "123"])
    fresh = Lake.create(tmp_path / "lake", graph.registry, kind="real")

    staged = []
    for hour, row in ((14, unfinished), (18, last)):
        seen = _chicago(2021, 6, 9, hour)
        text = "\n".join([header, *before, row])
        real_lake.drop_text(fresh, f"ZL=F {hour}.csv", text, as_of=seen)
        receipt = real_lake.take_in(fresh, graph)[0]
        real_lake.settle(fresh, graph)
        newest = real_lake.content(fresh, "staging.prices").row(-1, named=True)
        panel = real_lake.content(fresh, "features.panel")
        staged.append((newest["date"], panel["date"].max(), receipt.stored))

    assert staged == [
        (date(2021, 6, 8), date(2021, 6, 8), 30),
        # The bar of that day, and the volume of the day before, which is final now.
        (date(2021, 6, 9), date(2021, 6, 9), 2),
    ]
    assert newest["close"] == 71.59
    # Volume is counted after the close: that day it is not final.
    assert newest["volume"] is None
    # The first record of the bar is the one after its release: nothing was corrected.
    assert newest["basis"] == "rule"


def test_a_bar_that_did_not_move_until_its_release_is_staged(
    graph: Graph, real: Path, tmp_path: Path
) -> None:
    """The same line before and after the release is an observation from then on."""
    header, *rows = (real / real_lake.PRICES).read_text().splitlines()
    fresh = Lake.create(tmp_path / "lake", graph.registry, kind="real")
    text = "\n".join([header, *rows[-30:]])
    for hour in (14, 18):
        seen = _chicago(2021, 6, 9, hour)
        real_lake.drop_text(fresh, f"ZL=F {hour}.csv", text, as_of=seen)
        real_lake.take_in(fresh, graph)
        real_lake.settle(fresh, graph)
    staged = real_lake.content(fresh, "staging.prices")
    assert staged["date"].max() == date(2021, 6, 9)


def test_a_stated_time_may_be_in_any_zone(
    graph: Graph, real: Path, tmp_path: Path
) -> None:
    """18:00-05:00 is the instant 23:00 UTC, as the command line's own example has it."""
    header, *rows = (real / real_lake.PRICES).read_text().splitlines()
    fresh = Lake.create(tmp_path / "lake", graph.registry, kind="real")
    text = "\n".join([header, *rows[-30:]])
    seen = datetime.fromisoformat("2021-06-09T18:00-05:00")
    real_lake.drop_text(fresh, "ZL=F.csv", text, as_of=seen)
    real_lake.take_in(fresh, graph)
    real_lake.settle(fresh, graph)
    staged = real_lake.content(fresh, "staging.prices")
    assert staged["date"].max() == date(2021, 6, 9)


def _chicago(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=CHICAGO).astimezone(UTC)


def _values(path: Path) -> list[tuple[date, float]]:
    """Return the days and values of a FRED file, days without a value left out."""
    with path.open(newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    return [(date.fromisoformat(day), float(value)) for day, value in rows if value]


def _next_weekday(day: date, closed: Collection[date]) -> date:
    """Return the next open day; a day that is closed counts from the next open one."""

    def rests(some: date) -> bool:
        return some.weekday() > 4 or some in closed

    def opened(some: date) -> date:
        while rests(some):
            some += timedelta(days=1)
        return some

    return opened(opened(day) + timedelta(days=1))
