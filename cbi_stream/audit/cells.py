"""Turns cells into numbers and dates where nearly all of a column allows it.

A cell that does not fit becomes empty and is counted; no value is ever guessed.
"""

from __future__ import annotations

import re

import polars as pl

from cbi_stream.audit.vocabulary import NULL_WORDS

# One line in ten may be a footer, a remark or a word such as "Not Available"; a column
# with more of them is text that happens to hold numbers.
_MOSTLY = 0.9
_CODE = r"^0[0-9]+$"
_DAY_FORMATS = (
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%Y%m%d",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%m/%d/%y",
)
_TIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f UTC",
    "%Y-%m-%d %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M",
)
_MONTH = re.compile(r"^(\d{4})[-/.]?(0[1-9]|1[0-2])$")


def cleaned(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, tuple[str, ...]]]:
    """Return a frame of numbers, dates, times and text, and the cells that did not fit.

    Returns:
        The frame; and by column of numbers examples of cells that are none.
    """
    columns, odd = [], {}
    for series in frame.get_columns():
        found = _cleaned(series)
        if found is None:
            continue
        if found.dtype == pl.Float64 and series.dtype == pl.String:
            lost = series.filter(found.is_null() & _worded(series).is_not_null())
            if lost.len():
                odd[series.name] = tuple(map(str, lost.unique(maintain_order=True)[:4]))
        columns.append(found)
    return pl.DataFrame(columns), odd


def _cleaned(series: pl.Series) -> pl.Series | None:
    """Return one column in one of five types; None where it is no column of cells."""
    kind = series.dtype
    if kind == pl.String:
        text = _worded(series)
        numbers = _numbers(text)
        return text if numbers is None else numbers
    # Yes and no are no measurement: a flag that is never up is no column of zeros.
    if kind in (pl.Boolean, pl.Categorical) or isinstance(kind, pl.Enum):
        return _worded(series.cast(pl.String))
    if kind == pl.Null or kind.is_numeric():
        # NaN says that nothing was measured, as null does.
        return series.cast(pl.Float64).fill_nan(None)
    if isinstance(kind, pl.Datetime):
        if kind.time_zone is not None:
            series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return series.cast(pl.Datetime("us"))
    return series if kind == pl.Date else None


def _worded(series: pl.Series) -> pl.Series:
    """Return text without blanks around it, and null for a word that says nothing."""
    text = series.str.strip_chars()
    empty = text.str.to_lowercase().is_in(NULL_WORDS)
    return text.set(empty.fill_null(value=False), None)


def _numbers(text: pl.Series) -> pl.Series | None:
    """Return text as numbers where nearly all of it is; codes with a leading 0 are none."""
    full = text.len() - text.null_count()
    if not full:
        return text.cast(pl.Float64, strict=False)
    if text.str.contains(_CODE).any():
        return None
    numbers = text.cast(pl.Float64, strict=False)
    if full - (numbers.len() - numbers.null_count()) > full * (1 - _MOSTLY):
        bare = text.str.replace_all(r"^\+", "").str.strip_suffix("%")
        bare = pl.select(
            pl.when(bare.str.contains(r"^-?\d{1,3}(,\d{3})+(\.\d*)?$"))
            .then(bare.str.replace_all(",", "", literal=True))
            .otherwise(bare)
        ).to_series()
        numbers = bare.alias(text.name).cast(pl.Float64, strict=False)
    fits = numbers.len() - numbers.null_count()
    return numbers.fill_nan(None) if fits >= _MOSTLY * full else None


def moments(series: pl.Series) -> pl.Series | None:
    """Return a column as moments, where nearly all of its cells are dates or times."""
    if series.dtype == pl.Date:
        return series.cast(pl.Datetime("us"))
    if isinstance(series.dtype, pl.Datetime):
        return series
    if series.dtype == pl.Float64:
        whole = series.filter(series.is_not_null())
        if not whole.len() or not whole.is_between(190001, 20991231).all():
            return None
        # Month 13 is how a monthly table writes its annual totals.
        months = series.set((series % 100 == 13).fill_null(value=False), None)
        series = months.cast(pl.Int64).cast(pl.String)
    if series.dtype != pl.String:
        return None
    return _parsed(series)


def _parsed(text: pl.Series) -> pl.Series | None:
    full = text.len() - text.null_count()
    if not full:
        return None
    best: pl.Series | None = None
    for made in _attempts(text):
        if best is None or made.null_count() < best.null_count():
            best = made
        if best.null_count() == text.null_count():
            break
    assert best is not None, "there are formats"
    return best if best.len() - best.null_count() >= _MOSTLY * full else None


def _attempts(text: pl.Series) -> list[pl.Series]:
    """Return the column read by each way of writing a date, the first that fits alone."""
    some = text.drop_nulls().head(200)
    made: list[pl.Series] = []
    for way in (*_DAY_FORMATS, *_TIME_FORMATS):
        if _by(some, way).null_count() < 0.5 * some.len():
            made.append(_by(text, way))
    months = (
        text.str.extract(_MONTH.pattern, 1) + "-" + text.str.extract(_MONTH.pattern, 2)
    )
    made.append(
        (months + "-01").str.to_datetime("%Y-%m-%d", strict=False, time_unit="us")
    )
    return made


def _by(text: pl.Series, way: str) -> pl.Series:
    if "%#z" in way:
        told = text.str.to_datetime(way, strict=False, time_unit="us")
        return told.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return text.str.to_datetime(way, strict=False, time_unit="us")
