"""USDA's global balances (PSD): bulk CSV, its zip, and answers of the service.

One figure per commodity, country, season and attribute. Codes are text with leading
noughts, whoever cut them off. A file holds the newest figures only, and no world: it is
never added up here.
"""

from __future__ import annotations

import re
from datetime import date, datetime

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.cells import (
    as_written,
    columns_of,
    names_in,
    number_in,
    told,
    with_made,
)
from handlers.ingest.lines import finished
from handlers.ingest.observed import end_of_day
from handlers.ingest.packed import json_of, member_of
from handlers.ingest.wasde_words import ZONE

_COLUMNS = (
    "Commodity_Code", "Country_Code", "Market_Year", "Calendar_Year", "Month",
    "Attribute_Description", "Unit_Description", "Value",
)  # fmt: skip
_EXPECTED = "the CSV of PSD: " + ",".join(_COLUMNS)
_FIELDS = {
    "commodityCode": "Commodity_Code",
    "countryCode": "Country_Code",
    "marketYear": "Market_Year",
    "calendarYear": "Calendar_Year",
    "month": "Month",
    "attributeId": "Attribute_Description",
    "unitId": "Unit_Description",
    "value": "Value",
}
ATTRIBUTES = {
    "004": "Area Harvested",
    "007": "Crush",
    "020": "Beginning Stocks",
    "028": "Production",
    "057": "Imports",
    "086": "Total Supply",
    "088": "Exports",
    "125": "Domestic Consumption",
    "140": "Industrial Dom. Cons.",
    "149": "Food Use Dom. Cons.",
    "161": "Feed Waste Dom. Cons.",
    "176": "Ending Stocks",
    "178": "Total Distribution",
    "184": "Yield",
}
"""What the service's numbers of attributes are called in the CSV."""
_WORLD = ("00", "0")
_CODE = 7
_REPORTED_BY = 15
"""By this day of a month its report is out: WASDE's, which PSD follows."""
_BEGINS = 10
"""Seasons begin in different months from country to country: all are dated October."""


@source(
    "psd",
    headers=(",".join(_COLUMNS),),
    recognises=lambda header: (
        {"commodity_code", "market_year", "attribute_description"}
        <= {name.lower() for name in names_in(header)}
    ),
)
def psd(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return one row per line of the CSV.

    Raises:
        BadInput: a column is missing, or most lines cannot be read.
    """
    return _rows(columns_of(data, _COLUMNS, expected=_EXPECTED))


@source(
    "psd",
    form="zip",
    headers=("a zip of psd_....csv",),
    recognises=lambda name: re.search(r"psd_\w+\.csv$", name.lower()) is not None,
)
def psd_zip(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return one row per line of the CSV in the bulk zip."""
    wanted = "psd_"
    plain = member_of(data, lambda name: wanted in name.lower(), expected=_EXPECTED)
    return _rows(columns_of(plain, _COLUMNS, expected=_EXPECTED))


@source(
    "psd",
    form="json",
    headers=('[{"commodityCode":"4232000","countryCode":"US",...}]',),
    recognises=lambda head: '"attributeId"' in head and '"commodityCode"' in head,
)
def psd_json(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return one row per record of an answer of the service.

    Raises:
        BadInput: it is no list, a field is missing, or an attribute is unknown.
    """
    records = json_of(data)
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        msg = f"expected a list of {', '.join(_FIELDS)}; found {str(records)[:120]}"
        raise BadInput(msg)
    lacking = next((f for r in records for f in _FIELDS if f not in r), None)
    if lacking is not None:
        held = ", ".join(records[0])
        msg = f"expected {', '.join(_FIELDS)}; found no {lacking} among {held}"
        raise BadInput(msg)
    schema = dict.fromkeys(_COLUMNS, pl.String)
    cells = {
        column: [as_written(r[name]) for r in records]
        for name, column in _FIELDS.items()
    }
    frame = pl.DataFrame(cells, schema=schema).with_columns(
        pl.col("Attribute_Description")
        .str.zfill(3)
        .replace_strict(
            ATTRIBUTES,
            default=pl.concat_str(
                pl.lit("attribute "), pl.col("Attribute_Description")
            ),
        )
    )
    numbered = frame.with_row_index("line", offset=1).cast({"line": pl.Int64})
    text = pl.concat_str(_COLUMNS, separator=",")
    return _rows(numbered.with_columns(text=text, rule=pl.lit(None, pl.String)))


def _rows(cells: pl.DataFrame) -> pl.DataFrame:
    about = ("Commodity_Code", "Country_Code", "Attribute_Description")
    named = with_made(cells, about, "series", _series)
    dated = with_made(named, ("Market_Year",), "date", _season, kind=pl.Date)
    moment = pl.Datetime("us", "UTC")
    stamped = with_made(
        dated, ("Calendar_Year", "Month"), "stamp", _changed, kind=moment
    )
    rows = stamped.with_columns(
        value=number_in("Value"),
        rule=pl.coalesce(
            "rule", pl.when(pl.col("date").is_null()).then(pl.lit("date"))
        ),
    )
    done = finished(rows, told(_sentence), cells=["value", "stamp"])
    loaded = pl.lit(None, pl.Boolean).alias("loaded")
    return done.select(
        "series", "date", "value", "stamp", loaded, "line", "problem", "text"
    )


def _series(commodity: str, country: str, attribute: str) -> str:
    where = "world" if country in _WORLD else country.strip().lower()
    words = "_".join(re.findall(r"[a-z0-9]+", attribute.lower()))
    return f"{commodity.zfill(_CODE)}.{where}.{words}" if commodity and where else ""


def _season(year: str) -> date | None:
    return date(int(year), _BEGINS, 1) if re.fullmatch(r"(19|20)\d\d", year) else None


def _changed(year: str, month: str) -> datetime | None:
    """Return by when a figure was last changed: it names the month, and no day."""
    if not re.fullmatch(r"(19|20)\d\d", year) or not re.fullmatch(
        r"0?[1-9]|1[0-2]", month
    ):
        return None
    return end_of_day(date(int(year), int(month), _REPORTED_BY), ZONE)


def _sentence(_rule: str, text: str) -> str:
    return f"expected a Market_Year like 2024; found none in {text[:160]!r}"
