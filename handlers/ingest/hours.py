"""Hours of Brazilian weather stations to their local days, which are the observations.

A day that lacks an hour is missing: a sum without it would be another number, and never
the day's. Days that a file only touches, at its ends, are left out.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import BadInput
from handlers.ingest.lines import matches

NUMBER = r"-?[0-9]{1,5}(\.[0-9]{1,2})?"
MISSING = ("", "-9999", "-9999.0", "null", "None")
ELEMENTS = ("prcp", "tmax", "tmin")
_HOURS = 24
_BEHIND = "3h"
_KEPT = 500


def days_of(hours: pl.DataFrame) -> pl.DataFrame:
    """Return a row per station, local day and element, and one per unreadable hour.

    A local day is that of UTC-3: from the hour stamped 0300 UTC to the one stamped 0200
    of the next day. Rows are numbered as they come.

    Args:
        hours: as text: `station`, `at` (2020-01-01 0300, UTC), the ELEMENTS with decimal
            points, and `text`, the line.

    Raises:
        BadInput: more than half of the hours cannot be read.
    """
    read = _tested(hours)
    bad = read.filter(pl.col("problem").is_not_null())
    if bad.height * 2 > read.height:
        first = bad.row(0, named=True)
        msg = (
            f"expected hours of a station: {bad.height} of {read.height} cannot be read, "
            f"so none is taken: {first['problem']}; found {str(first['text'])[:120]!r}"
        )
        raise BadInput(msg)
    days = _summed(read.filter(pl.col("problem").is_null()))
    unread = bad.select(
        "date", "problem", series=pl.lit(""), text=pl.col("text").str.slice(0, _KEPT)
    )
    rows = pl.concat([days, unread], how="diagonal")
    return rows.select(
        "series",
        pl.col("date").fill_null(strategy="forward").fill_null(strategy="backward"),
        "value",
        line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        problem=pl.col("problem").cast(pl.String),
        text=pl.col("text").cast(pl.String),
    )


def _tested(hours: pl.DataFrame) -> pl.DataFrame:
    """Return the hours with `stamp` (UTC), `date` (local) and `problem`."""
    read = hours.with_columns(
        pl.col(ELEMENTS)
        .fill_null("")
        .str.strip_chars()
        .str.replace(r"^(-?)\.", "${1}0."),
        stamp=pl.col("at").str.to_datetime("%Y-%m-%d %H%M", strict=False),
    )
    odd = [
        ~(pl.col(n).is_in(list(MISSING)) | matches(pl.col(n), NUMBER)) for n in ELEMENTS
    ]
    told = {
        "date: expected a day and an hour, UTC": pl.col("stamp").is_null(),
        "text: expected a station like A309": ~matches(
            pl.col("station"), "[A-Z][0-9]{3}"
        ),
        f"number: expected numbers like {NUMBER}": pl.any_horizontal(odd),
    }
    broken = [
        pl.when(test.fill_null(value=True)).then(pl.lit(said))
        for said, test in told.items()
    ]
    return read.with_columns(
        problem=pl.coalesce(*broken),
        date=pl.col("stamp").dt.offset_by(f"-{_BEHIND}").dt.date(),
    )


def _summed(hours: pl.DataFrame) -> pl.DataFrame:
    """Return series, date and value of each local day that the file holds."""
    cells = [
        pl.when(~pl.col(n).is_in(list(MISSING))).then(pl.col(n)).name.keep()
        for n in ELEMENTS
    ]
    # Hundredths as whole numbers: their sum is exact.
    whole = hours.with_columns(cells).with_columns(
        (pl.col(n).cast(pl.Float64) * 100).round(0).cast(pl.Int64) for n in ELEMENTS
    )
    # The same hour twice is one hour, where both say the same.
    once = whole.unique(["station", "stamp", *ELEMENTS], maintain_order=True)
    how = {"prcp": pl.Expr.sum, "tmax": pl.Expr.max, "tmin": pl.Expr.min}
    parts = []
    for name in ELEMENTS:
        complete = (pl.col(name).count() == _HOURS) & (pl.len() == _HOURS)
        value = pl.when(complete).then(how[name](pl.col(name)))
        parts.append(
            once.group_by("station", "date", maintain_order=True)
            .agg(pl.len().alias("hours"), hundredths=value)
            .with_columns(element=pl.lit(name))
        )
    days = pl.concat(parts).sort("station", "date", "element")
    first, last = (f("date").over("station") for f in (pl.min, pl.max))
    edge = (pl.col("date") == first) | (pl.col("date") == last)
    return days.filter(~edge | (pl.col("hours") == _HOURS)).select(
        "date",
        series=pl.concat_str("station", pl.lit("."), "element"),
        value=_text(pl.col("hundredths")),
    )


def _text(hundredths: pl.Expr) -> pl.Expr:
    """Return whole hundredths as a decimal; nothing where there are none."""
    sign = pl.when(hundredths < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    size = hundredths.abs()
    cents = (size % 100).cast(pl.String).str.zfill(2)
    return pl.concat_str(
        sign, (size // 100).cast(pl.String), pl.lit("."), cents
    ).fill_null("")
