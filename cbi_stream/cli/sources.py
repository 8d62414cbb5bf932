"""The verb that shows each source: when it is asked, what it answered, how old its data is.

It reads the registry, the journals and the maps of raw tables: no row, and no network. It
never shows a key, only whether there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cbi_stream.cli import show, timetable
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.doors.journal import Journal, Journals
from cbi_stream.doors.secrets import secret
from cbi_stream.lake.lake import Lake
from cbi_stream.registry.due import due_after, missed
from cbi_stream.registry.fetching import Fetch
from cbi_stream.registry.sources import Source
from cbi_stream.words import clock
from cbi_stream.words.errors import DamagedLake, WrongUsage

Secret = Callable[[str], str | None]
"""The value of a key by its variable's name; None where it is set nowhere."""
_COLUMNS = {
    "source": "source",
    "tier": "tier",
    "state": "data",
    "newest": "newest",
    "age_days": "days old",
    "max_age_days": "at most",
    "last_success": "last success",
    "failures": "failures",
    "key": "key",
    "next": "next, there",
    "next_here": "next, here",
    "schedule": "asked",
}


def sources(
    source: str | None = None, *, lake: LakeFolder = DEFAULT_LAKE, json: AsJson = False
) -> int:
    """Show when each source is asked, what it answered last, and how old its data is.

    Args:
        source: one of data_sources.yaml; all of them unless said.
        lake: folder of the lake.
        json: print one JSON object.
    """
    found, _ = opened(lake)
    known = found.registry.data_sources.sources
    if source is not None and source not in known:
        msg = f"expected one of the sources {', '.join(known)}; found {source!r}"
        raise WrongUsage(msg)
    told = looked_at(found, secret=secret, only=source)
    if json:
        show.as_json({"sources": told})
        return 0
    rows = [[each[name] for name in _COLUMNS] for each in told]
    if source is None:
        show.table(f"{found.kind} lake: {lake}", list(_COLUMNS.values()), rows)
    else:
        pairs = list(zip(_COLUMNS.values(), rows[0], strict=True))
        show.table(told[0]["doc"], ["", source], pairs)
    for line in wrong(told):
        print(show.plain(line))
    for each in told:
        if each["missed"]:
            print(show.plain(f"missed: {each['source']}: {each['missed']}"))
    return 0


def looked_at(
    lake: Lake, *, secret: Secret, only: str | None = None
) -> list[dict[str, Any]]:
    """Return what is known of each source.

    Args:
        lake: the lake.
        secret: says whether a key is set.
        only: the one source to look at; all of them unless said.
    """
    journals, now = Journals(lake), clock.now()
    told = []
    for name, source in lake.registry.data_sources.sources.items():
        if only in (None, name):
            journal = journals.read(name)
            told.append(
                {
                    "source": name,
                    "doc": source.doc,
                    "tier": source.tier,
                    **_data(lake, source, now),
                    **_answers(lake, journal, source, now=now),
                    **_asked(lake, source.fetch, journal, now=now),
                    "key": _key(source.fetch, secret),
                }
            )
    return told


def wrong(told: list[dict[str, Any]]) -> list[str]:
    """Return a line for each thing that is wrong with a source; none where all is well.

    A source without `fetch` counts only where it holds data; so does one that cannot be
    asked, since its key is set nowhere.
    """
    lines = []
    for each in told:
        name, limit = each["source"], each["max_age_days"]
        if each["state"] == "stale":
            old = f"its newest data is of {each['newest']}, {each['age_days']} days old"
            lines.append(f"stale: {name}: {old}; expected at most {limit}")
        # One that was never asked is none of those that somebody counts on.
        if each["state"] == "never" and each["was_asked"]:
            lines.append(f"stale: {name}: it was asked, and no data of it is here")
        lines += [
            f"stale: {name}: {series}: the newest answer is of {day}"
            for series, day in each["stale_series"].items()
        ]
        if each["failures"]:
            why = f"{each['failures']} in a row: {each['reason'] or 'no reason known'}"
            lines.append(f"failing: {name}: {why}")
    return lines


def _data(lake: Lake, source: Source, now: datetime) -> dict[str, Any]:
    """Return how new the data of a source is, by the map of its raw table."""
    plain: dict[str, Any] = {"newest": None, "age_days": None}
    plain["max_age_days"] = source.max_age_days
    try:
        extent = lake.table(source.raw).head()[1].extent
    except DamagedLake:
        return {**plain, "state": "damaged"}
    if extent is None:
        return {**plain, "state": "never"}
    age = _age(extent.last, source, now)
    plain |= {"newest": extent.last, "age_days": age}
    if lake.kind == "simulated" or source.max_age_days is None:
        # A simulated market ends on a day of its own; a source may have no limit.
        return {**plain, "state": "held"}
    return {**plain, "state": "stale" if age > source.max_age_days else "fresh"}


def _answers(
    lake: Lake, journal: Journal, source: Source, *, now: datetime
) -> dict[str, Any]:
    """Return what the source answered last, and which of its series are too old."""
    stale = {}
    for series, newest in sorted(journal.newest.items()):
        own = source.series[series].max_age_days if series in source.series else None
        limit = own or source.max_age_days
        if limit is None or lake.kind == "simulated":
            continue
        if _age(newest, source, now) > limit:
            stale[series] = newest
    at = journal.last_success
    return {
        "last_success": at and timetable.by(at, None),
        "failures": journal.consecutive_failures,
        "reason": journal.reason,
        "stale_series": stale,
        "was_asked": journal.last_asked is not None,
    }


def _asked(
    lake: Lake, fetch: Fetch | None, journal: Journal, *, now: datetime
) -> dict[str, Any]:
    """Return when the source is asked next, and which time no answer came after."""
    if fetch is None:
        return dict.fromkeys(("schedule", "next", "next_here", "missed"))
    schedule, closures = fetch.schedule, lake.registry.closures
    due = due_after(schedule, closures, now)
    before = missed(schedule, closures, now, answered_at=journal.last_success)
    return {
        "schedule": timetable.in_words(schedule),
        "next": timetable.by(due, schedule.zone),
        "next_here": timetable.by(due, None),
        "missed": before and timetable.by(before, schedule.zone),
    }


def _key(fetch: Fetch | None, secret: Secret) -> str | None:
    """Return whether a key is set; None where the source asks for none."""
    if fetch is None or fetch.secret is None:
        return None
    if secret(fetch.secret):
        return "set"
    return "not set, not needed" if fetch.keyless else "missing"


def _age(day: date, source: Source, now: datetime) -> int:
    return (now.astimezone(ZoneInfo(source.zone)).date() - day).days
