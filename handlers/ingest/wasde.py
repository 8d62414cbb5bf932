"""WASDE as CSV: the official files, the zip of their history, and a series of reports.

Each row is one figure of one report, with the stamp of that report. It never mixes the
US tables (bushels, pounds) with the US rows of the world's (million tonnes).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from cbi_stream import source
from handlers.ingest.cells import (
    columns_of,
    lines_in,
    names_in,
    number_in,
    told,
    with_made,
)
from handlers.ingest.lines import finished
from handlers.ingest.observed import Observations, day_in
from handlers.ingest.packed import cell_line, member_of
from handlers.ingest.wasde_words import (
    ZONE,
    attribute_of,
    commodity_of,
    first_day,
    plain_number,
    region_of,
    released,
    slug,
)

_COLUMNS = (
    "WasdeNumber", "ReportDate", "ReportTitle", "Attribute", "ReliabilityProjection",
    "Commodity", "Region", "MarketYear", "ProjEstFlag", "AnnualQuarterFlag", "Value",
    "Unit", "ReleaseDate", "ReleaseTime",
)  # fmt: skip
_ABOUT = ("ReportTitle", "Commodity", "Region", "Attribute", "ReliabilityProjection")
_YEAR = ("ReportTitle", "Commodity", "Region", "MarketYear", "AnnualQuarterFlag")
_EXPECTED = "the CSV of WASDE: " + ",".join(_COLUMNS)
_SERIES = ("report_date", "commodity", "country", "marketing_year", "crop_stage")


def _is_official(header: str) -> bool:
    return {"WasdeNumber", "ReportTitle", "ReleaseDate"} <= set(names_in(header))


def _is_compiled(header: str) -> bool:
    return tuple(names_in(header)[: len(_SERIES)]) == _SERIES


@source("wasde", headers=(",".join(_COLUMNS),), recognises=_is_official)
def wasde(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return one row per line of an official CSV.

    Raises:
        BadInput: a column is missing or renamed, or most lines cannot be read.
    """
    return _rows(data)


@source(
    "wasde",
    form="zip",
    headers=("a zip of oce-wasde-report-data-....csv",),
    recognises=lambda name: "wasde" in name.lower() and name.lower().endswith(".csv"),
)
def wasde_history(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return one row per line of the CSV in the official zip of history."""
    return _rows(
        member_of(data, lambda n: n.lower().endswith(".csv"), expected=_EXPECTED)
    )


@source("wasde", headers=(",".join(_SERIES) + ",...",), recognises=_is_compiled)
def wasde_compiled(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return one row per filled cell of a compilation: a line per report and country.

    Raises:
        BadInput: more than half of the lines cannot be read.
    """
    found, lines = Observations(), lines_in(data)
    _, _, header = next(lines)
    attributes = [attribute_of(name) for name in (header or [])[len(_SERIES) :]]
    for number, text, row in lines:
        _compiled_line(found, row or [text], attributes, number)
    return found.frame(expected="reports of world supply and use")


def _compiled_line(
    found: Observations, row: list[str], attributes: list[str], number: int
) -> None:
    if len(row) != len(_SERIES) + len(attributes):
        problem = f"cells: expected {len(_SERIES) + len(attributes)}; found {len(row)}"
        found.unreadable("", ",".join(row), problem, line=cell_line(number, 1))
        return
    told = dict(zip(_SERIES, row, strict=False))
    report = day_in(told["report_date"])
    commodity, region = commodity_of(told["commodity"]), slug(told["country"])
    begins = first_day(told["marketing_year"], commodity, region)
    if report is None or begins is None:
        wrong = "marketing_year" if report else "report_date"
        looks = "a year like 2024/25" if report else "a day like 2024-05-10"
        problem = f"date: {wrong}: expected {looks}; found {told[wrong]!r}"
        found.unreadable("", ",".join(row), problem, line=cell_line(number, 1))
        return
    for place, (name, cell) in enumerate(
        zip(attributes, row[len(_SERIES) :], strict=True), start=len(_SERIES) + 1
    ):
        if cell.strip():
            found.add(
                f"{commodity}.{region}.{name}",
                begins,
                plain_number(cell),
                line=cell_line(number, place),
                stamp=released(report),
            )


def _rows(data: bytes) -> pl.DataFrame:
    lines = columns_of(data, _COLUMNS, expected=_EXPECTED)
    dated = with_made(lines, _ABOUT, "series", _series).with_columns(
        stamp=_stamp(), day=pl.col("ReleaseDate").str.to_date("%Y-%m-%d", strict=False)
    )
    dated = with_made(dated, _YEAR, "begins", _begins, kind=pl.Date)
    bare = pl.col("MarketYear") == ""
    dated = dated.with_columns(
        # A table of past errors is of no year: its rows are of the day of the report.
        date=pl.when(bare).then("day").otherwise("begins"),
        rule=pl.when(pl.col("rule").is_not_null())
        .then("rule")
        .when(pl.col("stamp").is_null())
        .then(pl.lit("stamp"))
        .when(~bare & pl.col("begins").is_null())
        .then(pl.lit("date")),
        value=number_in("Value"),
    )
    rows = finished(dated, told(_sentence), cells=["value", "stamp"])
    loaded = pl.lit(None, pl.Boolean).alias("loaded")
    return rows.select(
        "series", "date", "value", "stamp", loaded, "line", "problem", "text"
    )


def _series(
    title: str, commodity: str, region: str, attribute: str, reliability: str
) -> str:
    if not title or not commodity:
        return ""
    name = (
        f"{commodity_of(commodity)}.{region_of(region, title)}.{_attribute(attribute)}"
    )
    past = f"{slug(title)}.{slug(reliability)}." if reliability else ""
    return past + name


def _attribute(label: str) -> str:
    # "Avg. Farm Price - High" keeps its end, other labels lose their units.
    return attribute_of(label.replace(" - ", " "))


def _begins(
    title: str, commodity: str, region: str, year: str, quarter: str
) -> date | None:
    about = commodity_of(commodity), region_of(region, title)
    return first_day(year, *about, quarter=quarter)


def _stamp() -> pl.Expr:
    hour = pl.col("ReleaseTime").str.slice(0, 5)
    text = pl.concat_str(pl.col("ReleaseDate"), pl.lit("T"), hour)
    local = text.str.to_datetime("%Y-%m-%dT%H:%M", time_unit="us", strict=False)
    return local.dt.replace_time_zone(ZONE, non_existent="null").dt.convert_time_zone(
        "UTC"
    )


def _sentence(rule: str, text: str) -> str:
    if rule == "stamp":
        return (
            "expected ReleaseDate like 2015-12-09 and ReleaseTime like 12:00:00; found "
            f"{text[-40:]!r}"
        )
    return f"expected a MarketYear like 2015/16; found none in {text[:120]!r}"
