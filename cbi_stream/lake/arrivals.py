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
        if note.get("key") != key or note.get("again"):
            continue
        taken = datetime.fromisoformat(note["first_seen_at"])
        seen_at = datetime.fromisoformat(note["as_of"]) if note["as_of"] else taken
        if seen_at > as_of:
            names = ("source", "key", "name", "sha256", "parser", "fetched")
            about = {name: note[name] for name in names}
            found.append((Arrival(**about, as_of=seen_at), taken))
    found.reverse()
    return sorted(found, key=lambda each: each[0].as_of or each[1])
