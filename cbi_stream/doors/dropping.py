"""Handing a file in: what is said about it, then its bytes, whole or not at all.

What is said is written first, with the hash of the bytes that will come: a file whose
bytes are those needs no time to settle. It never writes over a file that nobody saw.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from cbi_stream.doors import receipts
from cbi_stream.doors.receipts import HINT, Receipt, beside, shown
from cbi_stream.doors.settling import MOST_BYTES
from cbi_stream.doors.stated import read_time
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import BadInput, WrongUsage


@dataclass(frozen=True, slots=True)
class Hint:
    """What the person who hands a file in says about it."""

    source: str | None = None
    key: str | None = None
    as_of: date | None = None
    """A day, or an instant with its zone."""
    fetched: bool = False
    """Whether `as_of` is the instant at which a source answered us."""


def drop(lake: Lake, file: Path, hint: Hint) -> Path:
    """Copy a file into the landing, whole or not at all; return where it stands.

    A file of that name that was looked at and waits makes room; its bytes are kept.

    Raises:
        WrongUsage: it is no regular file, or one of that name was not looked at yet.
        BadInput: it is larger than the limit.
    """
    with locked(lake):
        place = check(lake, file)
        data = file.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        if place.exists() and place.read_bytes() != data:
            _make_room(lake, place)
        _announce(place, hint, sha256, size=len(data))
        if not place.exists():
            durable.write(place, data)
    return place


def locked(lake: Lake) -> AbstractContextManager[None]:
    """Hold the lock of the landing: no file is taken in twice, or lost between two."""
    return durable.locked(lake.folder / "landing.lock")


def check(lake: Lake, file: Path) -> Path:
    """Return where a file would stand in the landing, or refuse it.

    Raises:
        WrongUsage: it is no regular file, or one of that name was not looked at yet.
        BadInput: it is larger than the limit.
    """
    if not file.is_file() or file.is_symlink():
        msg = f"expected a regular file; found none at {file}"
        raise WrongUsage(msg)
    if file.stat().st_size > MOST_BYTES:
        msg = (
            f"{file}: expected at most {MOST_BYTES} bytes; found {file.stat().st_size}"
        )
        raise BadInput(msg)
    if receipts.is_passed_over(file.name):
        msg = f"{shown(file.name)}: a file of this name is passed over: rename it"
        raise WrongUsage(msg)
    place = lake.folder / "landing" / file.name
    if place.exists() or place.is_symlink():
        _may_be_replaced(place, file)
    return place


def _may_be_replaced(place: Path, file: Path) -> None:
    if not place.is_file() or place.is_symlink():
        msg = f"{place}: something that is no regular file stands there: take it away"
        raise WrongUsage(msg)
    if place.read_bytes() == file.read_bytes() or _was_looked_at(place):
        return
    msg = f"{place}: another file of that name waits: take it in first (`cbi run`)"
    raise WrongUsage(msg)


def _was_looked_at(place: Path) -> bool:
    """Return whether a receipt says why these very bytes wait."""
    # The receipt may speak of the file that stood there before this one.
    plain = receipts.read(place)
    seen = hashlib.sha256(place.read_bytes()).hexdigest()
    return plain.get("end") == "waiting" and plain.get("sha256") == seen


def _announce(place: Path, hint: Hint, sha256: str, *, size: int) -> None:
    plain = {
        "sha256": sha256,
        "bytes": size,
        "source": hint.source,
        "key": hint.key,
        "as_of": hint.as_of and hint.as_of.isoformat(),
        "fetched": hint.fetched,
    }
    durable.write(beside(place, HINT), json.dumps(plain).encode())


def hint_for(path: Path, data: bytes) -> Hint | None:
    """Return what was said about exactly these bytes; None where nothing was."""
    try:
        plain = json.loads(beside(path, HINT).read_bytes())
        if plain["sha256"] != hashlib.sha256(data).hexdigest():
            return None
        as_of = plain["as_of"]
        when = as_of and read_time(as_of)
        return Hint(plain["source"], plain["key"], when, plain.get("fetched", False))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a hint that nobody can read says nothing: the file speaks alone


def announced_bytes(path: Path) -> int | None:
    """Return how many bytes were announced for the file at `path`."""
    try:
        size = json.loads(beside(path, HINT).read_bytes())["bytes"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return size if isinstance(size, int) else None


def _make_room(lake: Lake, place: Path) -> None:
    plain = receipts.read(place)
    aside(
        lake,
        place,
        Receipt(
            place.name,
            "quarantine",
            sha256=plain["sha256"],
            bytes=plain["bytes"],
            reason=f"another file of its name took its place; it waited: {plain['reason']}",
        ),
    )


def aside(lake: Lake, path: Path, receipt: Receipt) -> Receipt:
    """Move a file into the quarantine, with its receipts; return them as written.

    Nothing is written over: bytes that lie there already are the same bytes.
    """
    assert receipt.sha256 is not None
    folder = lake.folder / "quarantine" / "files"
    durable.make_folder(folder)
    place = folder / receipts.short(f"{receipt.sha256[:16]}-{path.name}")
    told = replace(receipt, place=str(place.relative_to(lake.folder)))
    receipts.write(place, told)
    receipts.write(path, told)
    # First, so that no crash leaves it for another file of that name.
    beside(path, receipts.ASOF).unlink(missing_ok=True)
    if place.exists():
        path.unlink()
    else:
        path.rename(place)
        durable.sync(folder)
    forget(path)
    durable.sync(path.parent)
    return told


def aside_bytes(lake: Lake, data: bytes, receipt: Receipt) -> Receipt:
    """Put bytes that never lay in the landing into the quarantine, with their receipt."""
    assert receipt.sha256 is not None
    folder = lake.folder / "quarantine" / "files"
    durable.make_folder(folder)
    place = folder / receipts.short(f"{receipt.sha256[:16]}-{receipt.file}")
    told = replace(receipt, place=str(place.relative_to(lake.folder)))
    receipts.write(place, told)
    if not place.exists():
        durable.write(place, data)
    return told


def bind(path: Path, data: bytes, as_of: datetime | None) -> None:
    """Bind what an `.asof` file says to these very bytes, and remove it.

    Were it removed after its file, a crash in between would leave it for the next file
    of that name, which would pass for known before anybody saw it.
    """
    said = beside(path, receipts.ASOF)
    if said.exists():
        hint = replace(hint_for(path, data) or Hint(), as_of=as_of)
        _announce(path, hint, hashlib.sha256(data).hexdigest(), size=len(data))
        said.unlink()
        durable.sync(path.parent)


def forget(path: Path) -> None:
    """Remove what was said about a file that is gone: it is in its receipt."""
    beside(path, HINT).unlink(missing_ok=True)
    beside(path, receipts.ASOF).unlink(missing_ok=True)
