"""Policy events that a person wrote down, one per line, each with where it can be read.

The times carry their zone. It takes no event without the instant of its announcement,
and never guesses one from a day.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest import named_cells, stated_times
from handlers.ingest.happened import Happenings
from handlers.ingest.lines import has_columns

_COLUMNS = (
    "event", "announced_at", "effective_on", "kind", "jurisdiction", "counterparty",
    "product", "rate_percent", "summary", "citation",
)  # fmt: skip
_HEADER = ",".join(_COLUMNS)
_HOME = ZoneInfo("America/New_York")
_LIST_OF_DAYS = (
    "Date", "Event_Type", "Country/Region", "Product(s)", "Tariff_Rate", "Description",
    "Removal_Date", "Notes",
)  # fmt: skip


@source("tariff_events", headers=(_HEADER,), recognises=named_cells.has(_COLUMNS))
def tariff_events(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the events of a file, cells as written."""
    found = Happenings()
    for line in named_cells.lines_of(data, _COLUMNS):
        problem = line.problem or _problem(line.cells)
        if problem:
            found.unreadable(line.text, problem, line=line.number)
            continue
        cells: dict[str, str | None] = dict(line.cells)
        event, kind = cells.pop("event") or "", cells["kind"] or ""
        stamp = stated_times.instant_in(cells.pop("announced_at") or "")
        assert stamp is not None, "a line without it has a problem"
        day = stamp.astimezone(_HOME).date()
        found.add(event, kind, day=day, stamp=stamp, line=line.number, cells=cells)
    return found.frame(expected="policy events")


@source(
    "tariff_events",
    headers=(",".join(_LIST_OF_DAYS),),
    recognises=has_columns(*_LIST_OF_DAYS),
)
def list_of_days(_data: bytes, _key: str | None) -> pl.DataFrame:
    """Refuse a list of tariff days that says neither when they were known nor by whom.

    Raises:
        BadInput: always; it says how the list is moved over.
    """
    msg = (
        "expected for each event when it was announced (with its zone), from when on it "
        "holds, and a citation; found a list with one day per event, which does not say "
        "which of the two it is, and rates in words: move it over line by line under "
        f"the header {_HEADER} (docs/sources/policy.md), checking each day"
    )
    raise BadInput(msg)


def _problem(cells: dict[str, str]) -> str | None:
    """Return why a line names no event, or no instant."""
    for name in ("event", "kind"):
        if not cells[name]:
            return f"text: expected the {name}; found nothing"
    if stated_times.instant_in(cells["announced_at"]) is None:
        found = cells["announced_at"][:40]
        return f"date: announced_at: expected {stated_times.EXPECTED}; found {found!r}"
    return None
