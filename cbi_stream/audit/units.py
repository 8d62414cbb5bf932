"""Finds weather whose units cannot be one: Fahrenheit, tenths, inches under one name.

It never converts a value.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cbi_stream.audit import vocabulary as words
from cbi_stream.audit.finding import Finding, amount, listed, number
from cbi_stream.audit.sheet import DAY, KEY, Sheet
from cbi_stream.audit.vocabulary import plain

# No place on earth has a median above 45 C, and 57 C is the highest ever measured.
_FAHRENHEIT_MEDIAN, _FAHRENHEIT_MOST = 45.0, 58.0
# Over half a year the air of a place moves by more than 8 C; what stays below 8 in all
# its days was divided.
_TENTH_MOST, _TENTH_RANGE, _TENTH_DAYS = 8.0, 8.0, 180
_FEWEST = 10
_WET_DAYS = 60
# In a wet place a day in a hundred brings 20 mm; such a day of less than 2 is in inches.
_INCHES, _MILLIMETRES = 3.0, 15.0


def units(sheet: Sheet) -> Iterator[Finding]:
    """Find columns of weather in which places are told in different units."""
    if not sheet.has_dates:
        return
    for column in sheet.numbers:
        name = plain(column)
        if words.TEMPERATURE.search(name):
            yield from _temperatures(sheet, column)
        elif words.RAIN.search(name):
            yield from _rain(sheet, column)


def _temperatures(sheet: Sheet, column: str) -> Iterator[Finding]:
    told: dict[str, list[str]] = {}
    for key, rows in sheet.keys:
        values = rows[column].drop_nulls()
        if values.len() >= _FEWEST:
            days = rows[DAY]
            span = (days.to_list()[-1] - days.to_list()[0]).days
            told.setdefault(_scale(values, span), []).append(key)
    if len(told) > 1:
        parts = [
            f"{scale} in {len(keys)} series ({listed(keys, most=2)}; "
            f"{_range(sheet, column, keys)})"
            for scale, keys in sorted(told.items())
        ]
        said = f"{column} holds {len(told)} units: {'; '.join(parts)}"
        yield Finding(
            "mixed units", "replace", said, len(told), (column,), tuple(sorted(told))
        )
    elif "Fahrenheit" in told:
        said = (
            f"{column} is in Fahrenheit ({_range(sheet, column, told['Fahrenheit'])})"
        )
        wrong = "celsius" in plain(column) or plain(column).endswith("_c")
        yield Finding("unit", "replace" if wrong else "note", said, 1, (column,))


def _scale(values: pl.Series, span: int) -> str:
    middle, high = amount(values.median()), amount(values.quantile(0.99))
    low = amount(values.quantile(0.01))
    if middle > _FAHRENHEIT_MEDIAN or high > _FAHRENHEIT_MOST:
        return "Fahrenheit"
    small = max(abs(high), abs(low)) < _TENTH_MOST and high - low < _TENTH_RANGE
    return "Celsius divided by 10" if small and span >= _TENTH_DAYS else "Celsius"


def _range(sheet: Sheet, column: str, keys: list[str]) -> str:
    values = sheet.frame.filter(pl.col(KEY).is_in(keys))[column].drop_nulls()
    return f"{number(amount(values.min()))} to {number(amount(values.max()))}"


def _rain(sheet: Sheet, column: str) -> Iterator[Finding]:
    small: list[str] = []
    large: list[str] = []
    for key, rows in sheet.keys:
        wet = rows[column].drop_nulls()
        wet = wet.filter(wet > 0)
        if wet.len() < _WET_DAYS:
            continue
        heavy = amount(wet.quantile(0.99))
        (small if heavy < _INCHES else large if heavy > _MILLIMETRES else []).append(
            key
        )
    if small and large:
        said = (
            f"{column} holds inches in {listed(small, most=3)} "
            f"({_range(sheet, column, small)}) and "
            f"millimetres in {listed(large, most=3)} ({_range(sheet, column, large)})"
        )
        yield Finding(
            "mixed units", "replace", said, 2, (column,), ("inches", "millimetres")
        )
    elif small and plain(column).endswith("mm"):
        said = (
            f"{column} says mm, and its heaviest days are "
            f"{_range(sheet, column, small)}: inches"
        )
        yield Finding("unit", "replace", said, len(small), (column,), tuple(small[:6]))


def schemes(sheet: Sheet) -> Iterator[Finding]:
    """Find sources that speak of ids of several schemes: one of them is not theirs."""
    source = next((c for c in sheet.bookkeeping if words.SOURCE.search(plain(c))), None)
    ids = next((c for c in sheet.key_columns if "station" in plain(c)), None)
    if source is None or ids is None:
        return
    scheme = pl.col(ids).str.extract(r"^([A-Za-z]{3,})[:_-]", 1).alias("scheme")
    told = sheet.frame.select(source, ids, scheme).unique().drop_nulls()
    for name, rows in told.sort(source).group_by(source, maintain_order=True):
        kinds = rows["scheme"].unique().sort().to_list()
        if len(kinds) > 1:
            shown = [
                f"{kind} ({rows.filter(pl.col('scheme') == kind).height} ids)"
                for kind in kinds
            ]
            said = (
                f"{source} {name[0]} stands over ids of {len(kinds)} schemes: "
                f"{', '.join(shown)}: a wrong label"
            )
            yield Finding(
                "mislabelled source",
                "replace",
                said,
                rows.height,
                (source, ids),
                tuple(kinds),
            )
