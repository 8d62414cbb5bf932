"""Asks every check about one file and says: keep, replace or archive, with the reasons.

It changes nothing; what a verdict asks for, a person does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from cbi_stream.audit import (
    bars,
    columns,
    copies,
    dates,
    holes,
    invented,
    levels,
    units,
)
from cbi_stream.audit.finding import Finding, listed
from cbi_stream.audit.overlap import Held, overlaps
from cbi_stream.audit.rhythm import rhythm
from cbi_stream.audit.sheet import DAY, KEY, MOMENT, Sheet
from cbi_stream.words.sessions import Sessions

Verdict = Literal["keep", "replace", "archive", "unreadable"]
_ORDER = ("archive", "replace", "note")
# More findings of one kind than this are told together.
_TOGETHER = 3

CHECKS: tuple[Callable[[Sheet], Iterator[Finding]], ...] = (
    invented.invented,
    invented.ladders,
    invented.shares,
    invented.steps,
    invented.sums,
    invented.harvest,
    invented.digits,
    invented.bursts,
    copies.rows,
    copies.columns,
    copies.series,
    copies.empty_by_key,
    copies.stories,
    dates.undated,
    dates.order,
    dates.hours,
    dates.weekends,
    dates.calendar_columns,
    columns.dead,
    columns.constant,
    columns.filled_in,
    columns.broken_off,
    columns.frozen,
    columns.odd_cells,
    bars.bars,
    levels.levels,
    levels.by_source,
    units.units,
    units.schemes,
)
"""Every check that needs nothing but the file."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of one file."""

    name: str
    form: str
    verdict: Verdict
    rows: int = 0
    columns: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    date_column: str | None = None
    key_columns: tuple[str, ...] = ()
    series: int = 0
    rows_by_year: dict[int, int] | None = None
    findings: tuple[Finding, ...] = ()
    said: str = ""
    """Why it is unreadable, or what was noticed while reading."""


def judged(
    sheet: Sheet,
    *,
    form: str,
    noticed: Sequence[str],
    sessions: Sessions,
    now: datetime,
    held: Held | None,
) -> Judged:
    """Return what is said of one file, with the gravest findings first.

    Args:
        sheet: its rows.
        form: what kind of file it is.
        noticed: what was noticed while it was read.
        sessions: the trading calendar.
        now: what is later is in the future, unless the file says when it was loaded.
        held: what the lake holds; None without one.
    """
    found = [finding for check in CHECKS for finding in check(sheet)]
    found += holes.holes(sheet, sessions)
    found += dates.off_the_road(sheet, now)
    found += levels.rhythms(_beats(sheet))
    found += overlaps(sheet, held) if held is not None else ()
    told = sorted(_together(found), key=lambda each: _ORDER.index(each.weight))
    days = sheet.frame[DAY].drop_nulls() if sheet.has_dates else None
    years = days.dt.year().value_counts().sort(DAY) if days is not None else None
    return Judged(
        name=sheet.name,
        form=form,
        verdict=_verdict(told),
        rows=sheet.frame.height + sheet.undated,
        columns=tuple(c for c in sheet.frame.columns if c not in (DAY, KEY, MOMENT)),
        first=days.min() if days is not None else None,  # type: ignore[arg-type]
        last=days.max() if days is not None else None,  # type: ignore[arg-type]
        date_column=sheet.date_column,
        key_columns=sheet.key_columns,
        series=sheet.frame[KEY].n_unique(),
        rows_by_year=dict(years.iter_rows()) if years is not None else None,
        findings=tuple(told),
        said="; ".join(noticed),
    )


def _verdict(found: Sequence[Finding]) -> Verdict:
    weights = {each.weight for each in found}
    return (
        "archive"
        if "archive" in weights
        else "replace"
        if "replace" in weights
        else "keep"
    )


def _together(found: Sequence[Finding]) -> Iterator[Finding]:
    """Tell findings of one kind and weight as one, where there are many."""
    kinds: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for each in found:
        kinds[each.what, each.weight].append(each)
    for same in kinds.values():
        if len(same) <= _TOGETHER:
            yield from same
            continue
        ordered = sorted(same, key=lambda each: -each.count)
        said = f"{len(same)} times: " + "; ".join(
            each.said for each in ordered[:_TOGETHER]
        )
        names = tuple(dict.fromkeys(c for each in ordered for c in each.columns))
        places = tuple(place for each in ordered for place in each.places[:1])
        yield replace(
            ordered[0],
            said=f"{said}; and {len(same) - _TOGETHER} more",
            count=sum(each.count for each in same),
            columns=names,
            places=places[:12],
        )


def _beats(sheet: Sheet) -> dict[str, list[str]]:
    """Return by key how its rhythm was called, year by year, without repeats."""
    told: dict[str, list[str]] = {}
    if not sheet.has_dates or not sheet.names_series:
        return told
    for key, rows in sheet.keys:
        names: list[str] = []
        for year, part in sorted(rows.group_by(rows[DAY].dt.year().alias("year"))):
            days = part[DAY].unique().sort().to_list()
            name = rhythm(days).name
            if part.height >= 2 * len(days) and part[MOMENT].n_unique() > len(days):
                name = "several times a day"
            if name != "irregular" and (not names or not names[-1].startswith(name)):
                names.append(f"{name} from {year[0]}")
        told[key] = names
    return told


def reasons(judged_: Judged, *, most: int = 3) -> str:
    """Return the verdict's reasons in a few words."""
    if judged_.verdict == "unreadable":
        return judged_.said
    weights = {"keep": ("note",)}.get(judged_.verdict, ("archive", "replace"))
    grave = [each.what for each in judged_.findings if each.weight in weights]
    return listed(list(dict.fromkeys(grave)), most=most)
