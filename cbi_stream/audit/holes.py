"""Finds stretches of time of which a series says nothing. It never fills one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from cbi_stream.audit.finding import Finding, Weight, listed, named
from cbi_stream.audit.rhythm import Rhythm, rhythm, working_days
from cbi_stream.audit.sheet import DAY, KEY, Sheet
from cbi_stream.words.sessions import Sessions
from cbi_stream.words.span import Span

# The longest closings of exchanges, Chinese New Year and the Golden Week, take six
# weekdays: a stretch without seven is no holiday.
_SESSIONS = 7
# A month of sessions: any window of a month inside it looks at nothing.
_GRAVE = 20
# Of other rhythms two periods in a row must be missing; one is told apart.
_PERIODS, _ONE = 2.5, 1.5
_YEARS_IN_A_ROW = 3
_DAILY = 1.5


@dataclass(frozen=True, slots=True)
class Hole:
    """What lies between two rows that are too far apart."""

    key: str
    before: date
    after: date
    missing: int
    """Sessions, or periods of the series, of which nothing is said."""

    @property
    def days(self) -> int:
        """How far the two rows are apart."""
        return (self.after - self.before).days

    @property
    def said(self) -> str:
        """The hole in words."""
        return f"{self.before} to {self.after} ({self.days} days)"


def holes(sheet: Sheet, sessions: Sessions) -> Iterator[Finding]:
    """Find holes against the trading calendar, or against a series' own rhythm."""
    if not sheet.has_dates:
        return
    measured = sheet.measured()
    if not sheet.names_series:
        # Labels of a panel come and go rightly: of these the file as a whole is asked.
        measured = measured.with_columns(pl.lit("").alias(KEY))
    silent = _days_without(sheet, measured)
    for key, days in _days_by_key(measured):
        beat = rhythm(days)
        if not beat.is_regular:
            continue
        empty = silent.get(key, [])
        found, single = _holes(key, beat, sessions)
        unit = "periods"
        if beat.is_daily:
            unit = "days" if beat.has_weekends else "sessions"
        yield from _told(key, found, empty, unit=unit)
        if single:
            said = (
                f"{named(key)}one period is missing {len(single)} times: "
                f"{listed([h.said for h in single])}"
            )
            yield Finding(
                "period missing",
                "note",
                said,
                len(single),
                places=tuple(str(h.after) for h in single[:6]),
            )
        if empty:
            yield _empty(key, empty, len(days))


def _days_by_key(frame: pl.DataFrame) -> Iterator[tuple[str, list[date]]]:
    grouped = (
        frame.select(KEY, DAY)
        .unique()
        .sort(KEY, DAY)
        .group_by(KEY, maintain_order=True)
    )
    for row in grouped.agg(DAY).iter_rows():
        yield row[0], row[1]


def _days_without(sheet: Sheet, measured: pl.DataFrame) -> dict[str, list[date]]:
    """Return by series the days that have rows in which nothing is measured."""
    listed_ = sheet.frame.select(KEY, DAY).unique()
    if not sheet.names_series:
        listed_ = listed_.with_columns(pl.lit("").alias(KEY)).unique()
    silent = listed_.join(measured.select(KEY, DAY), on=[KEY, DAY], how="anti")
    return dict(_days_by_key(silent))


def _holes(key: str, beat: Rhythm, sessions: Sessions) -> tuple[list[Hole], list[Hole]]:
    found: list[Hole] = []
    single: list[Hole] = []
    pairs = zip(beat.days, beat.days[1:], beat.gaps, beat.usual, strict=False)
    for before, after, gap, usual in pairs:
        if beat.is_daily or usual <= _DAILY:
            if gap <= _SESSIONS:
                continue
            missing = (
                gap - 1 if beat.has_weekends else _sessions(before, after, sessions)
            )
            if missing >= _SESSIONS:
                found.append(Hole(key, before, after, missing))
        elif gap > _ONE * usual:
            hole = Hole(key, before, after, max(1, round(gap / usual) - 1))
            (found if gap > _PERIODS * usual else single).append(hole)
    return found, single


def _sessions(before: date, after: date, sessions: Sessions) -> int:
    """Return the sessions between two days; weekdays where the calendar is silent."""
    inside = Span(before + timedelta(days=1), after)
    known = sessions.covers
    if inside.start in known and after - timedelta(days=1) in known:
        return len(sessions.between(inside))
    return working_days(before, after)


def _told(
    key: str, found: list[Hole], empty: list[date], *, unit: str
) -> Iterator[Finding]:
    """Say each hole; where the file has rows without a value, its source knew of it."""
    # A source that lists the days itself says that there was nothing to tell.
    open_: list[Hole] = []
    kept: list[Hole] = []
    for hole in found:
        listed_days = sum(hole.before < day < hole.after for day in empty)
        (kept if 2 * listed_days >= hole.missing else open_).append(hole)
    yearly = _every_year(open_)
    if yearly:
        lengths = ", ".join(f"{h.days} days to {h.after}" for h in yearly)
        said = (
            f"{named(key)}a hole at the same time of {len(yearly)} years in a row: "
            f"{lengths}"
        )
        yield Finding(
            "yearly hole",
            "replace",
            said,
            len(yearly),
            places=tuple(h.said for h in yearly),
        )
    rest = sorted((h for h in open_ if h not in yearly), key=lambda h: -h.missing)
    if rest:
        grave = any(h.missing >= (2 if unit == "periods" else _GRAVE) for h in rest)
        total = sum(h.missing for h in rest)
        said = (
            f"{named(key)}{len(rest)} holes, {total} {unit} missing: "
            f"{listed([h.said for h in rest])}"
        )
        weight: Weight = "replace" if grave else "note"
        yield Finding(
            "hole", weight, said, total, places=tuple(h.said for h in rest[:12])
        )
    if kept:
        said = (
            f"{named(key)}no value, though the days are listed: "
            f"{listed([h.said for h in kept])}"
        )
        yield Finding(
            "silent stretch",
            "note",
            said,
            len(kept),
            places=tuple(h.said for h in kept[:6]),
        )


def _every_year(found: list[Hole]) -> list[Hole]:
    """Return holes that come back each year at the turn of the year."""
    turning = [h for h in found if h.before.year < h.after.year or h.before.month == 1]
    best: list[Hole] = []
    run: list[Hole] = []
    for hole in turning:
        if run and hole.after.year != run[-1].after.year + 1:
            run = []
        run = [*run, hole]
        best = max(best, run, key=len)
    return best if len(best) >= _YEARS_IN_A_ROW else []


def _empty(key: str, empty: list[date], full: int) -> Finding:
    share = len(empty) / (len(empty) + full)
    said = (
        f"{named(key)}{len(empty)} rows without a value ({share:.1%}): {listed(empty)}"
    )
    return Finding(
        "empty rows", "note", said, len(empty), places=tuple(map(str, empty[:6]))
    )
