"""The only clock: what time it is now, and a way to hold it still in a test.

It never decides an order: commits are ordered by batch number and version.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_held: ContextVar[datetime | None] = ContextVar("held_clock", default=None)


def now() -> datetime:
    """Return the current instant in UTC, to the microsecond."""
    return _held.get() or datetime.now(UTC)


@contextmanager
def held_at(instant: datetime) -> Iterator[None]:
    """Make `now()` answer `instant` inside the block.

    Raises:
        ValueError: `instant` has no time zone.
    """
    if instant.tzinfo is None:
        msg = f"a held clock needs a time zone; got {instant.isoformat()}"
        raise ValueError(msg)
    token = _held.set(instant.astimezone(UTC))
    try:
        yield
    finally:
        _held.reset(token)
