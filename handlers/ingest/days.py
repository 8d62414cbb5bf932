"""The dates of a whole file: one way to write them, found once, for all of its lines.

It never guesses: where the day could be the month in every line, it asks for a remark in
the file. Months are not read by the machine's language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from cbi_stream import BadInput

_PARTS = {
    "YYYY": r"(?P<y>[0-9]{4})",
    "MM": r"(?P<m>[0-9]{1,2})",
    "DD": r"(?P<d>[0-9]{1,2})",
    "Mon": r"(?P<name>[A-Z][a-z]{2})",
}
_WORD = re.compile("YYYY|MM|DD|Mon")
ISO, PACKED = "YYYY-MM-DD", "YYYYMMDD"
MONTH_FIRST, DAY_FIRST, NAMED = "MM/DD/YYYY", "DD/MM/YYYY", "Mon DD, YYYY"
DOTTED, DASHED = "DD.MM.YYYY", "DD-MM-YYYY"
_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_REMARK = re.compile(r"#\s*date_format:\s*(\S.*?)\s*", re.I)
_YEARS = (1900, 2100)
_SHOWN = 3
Day = Callable[[str], date | None]


def reader(looks: str) -> Day:
    """Return a function that reads a day written like `DD.MM.YYYY`, else None."""
    pattern = "".join(
        _PARTS.get(part, re.escape(part))
        for part in re.split(f"({_WORD.pattern})", looks)
    )
    if looks == PACKED:
        pattern = pattern.replace("{1,2}", "{2}")
    whole = re.compile(pattern)

    def read(cell: str) -> date | None:
        match = whole.fullmatch(cell)
        if match is None:
            return None
        parts = match.groupdict()
        if parts.get("name") not in (None, *_MONTHS):
            return None
        month = parts.get("m") or _MONTHS.index(parts["name"]) + 1
        try:
            day = date(int(parts["y"]), int(month), int(parts["d"]))
        except ValueError:
            return None
        return day if _YEARS[0] <= day.year <= _YEARS[1] else None

    return read


def remark(text: str) -> str | None:
    """Return the date format that a remark above the header states, if one does.

    The remark is a line like `# date_format: DD/MM/YYYY`. It stands in the file, so that
    the same bytes always give the same rows.
    """
    for line in text.split("\n"):
        if line.strip() and not line.startswith("#"):
            return None
        match = _REMARK.fullmatch(line)
        if match:
            return match[1]
    return None


def days_of(
    cells: Sequence[str], *, known: Sequence[str], stated: str | None
) -> tuple[str, list[date | None]]:
    """Return the way in which the dates of a file are written, and its days.

    Args:
        cells: the cells that hold them.
        known: the ways in which this source writes dates.
        stated: what a remark in the file says.

    Raises:
        BadInput: two ways fit all lines that any fits, and give other days; or lines
            need different ways; or the remark states a way that this source never has.
    """
    if stated is not None and stated not in known:
        msg = (
            f"expected the date_format of the remark to be one of {', '.join(known)}; "
            f"found {stated!r}"
        )
        raise BadInput(msg)
    ways = known if stated is None else (stated,)
    days = {way: list(map(reader(way), cells)) for way in ways}
    found = {way: frozenset(_filled(each)) for way, each in days.items()}
    most = max(found.values(), key=len)
    fitting = [way for way in ways if found[way] == most]
    stray = [i for each in found.values() for i in each if i not in most]
    if stray:
        shown = ", ".join(repr(cells[i]) for i in [min(most), stray[0]])
        msg = (
            f"the dates are written in more than one way, like {shown}: expected one of "
            f"{', '.join(known)} in all lines"
        )
        raise BadInput(msg)
    if any(days[way] != days[fitting[0]] for way in fitting):
        raise BadInput(_ambiguous(cells, sorted(most), fitting, days))
    return fitting[0], days[fitting[0]]


def _filled(days: Sequence[date | None]) -> list[int]:
    return [i for i, day in enumerate(days) if day is not None]


def _ambiguous(
    cells: Sequence[str],
    lines: Sequence[int],
    fitting: Sequence[str],
    days: Mapping[str, Sequence[date | None]],
) -> str:
    shown = ", ".join(repr(cells[i]) for i in lines[:_SHOWN])
    read = " or ".join(f"{days[way][lines[0]]} ({way})" for way in fitting)
    return (
        f"the dates are ambiguous: each of them ({shown}) could be read as {read}. Say "
        f"which, in a first line of the file: # date_format: {fitting[0]}"
    )
