"""What people ask of the dispatcher from another process: a file, read once, then gone.

It never does what is asked.
"""

from __future__ import annotations

from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake

_AGAIN = "again"


def ask_again(lake: Lake) -> None:
    """Ask for partitions that were set aside to be tried once more."""
    durable.write(lake.folder / _AGAIN, b"")


def asked_again(lake: Lake) -> bool:
    """Return whether that was asked; the next time it is not any more."""
    path = lake.folder / _AGAIN
    asked = path.exists()
    path.unlink(missing_ok=True)
    return asked
