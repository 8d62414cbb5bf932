"""Times that a person or a source states: an instant with its zone, or none at all.

It never guesses a zone, and takes no time that has none.
"""

from __future__ import annotations

from datetime import UTC, datetime

EXPECTED = "a time with its zone, like 2025-04-04T18:00+08:00"


def instant_in(text: str) -> datetime | None:
    """Return the instant (UTC) that a text says; None where it lacks a time or a zone."""
    if "T" not in text and " " not in text.strip():
        return None  # a day alone says neither hour nor zone
    try:
        said = datetime.fromisoformat(text.strip())
        return said.astimezone(UTC) if said.tzinfo else None
    except (ValueError, OverflowError):
        return None
