"""Real files of weather, the World Bank and MPOB, handed in at the door.

Each is taken with the numbers that people checked, or turned away with a reason. Nothing
of them is copied here but single figures.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.dropping import Hint, drop
from cbi_stream.doors.receipts import Receipt
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock
from tests.oracles import real_lake, road

SEEN = datetime(2026, 9, 1, 12, tzinfo=UTC)
Take = Callable[..., list[Receipt]]
Rows = Callable[[str], pl.DataFrame]


@pytest.fixture
def empty_lake(graph: Graph, tmp_path: Path) -> Lake:
    """Return an empty lake for real files."""
    return Lake.create(tmp_path / "lake", graph.registry, kind="real")


@pytest.fixture
def take(empty_lake: Lake, graph: Graph, real: Path) -> Take:
    """Return a function that hands real files in, and takes them in."""

    def taken(*names: str, as_of: datetime | None = SEEN) -> list[Receipt]:
        for name in names:
            drop(empty_lake, real / name, Hint(as_of=as_of))
        with clock.held_at(road.NOW.replace(year=2027)):
            return landing.take_in(empty_lake, graph)

    return taken


@pytest.fixture
def rows(empty_lake: Lake, graph: Graph) -> Rows:
    """Return a function that settles the lake and reads a table."""

    def read(name: str) -> pl.DataFrame:
        with clock.held_at(road.NOW.replace(year=2027)):
            real_lake.settle(empty_lake, graph)
        table = empty_lake.table(name)
        return table.read(table.head()[1].partitions.values())

    return read


def at(rows: pl.DataFrame, series: str, day: date) -> list[tuple[float, str]]:
    """Return value and basis of each version of an observation."""
    found = rows.filter(pl.col("series") == series, pl.col("date") == day)
    return found.sort("vintage").select("value", "basis").rows()


def test_milwaukee_is_read_back_to_its_tenths(take: Take, rows: Rows) -> None:
    """161,415 values in Fahrenheit and inches are each a whole tenth of a degree or mm."""
    (receipt,) = take("ghcn_daily/GHCN_USW00014839.csv.gz")
    assert receipt.taken, receipt.reason
    assert receipt.source == "ghcn_us_units"
    assert (receipt.key, receipt.lines) == ("USW00014839", 32_283 * 5)
    assert receipt.unreadable == 0
    staged = rows("staging.ghcn")
    by_series = dict(staged.group_by("series").len().iter_rows())
    assert by_series == {f"USW00014839.{n}": 32_283 for n in ("tmax", "tmin", "prcp")}
    assert (
        staged.filter(pl.col("series").str.ends_with("prcp"))["value"].null_count()
        == 138
    )
    odd = date(1939, 6, 8)
    assert at(staged, "USW00014839.tmax", odd) == [(None, "rule")]
    assert at(staged, "USW00014839.prcp", odd) == [(0.3, "rule")]
    assert at(staged, "USW00014839.tmax", date(1939, 6, 7)) == [(32.8, "rule")]
    newest = staged.filter(pl.col("date") == date(2026, 8, 19)).row(0, named=True)
    assert newest["knowable_at"] == datetime(2026, 8, 22, 4, tzinfo=UTC)


def test_later_downloads_of_a_station_only_add_days(
    take: Take, rows: Rows, real: Path
) -> None:
    """True arrivals, a week apart: no value changed, and none is stored twice."""
    names = [
        f"ghcn_daily/vintages/{path.name}"
        for path in road.dated(real, "ghcn_daily/vintages/*")
    ]
    told = take(names[0], names[-1], as_of=None)
    assert [receipt.taken for receipt in told] == [True, True]
    assert told[1].stored == 7 * 5
    staged = rows("staging.ghcn")
    assert staged["vintage"].max() == 0
    early = staged.filter(pl.col("date") == date(2026, 8, 16))
    assert set(early["basis"]) == {"rule"}


def test_a_place_that_nobody_vouches_for_waits(take: Take) -> None:
    """Nobody says who measured the weather of Foz do Iguacu: no source has such a file."""
    (receipt,) = take("brazil_weather/foz_do_iguacu_weather-2010_2022.csv")
    assert receipt.end == "waiting"
    assert "no source has the header 'date,daily_precipitation-mm" in (
        receipt.reason or ""
    )
    assert "take the place from open_meteo" in (receipt.reason or "")


def test_the_pink_sheet_has_the_price_that_was_checked(take: Take, rows: Rows) -> None:
    """Soybean oil was 1,947.51 dollars a tonne in April 2022; October 2025 is stamped."""
    (receipt,) = take("worldbank/CMO-Historical-Data-Monthly_2025-11.xlsx")
    assert receipt.taken, receipt.reason
    assert receipt.lines == 790 * 17
    staged = rows("staging.pinksheet")
    assert at(staged, "soybean_oil", date(2022, 4, 1)) == [(1947.51, "rule")]
    assert at(staged, "soybean_oil", date(2025, 10, 1)) == [(1135.81, "stamp")]
    assert at(staged, "palm_oil", date(1960, 1, 1)) == [(233.0, "rule")]
    assert at(staged, "palm_kernel_oil", date(2025, 10, 1))[0][0] == pytest.approx(
        2273.0428
    )
    newest = staged.filter(pl.col("date") == date(2025, 10, 1))
    assert set(newest["knowable_at"]) == {datetime(2025, 11, 5, 4, 59, 59, tzinfo=UTC)}


def test_mpob_s_tables_have_their_figures(take: Take, rows: Rows) -> None:
    """Four tables of four years agree where they overlap; June 2026 is not there yet."""
    folder = "palm_oil/mpob/"
    names = [
        "Exports 2026.xlsx",
        "Production of Crude Palm Oil 2026.xlsx",
        "Stocks 2024.xlsx",
        "Stocks 2025.xlsx",
    ]
    told = take(*(f"{folder}{name}" for name in names))
    assert [receipt.reason for receipt in told if not receipt.taken] == []
    assert [receipt.unreadable for receipt in told] == [0] * 4
    staged = rows("staging.mpob")
    for series, day, value in (
        ("exports.palm_oil.tonnes", date(2026, 5, 1), 1_105_760),
        ("exports.cpo.rm_million", date(2026, 1, 1), 1680.26),
        ("production.malaysia.tonnes", date(2026, 5, 1), 1_516_327),
        ("production.malaysia.tonnes", date(2025, 12, 1), 1_829_549),
        ("stocks.total_palm_oil.tonnes", date(2023, 1, 1), 2_268_198),
        ("stocks.total_palm_oil.tonnes", date(2025, 12, 1), 3_051_147),
    ):
        assert at(staged, series, day) == [(value, "rule")], series
    assert staged["vintage"].max() == 0, "2024 stands in two tables, and says the same"
    late = staged.filter(pl.col("date") > date(2026, 5, 1))
    assert late.is_empty()
    assert staged.filter(pl.col("value") == 0).is_empty()
