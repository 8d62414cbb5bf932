"""USDA's parsers: layouts, what is set aside, and what is refused. No line is USDA's own."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cbi_stream.engine.graph import discover
from cbi_stream.engine.layouts import layouts_of
from cbi_stream.registry import loader
from cbi_stream.replay.sites import Question
from cbi_stream.replay.sites import discover as sites
from cbi_stream.replay.world import World
from cbi_stream.shapes.source import Parser
from cbi_stream.words.errors import BadInput
from handlers.ingest.esr import esr, esr_csv
from handlers.ingest.gats import gats, gats_census
from handlers.ingest.inspections import inspections
from handlers.ingest.mars import mars
from handlers.ingest.nass import nass, nass_csv, nass_slots
from handlers.ingest.psd import psd, psd_json, psd_zip
from handlers.ingest.wasde import wasde, wasde_compiled
from handlers.ingest.wasde_words import first_day, released_of
from handlers.ingest.wasde_xml import wasde_xls, wasde_xml
from tests.quirks.test_usda import CROP, SALE

WASDE = (
    "WasdeNumber,ReportDate,ReportTitle,Attribute,ReliabilityProjection,Commodity,"
    "Region,MarketYear,ProjEstFlag,AnnualQuarterFlag,Value,Unit,ReleaseDate,ReleaseTime"
)
LINE = (
    "670,May 2026,World Soybean Oil Supply and Use,Ending Stocks,,Soybean Oil,World,"
    "2026/27,Proj.,Annual,.49,Million Metric Tons,2026-05-12,12:00:00.0000000"
)
PSD = (
    "Commodity_Code,Commodity_Description,Country_Code,Country_Name,Market_Year,"
    "Calendar_Year,Month,Attribute_ID,Attribute_Description,Unit_ID,Unit_Description,Value"
)
BALANCE = (
    '4232000,"Oil, Soybean",MX,Mexico,2023,2024,06,088,Exports,08,"(1000 MT)",10.0'
)
OLD = '813100,Meal,E4,EU,2024,2026,9,7,"Rst,Ground Dom. Consum",8,(1000 MT),5'
BID = {
    "report_date": "08/11/2026",
    "published_date": "08/11/2026 12:48:13",
    "slug_id": 3147,
    "commodity": "Soybeans",
    "quote_type": "Basis",
    "basis Min": 100,
    "basis Max": 102,
    "avg_price": 12.6975,
    "avg_price_year_ago": 10.9575,
    "freight": "C.I.F.",
    "trans_mode": "Barge",
    "current": "No",
    "delivery_start": "2026-09-01",
}
CENSUS = [
    ["CTY_CODE", "QTY_1_MO", "UNIT_QY1", "ALL_VAL_MO", "time", "E_COMMODITY"],
    ["-", "1234567", "KG", "999", "2026-03", "1507100000"],
    ["5700", "0", "KG", "0", "2026-03", "1507100000"],
]
WEEKS = "week_ending,china_1000_bu,sum_of_countries_1000_bu,reported_total_1000_bu"


def said(parser: Parser, text: object, key: str | None = None) -> list[tuple[Any, ...]]:
    """Return series, date and value of what a parser reads."""
    plain = text if isinstance(text, str) else json.dumps(text)
    rows = parser.parse(plain.encode(), key)
    return rows.select("series", "date", "value").rows()


def report(day: date = date(2024, 6, 12)) -> bytes:
    """Return a simulated report, as the replay server gives it."""
    world = World(today=day)
    site = sites()["esmis.nal.usda.gov"]
    path = "/api/v1/release/findByIdentifier/wasde"
    page = json.loads(site.answer(Question("GET", site.hosts[0], path), world).data)
    url = page["results"][0]["files"][1]
    place = url.partition(site.hosts[0])[2]
    return site.answer(Question("GET", site.hosts[0], place), world).data


def test_wasde_numbers_get_their_nought() -> None:
    """A season that has not begun is read; `.49` is 0.49."""
    rows = wasde.parse(f"{WASDE}\n{LINE}\n".encode(), None)
    assert rows.select("series", "date", "value", "stamp").rows() == [
        (
            "soybean_oil.world.ending_stocks",
            date(2026, 10, 1),
            "0.49",
            datetime(2026, 5, 12, 16, tzinfo=UTC),
        )
    ]


def test_a_line_of_wasde_without_its_day_is_set_aside() -> None:
    """It stays a row, with what was expected."""
    bad = LINE.replace("2026-05-12", "soon")
    rows = wasde.parse(f"{WASDE}\n{LINE}\n{LINE}\n{bad}\n".encode(), None)
    assert rows["problem"].is_null().to_list() == [True, True, False]
    assert "expected ReleaseDate like" in rows["problem"][2]


@pytest.mark.parametrize(
    ("year", "about", "first"),
    [
        ("2024/25 Proj.", ("soybean_oil", "us"), date(2024, 10, 1)),
        ("2024/25", ("soybeans", "us"), date(2024, 9, 1)),
        ("2024/25", ("soybeans", "united_states"), date(2024, 9, 1)),
        ("2024/25", ("soybeans", "brazil"), date(2024, 10, 1)),
        ("2010/011", ("wheat", "us"), date(2010, 6, 1)),
        ("2011", ("beef", "us"), date(2011, 1, 1)),
        ("Outlook", ("soybeans", "world"), None),
    ],
)
def test_a_season_is_dated_by_its_first_day(
    year: str, about: tuple[str, str], first: date | None
) -> None:
    """Each crop has its own; what is no year has none."""
    assert first_day(year, *about) == first


def test_a_report_whose_name_says_no_day_is_taken_as_late() -> None:
    """The fifteenth is later than any report so far: nothing is known too early."""
    late = released_of("wasde0626", date(2026, 6, 1))
    assert late == datetime(2026, 6, 16, 3, 59, 59, tzinfo=UTC)


def test_the_report_s_own_month_is_read() -> None:
    """Of a projection's two columns one is a copy of last month's."""
    plain = report()
    rows = wasde_xml.parse(plain, "2024-06-12_wasde0624")
    assert not rows.select("series", "date").is_duplicated().any()
    assert rows["problem"].count() == 0
    other = wasde_xml.parse(plain.replace(b"June 2024", b"May 2024"), "x")
    both = rows.join(other, on=["series", "date"])
    projected = both.filter(both["date"].dt.year() == 2024)
    assert (projected["value"] != projected["value_right"]).all()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            b"World Soybean Oil Supply",
            b"World Palm Oil Supply",
            "expected a page titled",
        ),
        (b"Ending&#13;&#10;Stocks", b"Carry-out", "expected rows for ending_stocks"),
        (b'attribute4="Exports"', b'attribute4="Sold"', "expected rows for exports"),
        (b"(c/lb)", b"(c/kg)", "expected a price in"),
        (b"June 2024", b"Midyear", "expected Report_Month like"),
        (b"</Report>", b"", "it breaks at"),
        (b"<sr10>", b"<!ENTITY a 'b'><sr10>", "declares entities"),
    ],
)
def test_a_report_of_another_shape_is_refused(
    old: bytes, new: bytes, told: str
) -> None:
    """A page, a row or a word that is not where it was names what was expected."""
    plain = report()
    assert old in plain
    with pytest.raises(BadInput, match=told.replace("(", r"\(")):
        wasde_xml.parse(plain.replace(old, new), "2024-06-12_wasde0624")


def test_a_price_range_is_its_two_ends() -> None:
    """Older reports project a price from one number to another."""
    plain = report()
    start = plain.index(b"Avg. Price (c/lb)")
    at = plain.index(b"cell_value4=", start)
    end = plain.index(b" ", at)
    changed = plain[:at] + b'cell_value4="38.00 - 40.00"' + plain[end:]
    rows = wasde_xml.parse(changed, "x")
    ends = rows.filter(rows["series"].str.contains("soybean_oil.us.price_"))
    assert ends.select("series", "value").rows() == [
        ("soybean_oil.us.price_low", "38.00"),
        ("soybean_oil.us.price_high", "40.00"),
    ]


def test_the_spreadsheet_is_refused_with_the_way_out() -> None:
    """Its tables have no names: the XML of the same report has."""
    with pytest.raises(BadInput, match=r"wasde0626\.xml instead"):
        wasde_xls.parse(b"\xd0\xcf", "wasde0626")


def test_sales_are_eight_series_a_week() -> None:
    """Numbers as text read the same, and so does the CSV with the same names."""
    rows = said(esr, [SALE], "esr_902_2026")
    assert len(rows) == 8
    assert ("902.5700.net_sales", date(2025, 10, 2), "-25376") in rows
    text = {name: str(value) for name, value in SALE.items()}
    assert said(esr, [text], "esr_902_2026") == rows
    lines = f"{','.join(text)}\n{','.join(text.values())}\n"
    assert said(esr_csv, lines, "esr_902_2026") == rows


def test_the_week_between_two_seasons_stands_in_both() -> None:
    """Its share of the season that ended is a series of its own: no restatement."""
    last = [SALE | {"weekEndingDate": f"2025-09-{day:02}"} for day in (18, 25)]
    rows = said(esr, [*last, SALE], "esr_902_2025")
    assert {
        series.count("other_season") for series, day, _ in rows if day.month == 10
    } == {1}
    assert {
        series.count("other_season") for series, day, _ in rows if day.month == 9
    } == {0}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"weekEndingDate": "soon"}, "date"),
        ({"unitId": 2}, "unit"),
        ({"countryCode": "CH"}, "code"),
    ],
)
def test_a_sale_that_cannot_be_read_is_set_aside(
    change: dict[str, object], told: str
) -> None:
    """It stays a row whose problem says which cell."""
    rows = esr.parse(json.dumps([SALE, SALE | change]).encode(), None)
    assert [str(p).split(":")[0] for p in rows["problem"].drop_nulls()] == [told]


def test_crop_weeks_and_months() -> None:
    """A week is dated by its Sunday, a month by its first day; states stand apart."""
    crush = CROP | {
        "short_desc": "OIL, SOYBEAN, ONSITE & OFFSITE, CRUDE - STOCKS, MEASURED IN LB",
        "freq_desc": "MONTHLY",
        "begin_code": "05",
        "week_ending": "",
        "Value": "1,234,567",
    }
    iowa = CROP | {"agg_level_desc": "STATE", "state_alpha": "IA"}
    assert said(nass, {"data": [CROP, crush, iowa]}) == [
        ("us.soybeans_condition_pct_good", date(2026, 6, 14), "57"),
        ("us.oil_soybean_onsite_offsite_crude_stocks_lb", date(2026, 5, 1), "1234567"),
        ("ia.soybeans_condition_pct_good", date(2026, 6, 14), "57"),
    ]


def test_a_forecast_of_a_year_is_no_figure_of_it() -> None:
    """`YEAR - AUG FORECAST` is a series of its own."""
    year = CROP | {"freq_desc": "ANNUAL", "begin_code": "00", "week_ending": ""}
    rows = [
        year | {"reference_period_desc": p} for p in ("YEAR", "YEAR - AUG FORECAST")
    ]
    assert [row[0] for row in said(nass, {"data": rows})] == [
        "us.soybeans_condition_pct_good",
        "us.soybeans_condition_pct_good.year_aug_forecast",
    ]


@pytest.mark.parametrize("mark", [",", "\t"])
def test_quickstats_as_lines(mark: str) -> None:
    """The CSV, and the bulk file with tabs and names in capitals, say the same."""
    names = [n.upper() if mark == "\t" else n for n in CROP]
    lines = [names, list(CROP.values())]
    text = "\n".join(mark.join(f'"{cell}"' for cell in row) for row in lines)
    assert said(nass_csv, text) == said(nass, {"data": [CROP]})
    assert nass_csv.recognises(text.split("\n")[0])


def test_an_interpolated_week_is_set_aside() -> None:
    """What was published is a whole percent."""
    header = "year,week_slot_mm_dd_of_reference_year,pct_planted\n"
    rows = nass_slots.parse(f"{header}2013,05-05,2\n2013,05-12,5.5\n".encode(), None)
    assert rows["date"].to_list()[0] == date(2013, 5, 5)
    assert "interpolated" in rows["problem"][1]


def test_balances_with_and_without_their_noughts() -> None:
    """`813100` and `0813100` are one commodity; a month of change is a stamp."""
    rows = psd.parse(f"{PSD}\n{BALANCE}\n{OLD}\n".encode(), None)
    assert rows["series"].to_list() == [
        "4232000.mx.exports",
        "0813100.e4.rst_ground_dom_consum",
    ]
    assert rows["stamp"][0] == datetime(2024, 6, 16, 3, 59, 59, tzinfo=UTC)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("psd_oilseeds.csv", f"{PSD}\n{BALANCE}\n{OLD}\n")
    assert psd_zip.parse(held.getvalue(), None).equals(rows)


def test_balances_of_the_service() -> None:
    """Attributes come as numbers there; the series are those of the CSV."""
    told = {
        "commodityCode": "4232000",
        "countryCode": "00",
        "marketYear": 2025,
        "calendarYear": "2026",
        "month": "06",
        "attributeId": 88,
        "unitId": 8,
        "value": 13.5,
    }
    assert said(psd_json, [told]) == [
        ("4232000.world.exports", date(2025, 10, 1), "13.5")
    ]


def test_bids_are_known_when_they_were_published() -> None:
    """The hour is Chicago's; delivery counts in months from the report."""
    rows = mars.parse(json.dumps({"results": [BID]}).encode(), None)
    stem = "3147.soybeans.basis.c_i_f.barge.no.plus_1"
    assert dict(rows.select("series", "value").iter_rows()) == {
        f"{stem}.basis_min": "100",
        f"{stem}.basis_max": "102",
        f"{stem}.avg_price": "12.6975",
    }
    assert set(rows["stamp"]) == {datetime(2026, 8, 11, 17, 48, 13, tzinfo=UTC)}


