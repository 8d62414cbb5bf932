"""USDA's real files: what they say, and what another copy of the same numbers says.

No number here was computed by this project: they stand in the files, or were published.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.landing import Hint, Receipt
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from handlers.ingest.gats import gats
from handlers.ingest.inspections import inspections
from handlers.ingest.nass import nass_slots
from handlers.ingest.wasde import wasde_compiled, wasde_history
from handlers.ingest.wasde_xml import wasde_xml
from tests.oracles import real_lake

NEW_YORK = ZoneInfo("America/New_York")
BUSHEL = 0.0272155
KEY = ["series", "date", "stamp"]
HISTORY = "usda_wasde/oce-wasde-report-data-2010-04-to-2015-12.zip"
COMPILED = "usda_wasde/wasde_commodities_timeseries.csv.gz"
INSPECTED = "usda_inspections_derived/us_soybean_export_inspections_weekly.csv"
GATS = "usda_gats/US Soybean Exports - Census Data - 0226.csv"
GOOD = "nass_derived/us_soybean_condition_good_excellent_pct.csv"
PLANTED = "nass_derived/us_soybean_planted_pct.csv"
Take = Callable[..., tuple[Lake, list[Receipt]]]


@cache
def history(real: Path) -> pl.DataFrame:
    """Return the rows of the official zip."""
    return wasde_history.parse((real / HISTORY).read_bytes(), None)


@cache
def compiled(real: Path) -> pl.DataFrame:
    """Return the rows of the compilation."""
    data = gzip.decompress((real / COMPILED).read_bytes())
    return wasde_compiled.parse(data, None)


def reports(real: Path) -> dict[str, pl.DataFrame]:
    """Return the rows of each XML report, by file name."""
    found = sorted((real / "usda_wasde" / "xml").glob("*.xml.gz"))
    named = {path.name.removesuffix(".xml.gz"): path for path in found}
    return {
        name: wasde_xml.parse(gzip.decompress(path.read_bytes()), name)
        for name, path in named.items()
    }


@pytest.fixture
def take(tmp_path: Path, graph: Graph, real: Path) -> Take:
    """Return a function that hands real files to an empty lake and settles it."""

    def taken(*names: str) -> tuple[Lake, list[Receipt]]:
        lake = Lake.create(tmp_path / "lake", graph.registry, kind="real")
        for name in names:
            landing.drop(lake, real / name, Hint())
        receipts = landing.take_in(lake, graph)
        real_lake.settle(lake, graph)
        return lake, receipts

    return taken


def rows(lake: Lake, name: str) -> pl.DataFrame:
    """Return a whole table."""
    table = lake.table(name)
    return table.read(table.head()[1].partitions.values())


def numbers(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return what can be read of rows, the value as a number."""
    good = rows.filter(pl.col("problem").is_null() & (pl.col("value") != "."))
    return good.select(*KEY, pl.col("value").cast(pl.Float64).alias(name))


def test_the_history_is_read_whole_and_quickly(real: Path) -> None:
    """Every line of the 329,315 is a row, in far less than a minute."""
    begun = time.perf_counter()
    found = history(real)
    assert time.perf_counter() - begun < 60
    assert found.height == 329_315
    assert found["problem"].count() == 0
    assert found["line"].n_unique() == found.height
    assert found["stamp"].n_unique() == 68


def test_each_report_has_its_own_hour(real: Path) -> None:
    """8:30 in New York until December 2012, noon since; none in October 2013."""
    stamps = history(real)["stamp"].unique().sort().dt.convert_time_zone(str(NEW_YORK))
    hours = {(t.hour, t.minute, t.date() < date(2013, 1, 1)) for t in stamps}
    assert hours == {(8, 30, True), (12, 0, False)}
    assert [t for t in stamps if (t.year, t.month) == (2013, 10)] == []


def test_a_figure_that_is_known(real: Path) -> None:
    """The report of April 2014 on soybean oil of 2013/14, in million pounds."""
    at = datetime(2014, 4, 9, 16, tzinfo=UTC)
    of = history(real).filter(
        (pl.col("stamp") == at) & (pl.col("date") == date(2013, 10, 1))
    )
    said = dict(of.select("series", "value").iter_rows())
    assert said["soybean_oil.us.ending_stocks"] == "1570.00"
    assert said["soybean_oil.us.biofuel_use"] == "4800.00"
    assert said["soybean_oil.us.price_low"] == "38.00"
    assert said["soybean_oil.us.price_high"] == "40.00"
    assert said["soybean_oil.united_states.ending_stocks"] == "0.71"


def test_no_report_contradicts_itself(real: Path) -> None:
    """In no report has a series of the soybean complex two figures for one season."""
    soy = history(real).filter(pl.col("series").str.starts_with("soybean"))
    assert soy.height > 40_000
    assert not soy.select(KEY).is_duplicated().any()


def test_csv_and_compilation_agree(real: Path) -> None:
    """27,935 figures that both hold, of the same report: none differs."""
    soy = history(real).filter(pl.col("series").str.starts_with("soybean"))
    both = numbers(soy, "csv").join(numbers(compiled(real), "compiled"), on=KEY)
    assert both.height == 27_935
    assert both.filter(pl.col("csv") != pl.col("compiled")).is_empty()


def test_xml_and_compilation_agree(real: Path) -> None:
    """505 figures of each of nine reports: none differs, so the right month is read."""
    for name, report in reports(real).items():
        both = numbers(report, "xml").join(numbers(compiled(real), "compiled"), on=KEY)
        again = "v2" in name
        assert both.height == (0 if again else 505), name
        assert both.filter(pl.col("xml") != pl.col("compiled")).is_empty(), name


