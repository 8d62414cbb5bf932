"""GHCN-Daily of one station that a script turned into Fahrenheit and inches.

The tenths that were converted are found again, exactly or not at all: a value that is no
whole number of tenths is unreadable. Nothing here is ever rounded to fit.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.lines import body_of, has_columns
from handlers.ingest.stations import rows_of

_HEADER = ("year", "month", "day", "date", "day_of_year")
_ELEMENTS = ("PRCP", "SNOW", "SNWD", "TMAX", "TMIN")
_COLUMNS = (*_HEADER, *_ELEMENTS)
_IS_HEADER = has_columns(*_COLUMNS)
_INCH = 0.0393701  # of a millimetre, as such scripts have it
_EXACT = 1e-6


@source("ghcn_us_units", headers=(",".join(_COLUMNS),), recognises=_IS_HEADER)
def ghcn_us_units(data: bytes, station: str | None) -> pl.DataFrame:
    """Return a row per day and element; `line` as in a sheet.

    Raises:
        BadInput: nobody says which station it is, or the values are in other units.
    """
    if station is None:
        msg = "expected the station in the file's name, like GHCN_USW00014839.csv"
        raise BadInput(msg)
    _, lines = body_of(data, _IS_HEADER, expected=",".join(_COLUMNS))
    parts = pl.col("text").str.split_exact(",", len(_COLUMNS) - 1)
    cut = lines.with_columns(parts.struct.rename_fields(list(_COLUMNS)).alias("cells"))
    cut = cut.unnest("cells")
    whole = pl.col("text").str.count_matches(",", literal=True) == len(_COLUMNS) - 1
    each = [_cells(cut.filter(whole), name, at) for at, name in enumerate(_ELEMENTS, 6)]
    broken = cut.filter(~whole).select(line=pl.col("line") * 1000, text="text")
    told = [part.with_columns(station=pl.lit(station)) for part in each]
    return rows_of(pl.concat([*told, broken], how="diagonal"), tenths=True)


def _cells(lines: pl.DataFrame, element: str, at: int) -> pl.DataFrame:
    """Return the whole numbers of the station's own file behind one element."""
    cell = pl.col(element)
    number = cell.cast(pl.Float64, strict=False)
    # Snow too: such scripts divide it by ten, though the files have it in whole mm.
    is_warmth = element in ("TMAX", "TMIN")
    found = (number - 32) / 1.8 * 10 if is_warmth else number / _INCH * 10
    near = found.round(0)
    exact = ((found - near).abs() <= _EXACT * (1 + found.abs())).fill_null(value=False)
    missing = cell.is_in(["NA", ""])
    value = (
        pl.when(missing)
        .then(pl.lit(""))
        .when(exact)
        .then(near.cast(pl.Int64).cast(pl.String))
        .otherwise(pl.concat_str(cell, pl.lit(" comes from no whole number of tenths")))
    )
    return lines.select(
        "text",
        line=pl.col("line") * 1000 + at,
        day="date",
        element=pl.lit(element),
        value=value,
        qflag=pl.lit(""),
    )