def test_a_final_report_is_a_later_release_of_the_same_series() -> None:
    """Preliminary and final of one day have stamps of their own; sections are a list."""
    final = BID | {"published_date": "08/11/2026 16:00:00", "basis Min": 101}
    both = [{"results": [BID]}, {"results": [final]}]
    rows = mars.parse(json.dumps(both).encode(), None)
    low = rows.filter(rows["series"].str.ends_with("basis_min")).sort("stamp")
    assert low["value"].to_list() == ["100", "101"]
    assert low["stamp"].n_unique() == 2


def test_census_rows_have_a_header_of_their_own() -> None:
    """All partners together are a hyphen; the order of columns does not matter."""
    rows = said(gats_census, CENSUS)
    assert ("exports.1507100000.world.kilograms", date(2026, 3, 1), "1234567") in rows
    assert ("exports.1507100000.5700.dollars", date(2026, 3, 1), "0") in rows
    assert sorted(said(gats_census, [row[::-1] for row in CENSUS])) == sorted(rows)


def test_inspections_keep_what_differs() -> None:
    """An empty cell is missing, and the two totals are two series."""
    assert said(inspections, f"{WEEKS}\n2009-09-17,,1070,1071\n") == [
        ("soybeans.china", date(2009, 9, 17), ""),
        ("soybeans.all_countries", date(2009, 9, 17), "1070"),
        ("soybeans.reported_total", date(2009, 9, 17), "1071"),
    ]


