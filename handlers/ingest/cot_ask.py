"""How the CFTC's four reports are asked for: the portal year by year, or yearly archives.

Neither way needs a key; a token only gives the portal's questions a pool of their own.
It never asks for other contracts than the registered ones where it can choose.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Literal

from cbi_stream import (
    SECRET,
    Answer,
    Poll,
    SourceRefused,
    SourceUnavailable,
    Want,
    connector,
)

_PORTAL = "https://publicreporting.cftc.gov/resource/{}.json"
_ARCHIVES = "https://www.cftc.gov/files/dea/history/{}"
_MOST_ROWS = 50_000
_DAY, _CODE = "report_date_as_yyyy_mm_dd", "cftc_contract_market_code"
_FIRST_OF_YEARS = 2017
"""What lies before stands in one archive of history."""


@connector("cftc")
def cftc(poll: Poll) -> Iterator[Want]:
    """Ask for the legacy report, futures only."""
    return _wants("cftc", poll)


@connector("cftc_legacy_combined")
def legacy_combined(poll: Poll) -> Iterator[Want]:
    """Ask for the legacy report, futures with options."""
    return _wants("cftc_legacy_combined", poll)


@connector("cftc_disaggregated")
def disaggregated(poll: Poll) -> Iterator[Want]:
    """Ask for the disaggregated report, futures only."""
    return _wants("cftc_disaggregated", poll)


@connector("cftc_disaggregated_combined")
def disaggregated_combined(poll: Poll) -> Iterator[Want]:
    """Ask for the disaggregated report, futures with options."""
    return _wants("cftc_disaggregated_combined", poll)


def _wants(source: str, poll: Poll) -> Iterator[Want]:
    if poll.source.fetch.options["way"] == "zips":
        yield from _archives(poll)
    else:
        yield from _years(source, poll)


def _years(source: str, poll: Poll) -> Iterator[Want]:
    """Yield a question for each year of which something may be new.

    A whole history in one answer would be hundreds of megabytes: an entry has every
    column of the report.
    """
    first: date = poll.source.fetch.history_from
    for year in range(first.year, poll.today.year + 1):
        name = f"{source}_{year}.json"
        since = max(date(year, 1, 1), poll.since(name))
        until = min(date(year, 12, 31), poll.today)
        if since <= until:
            yield _page(poll, name, f"{_DAY} >= '{since}T00:00:00' AND "
                        f"{_DAY} <= '{until}T00:00:00'", offset=0)  # fmt: skip


def _page(poll: Poll, name: str, dates: str, *, offset: int) -> Want:
    codes = ",".join(f"'{code}'" for code in poll.source.contracts)

    def judged(answer: Answer) -> Literal["data", "empty"]:
        return _judged(answer, name)

    def more(answer: Answer) -> Iterator[Want]:
        if len(_entries(answer, name)) >= _MOST_ROWS:
            yield _page(poll, name, dates, offset=offset + _MOST_ROWS)

    stem, _, ending = name.rpartition(".")
    return Want(
        name if offset == 0 else f"{stem}_from_{offset}.{ending}",
        _PORTAL.format(poll.source.fetch.options["dataset"]),
        params=(
            ("$where", f"{_CODE} in ({codes}) AND {dates}"),
            ("$order", f"{_DAY},{_CODE}"),
            ("$limit", str(_MOST_ROWS)),
            ("$offset", str(offset)),
        ),
        headers={"X-App-Token": SECRET} if poll.keyed else {},
        accept=(200, 400, 403, 404),
        judge=judged,
        follow=more,
    )


def _entries(answer: Answer, name: str) -> list[dict[str, Any]]:
    """Return the entries of an answer to the question of this name.

    Raises:
        SourceRefused: it says why there are none.
        SourceUnavailable: it is no such answer.
    """
    try:
        said = json.loads(answer.data)
    except ValueError:
        msg = (
            f"expected a list of weeks; found {answer.data[:80]!r}: it may be cut short"
        )
        raise SourceUnavailable(msg) from None
    if answer.status != 200 or not isinstance(said, list):
        told = said if isinstance(said, dict) else {}
        why = told.get("message") or told.get("errorCode") or said
        msg = (
            f"{name}: expected a list of weeks; the portal answered {answer.status}: {why}: hold "
            "the data set and the columns asked for against the portal's page of it"
        )
        raise SourceRefused(msg)
    return said


def _judged(answer: Answer, name: str) -> Literal["data", "empty"]:
    entries = _entries(answer, name)
    if not entries:
        return "empty"
    lost = [name for name in (_DAY, _CODE) if not any(name in e for e in entries)]
    if lost:
        msg = (
            f"{name}: expected the fields {', '.join(lost)}; found "
            f"{', '.join(entries[0])[:200]}: the portal has renamed them"
        )
        raise SourceRefused(msg)
    return "data"


def _archives(poll: Poll) -> Iterator[Want]:
    """Yield the archive of history once, and of each year while it is still rewritten."""
    options = poll.source.fetch.options
    history = options["history_zip"]
    if poll.whole or history not in poll.landed:
        yield _archive(history)
    for year in range(_FIRST_OF_YEARS, poll.today.year + 1):
        name = f"{options['year_zip']}{year}.zip"
        # The last week of a year comes out, and is mended, in the next.
        over = date(year, 12, 31) + timedelta(poll.source.fetch.look_back_days)
        last = poll.landed.get(name)
        if poll.whole or last is None or last <= over:
            yield _archive(name)


def _archive(name: str) -> Want:
    return Want(name, _ARCHIVES.format(name), expect="zip")