def test_a_report_in_xml(real: Path) -> None:
    """The report of April 2025: projections of April, not the copy of March."""
    report = reports(real)["2025-04-10_wasde0425"]
    assert set(report["stamp"]) == {datetime(2025, 4, 10, 16, tzinfo=UTC)}
    of = report.filter(pl.col("date") == date(2024, 10, 1))
    said = dict(of.select("series", "value").iter_rows())
    assert said["soybean_oil.us.biofuel_use"] == "13250"
    assert said["soybean_oil.us.exports"] == "2300"
    assert said["soybean_oil.us.price"] == "45.00"
    assert said["soybean_meal.us.price"] == "300.00"
    assert said["soybean_oil.world.ending_stocks"] == "5.82"
    crops = report.filter(pl.col("date") == date(2024, 9, 1))
    said = dict(crops.select("series", "value").iter_rows())
    assert said["soybeans.us.crush"] == "2420"


def test_the_same_bytes_posted_again_are_no_restatement(take: Take) -> None:
    """April 2025 came twice: both are taken, the second says nothing new."""
    folder = "usda_wasde/xml"
    lake, receipts = take(
        f"{folder}/2025-04-10_wasde0425.xml.gz",
        f"{folder}/2025-04-10_wasde0425v2.xml.gz",
        f"{folder}/2025-05-12_wasde0525.xml.gz",
    )
    assert [receipt.end for receipt in receipts] == ["archive"] * 3
    assert [receipt.reason for receipt in receipts] == [None] * 3
    staged = rows(lake, "staging.wasde")
    assert set(staged["basis"]) == {"stamp"}
    known = set(staged["knowable_at"])
    assert known == {
        datetime(2025, 4, 10, 16, tzinfo=UTC),
        datetime(2025, 5, 12, 16, tzinfo=UTC),
    }
    # The season 2025/26 had not begun when it was first projected.
    ahead = staged.filter(
        (pl.col("series") == "soybean_oil.us.biofuel_use")
        & (pl.col("date") == date(2025, 10, 1))
    )
    assert ahead["value"].to_list() == [13900.0]


def test_years_that_a_compiler_left_out_are_set_aside(real: Path) -> None:
    """2,175 lines say `Outlook` for their season: nobody knows which."""
    problems = compiled(real)["problem"].drop_nulls()
    assert len(problems) == 2175
    assert set(problems) == {
        "date: marketing_year: expected a year like 2024/25; found 'Outlook'"
    }


@pytest.mark.parametrize(("year", "tonnes"), [(2016, 36.0), (2018, 8.6), (2020, 34.4)])
def test_china_s_share_of_the_inspections(real: Path, year: int, tonnes: float) -> None:
    """US soybeans inspected for China by year, in million tonnes."""
    weeks = inspections.parse((real / INSPECTED).read_bytes(), None)
    china = weeks.filter(
        (pl.col("series") == "soybeans.china") & (pl.col("date").dt.year() == year)
    )
    bushels = china.filter(pl.col("value") != "")["value"].cast(pl.Float64).sum()
    assert bushels * BUSHEL / 1000 == pytest.approx(tonnes, abs=0.05)


def test_inspections_are_staged_with_their_monday(take: Take) -> None:
    """A week is out on the Monday after it; the one line of a Monday is set aside."""
    lake, _ = take(INSPECTED)
    staged = rows(lake, "staging.inspections")
    assert staged.height == 766 * 3
    one = staged.filter(pl.col("date") == date(2024, 5, 9))["knowable_at"][0]
    assert one == datetime(2024, 5, 13, 11, tzinfo=NEW_YORK)
    holiday = staged.filter(pl.col("date") == date(2023, 8, 31))["knowable_at"][0]
    assert holiday.astimezone(NEW_YORK).date() == date(2023, 9, 5)
    aside = rows(lake, "quarantine.inspections")
    assert aside.height == 1
    assert "2023-06-05 (Monday)" in aside["found"][0]


def test_the_gats_export(take: Take, real: Path) -> None:
    """Three products, six years, twelve months; December 2025 was not out."""
    found = gats.parse((real / GATS).read_bytes(), None)
    assert found.height == 3 * 6 * 12 - 3
    assert found["problem"].count() == 0
    said = {(s, d): v for s, d, v in found.select("series", "date", "value").rows()}
    crop = "exports.1201900095.world.tonnes"
    assert said[crop, date(2020, 1, 1)] == "5159728.00"
    assert (crop, date(2025, 12, 1)) not in said
    year = sum(float(said[crop, date(2020, month, 1)]) for month in range(1, 13))
    assert year == pytest.approx(63_297_017)
    lake, (receipt,) = take(GATS)
    assert receipt.reason is None
    assert rows(lake, "staging.gats").height == found.height


def test_week_slots_are_read_as_late_as_they_may_be(real: Path) -> None:
    """A slot is dated by a Sunday on or after it; interpolated weeks are set aside."""
    good = nass_slots.parse((real / GOOD).read_bytes(), None)
    assert good.height == 497
    assert good["problem"].drop_nulls().len() == 2
    assert set(good["date"].dt.weekday()) == {7}
    drought = good.filter(pl.col("date").dt.year() == 2012)["value"].cast(pl.Int64)
    assert drought.min() == 29
    planted = nass_slots.parse((real / PLANTED).read_bytes(), None)
    assert planted.height == 538
    assert planted["problem"].count() == 0


def test_week_slots_are_knowable_a_week_late(take: Take) -> None:
    """The Monday after the week after: no slot is known before its true week was."""
    lake, _ = take(GOOD, PLANTED)
    staged = rows(lake, "staging.nass")
    late = (staged["knowable_at"].dt.date() - staged["date"]).dt.total_days()
    assert set(late) == {8}