RENAMED: list[tuple[Parser, str, str]] = [
    (wasde, f"{WASDE}\n{LINE}\n".replace("MarketYear", "Year"), "MarketYear"),
    (esr, json.dumps([SALE]).replace("grossNewSales", "newSales"), "grossNewSales"),
    (nass, json.dumps({"data": [CROP]}).replace("week_ending", "week"), "week_ending"),
    (psd, f"{PSD}\n{BALANCE}\n".replace("Market_Year", "Season"), "Market_Year"),
    (psd_json, json.dumps([{"commodityCode": "1"}]), "countryCode"),
    (mars, json.dumps({"results": [BID]}).replace("avg_price", "mean"), "avg_price"),
    (gats_census, json.dumps(CENSUS).replace("QTY_1_MO", "QTY"), "QTY_1_MO"),
    (gats, '"Data generated on Sunday"\n1,World,x\n', "no such header"),
    (esr, '{"error": "no"}', "expected a list"),
    (mars, '{"rows": []}', "expected a section with results"),
]


@pytest.mark.parametrize(("parser", "text", "told"), RENAMED)
def test_a_column_that_is_gone_is_named(parser: Parser, text: str, told: str) -> None:
    """Nothing is read without it: never a column that is silently empty."""
    with pytest.raises(BadInput, match=told):
        parser.parse(text.encode(), None)


