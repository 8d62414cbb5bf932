"""Real vintages, one after the other: any past moment gives the file as it then stood.

FRED-MD (42 files), NFCI (12), DFF (12 of 9 days), CPI (3) and payrolls (4). Nothing that
came later may show in what was known or held before.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.engine import asof
from cbi_stream.engine.graph import Graph
from cbi_stream.kernels.release import released_at
from cbi_stream.lake.lake import Lake
from cbi_stream.words.span import Span
from tests.oracles import real_lake, vintages
from tests.oracles.vintages import Values, Vintage

LONG = ("NFCI", "DFF", "CPIAUCSL", "PAYEMS")


@pytest.fixture(scope="module")
def long_lake(
    real: Path, graph: Graph, tmp_path_factory: pytest.TempPathFactory
) -> Lake:
    """Return a settled lake with every vintage of four series."""
    lake = Lake.create(
        tmp_path_factory.mktemp("long") / "lake", graph.registry, kind="real"
    )
    for series in LONG:
        vintages.hand_in(lake, graph, vintages.long_files(real, series), stating=True)
    real_lake.settle(lake, graph)
    return lake


@pytest.fixture(scope="module")
def wide(real: Path) -> list[Vintage]:
    """Return the vintages of FRED-MD."""
    return vintages.wide_files(real)


@pytest.fixture(scope="module")
def wide_lake(
    wide: list[Vintage], graph: Graph, tmp_path_factory: pytest.TempPathFactory
) -> Lake:
    """Return a settled lake with them, none of which was stated."""
    lake = Lake.create(
        tmp_path_factory.mktemp("wide") / "lake", graph.registry, kind="real"
    )
    vintages.hand_in(lake, graph, wide, stating=False)
    real_lake.settle(lake, graph)
    return lake


def held(rows: pl.DataFrame, series: str) -> Values:
    """Return the values of a series."""
    return dict(rows.filter(pl.col("series") == series).select("date", "value").rows())


@pytest.mark.parametrize(
    ("series", "count"), list(zip(LONG, (12, 9, 3, 4), strict=True))
)
def test_what_this_lake_held_is_the_file_of_that_day(
    long_lake: Lake, graph: Graph, real: Path, series: str, count: int
) -> None:
    """As seen from its own second to the last before the next file: that file, no more."""
    files = vintages.long_files(real, series)
    assert len(files) == count
    for vintage, moment in vintages.moments(files):
        rows = asof.rows(long_lake, graph, "staging.fred", Span.all(), as_seen=moment)
        assert held(rows, series) == vintage.values[series], (vintage.name, moment)


@pytest.mark.parametrize("series", LONG)
def test_what_the_world_knew_is_the_file_and_what_was_out_by_then(
    long_lake: Lake, graph: Graph, real: Path, series: str
) -> None:
    """No value differs; a day more is there only if its release rule had come."""
    files = vintages.long_files(real, series)
    for vintage, moment in vintages.moments(files):
        rows = asof.rows(long_lake, graph, "staging.fred", Span.all(), as_of=moment)
        found, said = held(rows, series), vintage.values[series]
        assert {day: found[day] for day in said} == said, (vintage.name, moment)
        more = sorted(found.keys() - said.keys())
        assert all(day > max(said) for day in more)
        assert [d for d in more if _out(graph, series, d) > moment] == []


def _out(graph: Graph, series: str, day: date) -> datetime:
    rule = graph.registry.data_sources.sources["fred"].release_of(series)
    assert rule is not None
    terms = rule.terms(graph.registry.closures)
    out = pl.DataFrame({"date": [day]}).select(released_at(pl.col("date"), **terms))
    found: datetime = out.item()
    return found


def test_each_month_of_fred_md_is_as_it_then_stood(
    wide_lake: Lake, wide: list[Vintage], graph: Graph
) -> None:
    """All 42 files, each cell of them, at the end of its month and before the next."""
    assert len(wide) == 42
    cells = 0
    for vintage in wide:
        rows = asof.rows(
            wide_lake, graph, "staging.fred_md", Span.all(), as_of=vintage.seen
        )
        for series, said in vintage.values.items():
            name = series.replace("S&P", "S_P").replace(": ", "_").replace(" ", "_")
            assert held(rows, name) == said, (vintage.name, series)
            cells += len(said)
    assert cells > 350_000


@pytest.mark.parametrize("at", [13, 16, 40])
def test_this_lake_held_no_later_month(
    wide_lake: Lake, wide: list[Vintage], graph: Graph, at: int
) -> None:
    """As seen a second before the next file, nothing of it shows."""
    for vintage, moment in list(vintages.moments(wide))[2 * at : 2 * at + 2]:
        rows = asof.rows(
            wide_lake, graph, "staging.fred_md", Span.all(), as_seen=moment
        )
        for series in ("PAYEMS", "INDPRO"):
            assert held(rows, series) == vintage.values[series], vintage.name


def test_payrolls_and_industry_were_restated(wide_lake: Lake, graph: Graph) -> None:
    """April 2020 payrolls were 130,403 in June 2020 and 130,161 a year later."""
    june = [datetime(year, 7, 1, 12, tzinfo=vintages.CHICAGO) for year in (2020, 2021)]
    april = Span.day(date(2020, 4, 1))
    known = [
        asof.rows(wide_lake, graph, "staging.fred_md", april, as_of=at) for at in june
    ]
    assert [held(rows, "PAYEMS")[date(2020, 4, 1)] for rows in known] == [
        130403,
        130161,
    ]
    century = Span.day(date(2000, 1, 1))
    first, last = (
        held(
            asof.rows(wide_lake, graph, "staging.fred_md", century, as_of=at), "INDPRO"
        )
        for at in (
            datetime(2018, 12, 31, 23, 59, 59, tzinfo=vintages.CHICAGO),
            vintages.NOW,
        )
    )
    assert first != last
