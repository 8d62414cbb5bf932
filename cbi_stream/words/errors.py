"""Every error this project raises, in one tree; it never catches one.

    CbiError
    ├── Transient          try again later; nothing is wrong with the data
    │   ├── LockHeld         another process holds the lock (exit 5)
    │   ├── CommitConflict   another writer committed first (exit 75)
    │   ├── SourceUnavailable  a source does not answer now, or answers nonsense (exit 75)
    │   └── CodeChanged      code or registry changed while it ran (exit 75)
    └── Terminal           trying again cannot help; a person must act
        ├── WrongUsage       the command's words are off (exit 2)
        ├── BadRegistry      a file of registry/ is wrong (exit 78)
        ├── SourceRefused    a source turned a question down: asking again cannot help
        │   └── NoSecret       its key is set nowhere (exit 78)
        ├── BadInput         a dropped file cannot be read (exit 4)
        │   ├── Waits          it stays in the landing (doors/receipts.py)
        │   └── Refused        its bytes go to the quarantine (doors/receipts.py)
        ├── BrokenContract   a handler's output is not what its table promises
        ├── DishonestWindow  a handler reads outside its declared window
        ├── LooksAhead       a stored row knows what came after its evening
        ├── HandlerFailed    a handler raised
        └── DamagedLake      stored bytes are not the bytes that were written

The two branches are what the engine looks at: a transient error is retried, a
terminal one holds that table and the rest goes on. A message says what was
expected, what was found, and which file to open.
"""

from __future__ import annotations

from typing import ClassVar


class CbiError(Exception):
    """Something this project noticed and can name."""

    exit_code: ClassVar[int] = 1


class Transient(CbiError):
    """Trying again later may succeed."""

    exit_code = 75


class LockHeld(Transient):
    """Another process holds a lock that this one needs."""

    exit_code = 5


class CommitConflict(Transient):
    """Another writer committed to the table since it was read."""


class SourceUnavailable(Transient):
    """A source does not answer, is overloaded, or answers something else than data."""


class CodeChanged(Transient):
    """The files of code or registry are not those that this process was loaded from."""


class Terminal(CbiError):
    """Trying again cannot help."""


class WrongUsage(Terminal):
    """A command was asked for something that does not exist."""

    exit_code = 2


class BadRegistry(Terminal):
    """A registry file does not say what its model expects."""

    exit_code = 78


class SourceRefused(Terminal):
    """A source answered that it will not answer: a bad key, an unknown series."""


class NoSecret(SourceRefused):
    """The key that a source asks for is set nowhere."""

    exit_code = 78


class BadInput(Terminal):
    """A file that was handed in cannot be taken; its bytes are kept."""

    exit_code = 4


class BrokenContract(Terminal):
    """A handler's output does not fit its table's contract."""


class DishonestWindow(Terminal):
    """A handler's output depends on rows outside its declared reads."""


class LooksAhead(Terminal):
    """A row differs from what its own evening could have computed."""


class HandlerFailed(Terminal):
    """A handler raised an exception on a slice."""


class DamagedLake(Terminal):
    """Stored bytes are not the bytes that were written."""
