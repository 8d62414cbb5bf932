"""What became of a file: its receipt, where that stands, and the ways not to be taken.

A receipt is written beside the file's place in the landing and outlives the file. It
never speaks of a file that it was not written for: it names the hash of its bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from cbi_stream.lake import durable
from cbi_stream.words.errors import BadInput

End = Literal["archive", "quarantine", "waiting"]
RECEIPT = ".receipt.json"
HINT = ".hint.json"
ASOF = ".asof"
_PASSED_OVER = (RECEIPT, HINT, ASOF, "~", ".part", ".tmp", ".crdownload")
_LONGEST_NAME = 200
"""In bytes: what is put beside a file has a longer name, and 255 is the limit."""


class Waits(BadInput):
    """A file stays in the landing; a later look may take it.

    Args:
        reason: what was expected, and what was found.
        mend: what a person can do.
        unsettled: whether waiting a little may be all that it needs.
    """

    def __init__(self, reason: str, mend: str = "", *, unsettled: bool = False) -> None:
        super().__init__(reason)
        self.mend = mend
        self.unsettled = unsettled


class Refused(BadInput):
    """A file is wrong as a whole: its bytes go to the quarantine.

    Args:
        reason: what was expected, and what was found.
        mend: what a person can do.
    """

    def __init__(self, reason: str, mend: str = "") -> None:
        super().__init__(reason)
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one file.

    The counts `staged` to `unused` are None until a wave has settled; then they and
    `duplicate` add up to `lines`.
    """

    file: str
    end: End
    source: str | None = None
    key: str | None = None
    """The symbol or series; empty where each line names its own."""
    recognised_by: str | None = None
    as_of: datetime | None = None
    """When the file was seen."""
    as_of_by: str | None = None
    """Who says so: --as-of, .asof file, file name, or sight."""
    sha256: str | None = None
    bytes: int | None = None
    table: str | None = None
    batch: int | None = None
    lines: int = 0
    stored: int = 0
    duplicate: int = 0
    unreadable: int = 0
    """Lines that are stored as they stand, and quarantined."""
    staged: int | None = None
    quarantined: int | None = None
    superseded: int | None = None
    provisional: int | None = None
    unused: int | None = None
    place: str | None = None
    """Where a quarantined file stands, from the lake's folder."""
    reason: str | None = None
    mend: str | None = None
    unsettled: bool = False

    @property
    def taken(self) -> bool:
        """Whether the bytes are archived and the lines are in raw."""
        return self.end == "archive"


def is_passed_over(name: str) -> bool:
    """Return whether a file of this name is never looked at."""
    return name.startswith(".") or name.endswith(_PASSED_OVER)


def beside(path: Path, suffix: str) -> Path:
    """Return where something about a file stands."""
    return path.with_name(short(path.name) + suffix)


def short(name: str) -> str:
    """Return a name that leaves room for a suffix; the same for the same name."""
    data = os.fsencode(name)
    if len(data) <= _LONGEST_NAME:
        return name
    kept = data[: _LONGEST_NAME // 2].decode(errors="ignore")
    return f"{kept}-{hashlib.sha256(data).hexdigest()[:16]}"


def shown(name: str) -> str:
    """Return a name as it may be printed: nothing in it can move a cursor."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in name)


def write(path: Path, receipt: Receipt) -> None:
    """Write the receipt of the file at `path`, beside it."""
    place = beside(path, RECEIPT)
    text = json.dumps(asdict(receipt), indent=1, default=str)
    # A file that waits is looked at again and again: the same is not written twice.
    if not place.is_file() or place.read_bytes() != text.encode():
        durable.write(place, text.encode())


def read(path: Path) -> dict[str, Any]:
    """Return the receipt of the file at `path` as plain values; empty where none."""
    try:
        plain = json.loads(beside(path, RECEIPT).read_bytes())
    except (OSError, ValueError):
        return {}
    return plain if isinstance(plain, dict) else {}


def incomplete(folder: Path) -> list[Receipt]:
    """Return the receipts of files that were taken, and whose lines no wave has seen."""
    found = []
    for path in sorted(folder.glob(f"*{RECEIPT}")):
        plain = read(path.with_name(path.name.removesuffix(RECEIPT)))
        if plain.get("end") != "archive" or plain.get("staged") is not None:
            continue
        if plain.get("as_of") is not None:
            plain["as_of"] = datetime.fromisoformat(plain["as_of"])
        found.append(Receipt(**plain))
    return found
