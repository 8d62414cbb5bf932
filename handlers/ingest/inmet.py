"""INMET's automatic stations in Brazil: hours as CSV, as the year's zip, or as JSON.

Rows are local days (UTC-3), for a day of rain is a sum of its hours: see hours.py. It
never guesses an encoding beyond the two that occur, Latin-1 and UTF-8.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.hours import ELEMENTS, days_of
from handlers.ingest.packed import json_of, members_of

_FIRST = re.compile(r"REGI.{1,3}:;.*")
_MEMBER = re.compile(r"(?i)([^/]*/)*INMET_[^/]*\.csv")
_IN_ZIP = re.compile(r"(?i)([0-9]{4}/)?(INMET_[^/]*\.csv)?")
_ABOUT = 8
_COLUMNS = {
    "day": "DATA",
    "hour": "HORA",
    "prcp": "PRECIPITACAO TOTAL",
    "tmax": "TEMPERATURA MAXIMA NA HORA",
    "tmin": "TEMPERATURA MINIMA NA HORA",
}
_FIELDS = {"prcp": "CHUVA", "tmax": "TEM_MAX", "tmin": "TEM_MIN"}
_SCHEMA = dict.fromkeys(("station", "at", *ELEMENTS, "text"), pl.String)


def _is_csv(header: str) -> bool:
    return _FIRST.fullmatch(header) is not None


@source(
    "inmet",
    headers=("REGIAO:;NE",),
    recognises=_is_csv,
    encodings=("latin-1",),
)
def station(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the local days of one station's CSV."""
    return days_of(_hours(data))


@source(
    "inmet",
    form="zip",
    headers=("INMET_NE_PE_A309_....CSV",),
    recognises=lambda name: bool(name) and _IN_ZIP.fullmatch(name) is not None,
)
def year(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the local days of all stations of a year's archive."""
    wanted = {"wanted": lambda name: bool(_MEMBER.fullmatch(name))}
    found = members_of(data, **wanted, expected="files like INMET_NE_PE_A309_...CSV")
    # One after the other: the hours of all stations together would fill the memory.
    rows = pl.concat([_days(name, content) for name, content in found])
    return rows.with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))


def _days(name: str, data: bytes) -> pl.DataFrame:
    try:
        return days_of(_hours(data))
    except BadInput as error:
        msg = f"{name}: {error}"
        raise BadInput(msg) from None


def _hours(data: bytes) -> pl.DataFrame:
    """Return the hours of one station's CSV, cells as text with decimal points.

    Raises:
        BadInput: the lines about the station, or the header, are not as expected.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line[:1] != "#"]
    about = dict(line.split(";")[:2] for line in lines[:_ABOUT] if ";" in line)
    code = next((v for k, v in about.items() if _plain(k).startswith("CODIGO")), None)
    if code is None or len(lines) <= _ABOUT:
        msg = f"line 4: expected CODIGO (WMO):;A309 or the like; found {lines[3:4]}"
        raise BadInput(msg)
    columns = [_plain(cell) for cell in lines[_ABOUT].split(";")]
    places = {name: _place(columns, wanted) for name, wanted in _COLUMNS.items()}
    body = pl.DataFrame({"text": lines[_ABOUT + 1 :]}).filter(
        pl.col("text").str.contains(r"\S")
    )
    cells = body["text"].str.split(";")
    cut = body.with_columns(
        cells.list.get(at, null_on_oob=True).str.strip_chars().alias(name)
        for name, at in places.items()
    )
    width = lines[_ABOUT].count(";") + 1
    whole = cells.list.len() == width
    digits = pl.col("hour").str.extract(r"^(\d{2}:?\d{2})").str.replace(":", "")
    day = pl.col("day").str.replace_all("/", "-", literal=True)
    return cut.select(
        pl.lit(code.strip()).alias("station"),
        pl.when(whole).then(pl.concat_str(day, pl.lit(" "), digits)).alias("at"),
        *(pl.col(n).str.replace(",", ".", literal=True) for n in ELEMENTS),
        "text",
    )


def _plain(cell: str) -> str:
    """Return a name without accents, in capitals."""
    apart = unicodedata.normalize("NFD", cell.strip().upper())
    return "".join(c for c in apart if not unicodedata.combining(c))


def _place(columns: list[str], wanted: str) -> int:
    """Return where the one column stands whose name begins so.

    Raises:
        BadInput: there is none, or more than one.
    """
    found = [n for n, name in enumerate(columns) if name.startswith(wanted)]
    if len(found) != 1:
        msg = (
            f"line {_ABOUT + 1}: expected one column {wanted}...; found {len(found)} "
            f"in {'; '.join(columns)[:300]}"
        )
        raise BadInput(msg)
    return found[0]


def _is_json(head: str) -> bool:
    return '"DT_MEDICAO"' in head and '"CD_ESTACAO"' in head


@source(
    "inmet",
    form="json",
    headers=('[{"DT_MEDICAO":..,"HR_MEDICAO":..,"CD_ESTACAO":..}]',),
    recognises=_is_json,
)
def hourly(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the local days of the hours of a JSON answer."""
    said = json_of(data)
    entries = said if isinstance(said, list) else [said]
    rows = [_entry(each) for each in entries]
    return days_of(pl.DataFrame(rows, schema=_SCHEMA, orient="row"))


def _entry(each: Any) -> tuple[str | None, ...]:
    """Return one hour; values are strings or numbers.

    Raises:
        BadInput: a field is not there: it was renamed.
    """
    names = ("DT_MEDICAO", "HR_MEDICAO", "CD_ESTACAO", *_FIELDS.values())
    missing = [name for name in names if name not in each]
    if missing:
        msg = f"expected {', '.join(missing)}; found {', '.join(each)[:200]}"
        raise BadInput(msg)
    hour = str(each["HR_MEDICAO"]).removesuffix(" UTC").strip().zfill(4)
    values = [each[_FIELDS[name]] for name in ELEMENTS]
    told = ["" if value is None else str(value) for value in values]
    return (each["CD_ESTACAO"], f"{each['DT_MEDICAO']} {hour}", *told, str(each))