FILES = {
    "psd_oilseeds.csv": f"# remark\n{PSD}\n",
    "esr_902_2026.json": json.dumps([SALE]),
    "nass_soybeans_condition.json": json.dumps({"data": [CROP]}),
    "mars_3147_2026.json": json.dumps({"results": [BID]}),
    "census_exports_1507100000.json": json.dumps(CENSUS),
    "oce-wasde-report-data-2026-05.csv": f"{WASDE}\n",
    "us_soybean_export_inspections_weekly.csv": f"{WEEKS}\n",
}


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_of_one_source_only(name: str) -> None:
    """By its first bytes, among all parsers that there are."""
    graph = discover(loader.load(Path(__file__).resolve().parents[2] / "registry"))
    every = [p for parsers in graph.parsers.values() for p in parsers]
    found = {p.source for p in layouts_of(every, FILES[name].encode(), name=name)}
    assert len(found) == 1


def test_a_compilation_s_lines_are_cells() -> None:
    """A line holds several figures: each is named by its line and column."""
    text = (
        "report_date,commodity,country,marketing_year,crop_stage,Production,Exports\n"
        "2025-05-12,soybean oil,World  2/,2025/26 Proj.,Outlook year,70.77,\n"
    )
    rows = wasde_compiled.parse(gzip.decompress(gzip.compress(text.encode())), None)
    assert rows.select("series", "line", "value").rows() == [
        ("soybean_oil.world.production", 2006, "70.77")
    ]
