"""Looks at when the rows are: weekends, hours, the future, the order. It moves no date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import polars as pl

from cbi_stream.audit import vocabulary as words
from cbi_stream.audit.finding import (
    Finding,
    Weight,
    amount,
    listed,
    named,
    some,
    stretch,
)
from cbi_stream.audit.rhythm import rhythm
from cbi_stream.audit.sheet import DAY, KEY, MOMENT, Sheet
from cbi_stream.audit.vocabulary import plain

# A row that lies ten years off all others of its series was dated wrong: no publisher
# skips as long and then goes on.
_FAR_YEARS = 10
# New York's midnight in Greenwich, in summer and in winter.
# A grid that was filled from Fridays repeats them nearly always.
_HELD = 0.95
_MIDNIGHTS = (time(4), time(5))
_CALENDAR = {
    "year": "year",
    "month": "month",
    "day": "day",
    "week": "week",
    "quarter": "quarter",
}


def undated(sheet: Sheet) -> Iterator[Finding]:
    """Say how many rows have no date: footers, totals, remarks."""
    if sheet.undated:
        said = f"{sheet.undated} rows have no date in {sheet.date_column}"
        grave = (
            sheet.undated > 0.02 * (sheet.undated + sheet.frame.height)
            and sheet.undated > 2
        )
        what = f"{said}: totals of years, or remarks" if grave else said
        yield Finding("undated", "note", what, sheet.undated)


def order(sheet: Sheet) -> Iterator[Finding]:
    """Say where the rows do not run one way in time."""
    if sheet.has_dates and not sheet.sorted_before:
        yield Finding("unsorted", "note", "the rows do not stand in order of date")


def hours(sheet: Sheet) -> Iterator[Finding]:
    """Find rows with a time of day among rows that only have a date."""
    # Where each row has a time of its own it is a log of events, and no mixture.
    if not sheet.has_dates or sheet.stamp == MOMENT:
        return
    times = sheet.frame.select(pl.col(MOMENT).dt.time()).to_series()
    counts = times.value_counts(sort=True)
    if counts.height == 1 and counts[MOMENT][0] == time(0):
        return
    usual = _usual(counts)
    if usual & set(_MIDNIGHTS) and time(0) not in usual:
        shown = " or ".join(f"{t:%H:%M}" for t in sorted(usual))
        said = (
            f"dates are stamped {shown}: midnight in New York, written in UTC without "
            "a zone"
        )
        yield Finding(
            "stamped midnight", "note", said, int(times.is_in(list(usual)).sum())
        )
    odd = sheet.frame.filter(~pl.col(MOMENT).dt.time().is_in(list(usual)))
    if odd.height and sheet.numbers:
        yield _intraday(sheet, odd)


def _usual(counts: pl.DataFrame) -> set[time]:
    """Return the times of day of most rows: one, or two an hour apart (summer time)."""
    first = counts[MOMENT][0]
    usual = {first}
    for other in counts[MOMENT][1:3]:
        minutes = abs(_minutes(other) - _minutes(first))
        if minutes == 60 and other.second == first.second:
            usual.add(other)
    share = amount(counts.filter(pl.col(MOMENT).is_in(list(usual)))["count"].sum())
    return usual if share >= 0.3 * amount(counts["count"].sum()) else {time(0)}


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def _intraday(sheet: Sheet, odd: pl.DataFrame) -> Finding:
    days, keys = odd[DAY], odd[KEY].unique().sort()
    busiest = odd.group_by(DAY).len().sort("len", DAY, descending=[True, False]).row(0)
    clock = (
        odd.filter(pl.col(DAY) == busiest[0])[MOMENT].sort().unique(maintain_order=True)
    )
    shown = listed([f"{moment:%H:%M}" for moment in clock[:4]])
    said = (
        f"{odd.height} rows have a time of day of their own among {sheet.frame.height} "
        f"rows: {stretch(days)}, {busiest[1]} of them on {busiest[0]} "
        f"({shown})"
    )
    if sheet.key_columns and keys.len() > 1:
        said += f"; in {keys.len()} series: {listed(list(keys))}"
    empty = [c for c in sheet.numbers if odd[c].null_count() >= 0.9 * odd.height > 0]
    if empty and len(empty) < len(sheet.numbers):
        said += f"; {', '.join(empty)} are empty in them"
    return Finding(
        "intraday",
        "replace",
        said,
        odd.height,
        tuple(empty),
        some(days.unique().sort()),
    )


def weekends(sheet: Sheet) -> Iterator[Finding]:
    """Find Saturdays and Sundays in daily series, and grids that were filled in."""
    for key, rows in sheet.keys if sheet.has_dates else ():
        beat = rhythm(rows[DAY].unique().sort().to_list())
        if not beat.is_daily or not beat.weekend:
            continue
        share = len(beat.weekend) / len(beat.days)
        said = (
            f"{named(key)}{len(beat.weekend)} rows lie on a weekend ({share:.1%}): "
            f"{listed(beat.weekend)}"
        )
        weight: Weight = "note"
        if beat.has_weekends:
            filled = _filled(sheet, rows)
            if not filled:
                continue  # it is made on every day
            said += f"; {filled}"
            weight = "replace" if "Monday" in filled else "note"
        yield Finding(
            "weekend", weight, said, len(beat.weekend), places=some(beat.weekend)
        )


def _filled(sheet: Sheet, rows: pl.DataFrame) -> str:
    """Return how the weekends of a series were filled in; nothing: they were made."""
    value = sheet.close
    if value is None:
        return ""
    seen = rows.unique(DAY, maintain_order=True).filter(pl.col(value).is_not_null())
    friday, monday = pl.col(value).shift(1), pl.col(value).shift(-2)
    told = seen.select(
        pl.col(DAY).dt.weekday().alias("weekday"),
        (pl.col(value) == friday).alias("same"),
        (pl.col(value) * 2 == friday + monday).alias("halfway") & (friday != monday),
    )
    sundays, saturdays = (told.filter(pl.col("weekday") == day) for day in (7, 6))
    if not sundays.height:
        return "none of them has a value"
    same = int(amount(sundays["same"].sum()))
    if same < _HELD * sundays.height:
        return ""
    halfway = int(amount(saturdays["halfway"].sum()))
    if 2 * halfway >= saturdays.height:
        return (
            f"{halfway} of {saturdays.height} Saturdays lie halfway between Friday and "
            "Monday: they were computed, and look ahead"
        )
    return (
        f"{same} of {sundays.height} Sundays repeat the day before: filled in, or a rate "
        "that holds on"
    )


def off_the_road(sheet: Sheet, now: datetime) -> Iterator[Finding]:
    """Find dates after the loading, and dates ten years away from all others."""
    if not sheet.has_dates:
        return
    loaded = _loaded(sheet) or now.replace(tzinfo=None)
    # A day is a day earlier in Greenwich than at the exchange, at most.
    future = sheet.frame.filter(pl.col(MOMENT) > loaded + timedelta(days=1))
    if future.height:
        days, keys = future[DAY].unique().sort(), future[KEY].unique().sort()
        whose = f" of {listed(list(keys))}" if sheet.key_columns else ""
        said = (
            f"{future.height} rows{whose} are dated after {loaded:%Y-%m-%d}, when "
            f"they were loaded: {listed(list(days))}"
        )
        yield Finding("future", "replace", said, future.height, places=some(days))
    for key, rows in sheet.keys:
        dated = rows[DAY].unique().sort().to_list()
        far = _far(dated)
        if far:
            n = rows.filter(pl.col(DAY).is_in(far)).height
            near = next(d for d in dated if d not in far)
            said = (
                f"{named(key)}{n} rows are dated {listed(far)}, more than "
                f"{_FAR_YEARS} years off the others ({near} on)"
            )
            yield Finding("far date", "replace", said, n, places=some(far))


def _loaded(sheet: Sheet) -> datetime | None:
    """Return when the newest row was loaded, where a column says it."""
    for name in sheet.bookkeeping:
        column = sheet.frame[name]
        if words.LOADED.search(plain(name)) and isinstance(column.dtype, pl.Datetime):
            newest = column.max()
            if isinstance(newest, datetime):
                return newest
    return None


def _far(days: list[date]) -> list[date]:
    """Return the few first dates before a jump of ten years, of a series of others."""
    for i in range(min(3, len(days) - 1)):
        if (days[i + 1] - days[i]).days > _FAR_YEARS * 366 and len(days) > 10 * (i + 1):
            return days[: i + 1]
    return []


def calendar_columns(sheet: Sheet) -> Iterator[Finding]:
    """Find columns called week, month or year that say another one than the date."""
    if not sheet.has_dates:
        return
    dated = set((sheet.date_column or "").split("/"))
    for name in sheet.frame.columns:
        part = _CALENDAR.get(plain(name))
        if part is None or name in dated or name.startswith("_"):
            continue
        said = sheet.frame[name].cast(pl.Float64, strict=False)
        true = {p: _part(sheet.frame[DAY], p) for p in _CALENDAR}
        there = said.is_not_null()
        wrong = int(((said - true[part]).abs() > 1).sum())
        if not there.any() or wrong <= 0.2 * amount(there.sum()):
            continue
        other = [p for p in true if p != part and ((said == true[p]) | ~there).all()]
        also = f": it holds the {other[0]} on every row" if other else ""
        text = f"{name} is not the {part} of {sheet.date_column} on {wrong} rows{also}"
        yield Finding("calendar column", "replace", text, wrong, (name,))


def _part(days: pl.Series, part: str) -> pl.Series:
    made = getattr(days.dt, part)()
    return made.cast(pl.Float64)  # type: ignore[no-any-return]
