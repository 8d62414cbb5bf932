"""Files that came: what names one, and which came about the same thing and when.

It reads what the commits of a raw table say. It never opens a file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cbi_stream.lake import log
from cbi_stream.lake.table import Table


@dataclass(frozen=True, slots=True)
class Arrival:
    """One file's identity: where it came from, its bytes, and when it was seen."""

    source: str
    key: str
    """The symbol or series that the file is about."""
    name: str
    sha256: str
    parser: str
    as_of: datetime | None = None
    """When the file was seen, as a person says, or the one who fetched it; None: when
    this lake took it in."""
    fetched: bool = False
    """Whether that is the instant at which the source answered us."""

    @property
    def by_person(self) -> bool:
        """Whether a person says when it was seen."""
        return self.as_of is not None and not self.fetched

    def to_plain(self) -> dict[str, Any]:
        """Return what the commit says of the file."""
        return {**asdict(self), "as_of": self.as_of and self.as_of.isoformat()}


def seen_later(
    table: Table, key: str, as_of: datetime
) -> list[tuple[Arrival, datetime]]:
    """Return the files about `key` that were seen after `as_of`, oldest first.

    Returns:
        Each file with the time at which it was first taken in.
    """
    version, current = table.head()
    newest = current.note.get("newest", {}).get(key)
    if newest is None or datetime.fromisoformat(newest) <= as_of:
        return []
    found = []
    # From the newest back, since a log is long and a late file mostly a little late.
    for each in range(version, -1, -1):
        note = log.map_at(table.folder, each).note
        newest = note.get("newest", {}).get(key)
        if newest is None or datetime.fromisoformat(newest) <= as_of:
            break  # no file below was seen later than the newest of them
        taken = datetime.fromisoformat(note["first_seen_at"])
        for file in reversed(note["files"]):
            arrival, seen_at = _of_plain(file, taken)
            if file["key"] == key and not file["again"] and seen_at > as_of:
                found.append((arrival, taken))
    found.reverse()
    return sorted(found, key=lambda each: each[0].as_of or each[1])


def _of_plain(file: dict[str, Any], taken: datetime) -> tuple[Arrival, datetime]:
    """Return the file that a commit speaks of, and when it was seen."""
    names = ("source", "key", "name", "sha256", "parser", "fetched")
    seen_at = datetime.fromisoformat(file["as_of"]) if file["as_of"] else taken
    about = {name: file[name] for name in names}
    return Arrival(**about, as_of=seen_at), seen_at
