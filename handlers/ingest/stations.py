"""Daily values of weather stations: what a cell of an element means, as a raw row.

Whatever the layout, one station, day and element give one series id and one number. It
never rounds: a tenth is written as a decimal. A value that failed the source's quality
control is no value: its row stays, with the flag as its problem.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import BadInput
from handlers.ingest.lines import day_of, matches

WHOLE = r"-?[0-9]{1,6}"
DECIMAL = r"-?[0-9]{1,6}(\.[0-9]{1,6})?"
MISSING = ("", "-9999", "-9999.0")
TENTHS = ("PRCP", "TMAX", "TMIN", "TAVG", "TOBS", "EVAP", "AWND", "WSF2")
"""Elements that the files give in tenths: of mm, degrees C, m/s. Snow is in whole mm."""
READ = ("TMAX", "TMIN", "TAVG", "PRCP", "SNOW", "SNWD")
"""The elements that are read where a line holds many; the others are not looked at."""
WARMTH = ("TMAX", "TMIN", "TAVG")
WARMEST = 60
_STATION = r"[A-Z]{2}[A-Z0-9_\-]{9}"
_SHOWN = 5


def quality_in(flags: str) -> str:
    """Return the second of the flags: measurement, quality, source, maybe a time."""
    return [*flags.split(","), ""][1].strip()


def rows_of(
    cells: pl.DataFrame, *, tenths: bool, form: str = "%Y-%m-%d"
) -> pl.DataFrame:
    """Return the rows of a raw table of observations.

    Args:
        cells: `line` (each once), `station`, `day`, `element`, `value`, `qflag` (all
            text, trimmed) and `text`, the line that they stand in.
        tenths: whether values are whole numbers, some of them tenths, as in NOAA's
            files; else they are degrees C and mm.
        form: how days are written.

    Raises:
        BadInput: more than half of the cells cannot be read, or a temperature is none.
    """
    number = WHOLE if tenths else DECIMAL
    tested = cells.with_columns(
        date=day_of(pl.col("day"), form),
        qflag=pl.col("qflag").fill_null(""),
        value=pl.col("value").fill_null(""),
    ).with_columns(problem=_problem(number))
    bad = pl.col("problem").is_not_null() & ~pl.col("problem").str.starts_with("qflag")
    _refuse_if_most(tested.filter(bad), of=tested.height)
    good = pl.col("problem").is_null()
    named = matches(pl.col("station"), _STATION)
    known = tested.with_columns(
        series=pl.when(named)
        .then(
            pl.concat_str("station", pl.lit("."), pl.col("element").str.to_lowercase())
        )
        .otherwise(pl.lit("")),
        value=pl.when(good).then(_number(tenths=tenths)),
        text=pl.when(~good).then(pl.col("text").str.slice(0, 500)),
    )
    if not tenths:
        refuse_a_leak(known)
    return known.sort("line").select(
        "series",
        pl.col("date").fill_null(strategy="forward").fill_null(strategy="backward"),
        *("value", "line", "problem", "text"),
    )


def _problem(number: str) -> pl.Expr:
    value, missing = pl.col("value"), pl.col("value").is_in(list(MISSING))
    told = {
        "cells: expected a station, a day and an element": pl.any_horizontal(
            pl.col("station").is_null(), pl.col("element").is_null()
        ),
        "text: expected a station like USW00014839": ~matches(
            pl.col("station"), _STATION
        ),
        "date: expected a day from 1900 to 2100": pl.col("date").is_null(),
        f"number: expected a number like {number}": ~missing & ~matches(value, number),
    }
    if number == WHOLE:
        # One such value of a station's file is a slip; of an answer in degrees it says
        # that the whole answer is in tenths: see refuse_a_leak.
        far = value.cast(pl.Int64, strict=False).abs() > WARMEST * 10
        told[f"range: expected degrees C from -{WARMEST} to {WARMEST}"] = (
            pl.col("element").is_in(list(WARMTH)) & ~missing & far
        )
    flag = pl.concat_str(
        pl.lit("qflag: expected a value that passed quality control; found flag "),
        "qflag",
    )
    return pl.coalesce(
        *(pl.when(test).then(pl.lit(said)) for said, test in told.items()),
        pl.when(~missing & (pl.col("qflag") != "")).then(flag),
    )


def _number(*, tenths: bool) -> pl.Expr:
    """Return the value as a decimal: 289 tenths are 28.9, exactly."""
    value = pl.col("value")
    kept = pl.when(~value.is_in(list(MISSING))).then(value).otherwise(pl.lit(""))
    if not tenths:
        return kept
    digits = value.str.strip_prefix("-").str.zfill(2)
    sign = pl.when(value.str.starts_with("-")).then(pl.lit("-")).otherwise(pl.lit(""))
    decimal = pl.concat_str(sign, digits.str.head(-1), pl.lit("."), digits.str.tail(1))
    is_tenths = pl.col("element").is_in(list(TENTHS)) & (kept != "")
    return pl.when(is_tenths).then(decimal).otherwise(kept)


def refuse_a_leak(rows: pl.DataFrame) -> None:
    """Refuse a file whose temperatures are no degrees C, but tenths or Fahrenheit.

    Raises:
        BadInput: a temperature lies outside -60 to 60.
    """
    hot = rows.filter(
        pl.col("series").str.contains(r"\.(tmax|tmin|tavg)$"),
        pl.col("value").cast(pl.Float64, strict=False).abs() > WARMEST,
    )
    if hot.height:
        series, value = hot.row(0, named=True)["series"], hot[0, "value"]
        msg = (
            f"expected degrees C from -{WARMEST} to {WARMEST}; found {value} for "
            f"{series}: these are tenths or Fahrenheit. Ask again with units=metric"
        )
        raise BadInput(msg)


def _refuse_if_most(bad: pl.DataFrame, *, of: int) -> None:
    if bad.height * 2 <= of:
        return
    told = [
        f"line {line}: {problem}; it is {text[:80]!r}"
        for line, problem, text in bad.head(_SHOWN)
        .select("line", "problem", "text")
        .iter_rows()
    ]
    counted = f"{bad.height} of {of} values cannot be read, so none is taken:"
    raise BadInput("\n".join([counted, *told]))
