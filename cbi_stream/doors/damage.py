"""Stored files held against the sha256 that was written, and the list of those that fail.

The list stands in the lake, for other processes to see; what is on it counts only while
it is still so. It mends nothing, and judges no value.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cbi_stream.engine import effects
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.table import TORN
from cbi_stream.words import clock
from cbi_stream.words.errors import DamagedLake, WrongUsage

LIST = "damage.json"
ARCHIVE, EXPORTS = "archive", "exports"
_CHUNK = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MANIFEST, _PARQUET = ".manifest.json", ".parquet"

Verdict = Generator[int, None, "Damage | None"]
"""A check under way: it yields the bytes of each piece that it read, and returns."""


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """Something stored that can be held against a sha256."""

    part: str
    """Its table, or `archive`, or `exports`."""
    file: str
    """From the lake's folder; of an export without its ending, as it is two files."""
    sha256: str = ""
    """What was written; empty for an export, whose manifest says it."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is not what was written."""

    item: Item
    file: str
    """Which file, from the lake's folder."""
    expected: str
    found: str
    mend: str
    looks: tuple[int, ...]
    """What the file looked like from outside; while that stays, it stays damaged."""
    at: str
    """When it was found."""

    @property
    def table(self) -> str | None:
        """The table that nothing may read; None where none is touched."""
        return None if self.item.part in (ARCHIVE, EXPORTS) else self.item.part

    def __str__(self) -> str:
        said = f"expected sha256 {self.expected}; found {self.found}"
        return f"{self.file}: its bytes are not those that were written: {said}"


def parts(lake: Lake) -> list[str]:
    """Return every part of a lake that holds stored files, in the order of a round."""
    return sorted([*lake.registry.contracts, ARCHIVE, EXPORTS])


def items(lake: Lake, part: str) -> Iterator[Item]:
    """Yield what is stored in a part now, in order; of a table its newest version."""
    if part == EXPORTS:
        folder = lake.folder / EXPORTS
        names = {
            path.name.removesuffix(ending)
            for ending in (_MANIFEST, _PARQUET)
            for path in folder.glob(f"*{ending}")
        }
        yield from (Item(part, f"{EXPORTS}/{name}") for name in sorted(names))
    elif part == ARCHIVE:
        folder = lake.archive.folder
        for below in sorted(folder.glob("[0-9a-f][0-9a-f]")):
            kept = sorted(path.name for path in below.iterdir())
            for name in filter(_SHA256.fullmatch, kept):
                yield Item(part, f"{ARCHIVE}/{below.name}/{name}", name)
    else:
        yield from sorted(_of_table(lake, part).values())


def _of_table(lake: Lake, name: str) -> dict[str, Item]:
    """Return the files of a table's newest version; none of a log that no one can read."""
    try:
        table = lake.table(name)
        current = table.head()[1]
    except (DamagedLake, WrongUsage):
        return {}  # each wave says what is wrong with the log
    folder = table.folder.relative_to(lake.folder)
    return {
        f"{folder}/{f.path}": Item(name, f"{folder}/{f.path}", f.sha256)
        for entry in current.partitions.values()
        for f in entry.files
    }


def still_stored(lake: Lake, item: Item) -> bool:
    """Return whether the lake still holds something of this name and hash."""
    if item.part == ARCHIVE:
        return True
    if item.part == EXPORTS:
        ends = (_MANIFEST, _PARQUET)
        return any((lake.folder / f"{item.file}{end}").exists() for end in ends)
    return _of_table(lake, item.part).get(item.file) == item


def checked(lake: Lake, item: Item) -> Verdict:
    """Read a stored file piece by piece, and return what is wrong with it, if anything."""
    if item.part == EXPORTS:
        return (yield from _checked_export(lake, item))
    return (yield from _checked_file(lake, item, item.file, item.sha256))


def _checked_export(lake: Lake, item: Item) -> Verdict:
    manifest = f"{item.file}{_MANIFEST}"
    try:
        data = (lake.folder / manifest).read_bytes()
    except OSError as error:
        return _damage(lake, item, manifest, "of its manifest", f"none: {error}")
    yield len(data)
    plain = effects.unsealed(data)
    if plain is None:
        found = hashlib.sha256(data).hexdigest()
        return _damage(lake, item, manifest, "that its seal says", found)
    return (
        yield from _checked_file(
            lake, item, f"{item.file}{_PARQUET}", str(plain["sha256"])
        )
    )


def _checked_file(lake: Lake, item: Item, file: str, sha256: str) -> Verdict:
    digest = hashlib.sha256()
    try:
        with (lake.folder / file).open("rb") as opened:
            while piece := opened.read(_CHUNK):
                digest.update(piece)
                yield len(piece)
    except OSError as error:
        return _damage(lake, item, file, sha256, f"none: {error.strerror or error}")
    found = digest.hexdigest()
    return None if found == sha256 else _damage(lake, item, file, sha256, found)


def _damage(lake: Lake, item: Item, file: str, expected: str, found: str) -> Damage:
    return Damage(
        item,
        file,
        expected,
        found,
        _mend(lake, item, file),
        looks(lake, file),
        clock.now().isoformat(),
    )


def _mend(lake: Lake, item: Item, file: str) -> str:
    if item.part == EXPORTS:
        return "none needed: it was set aside, and the next wave writes it again"
    if item.part == ARCHIVE:
        return (
            "hand the same file in again, or put it back from a backup; its lines in raw "
            "are whole"
        )
    if lake.registry.contracts[item.part].is_record:
        return (
            f"put {file} back from a backup; without one move the folder of {item.part}, "
            "those of all derived tables and current.json away, and hand its files in "
            "again from archive/ with --as-of"
        )
    folder = lake.table(item.part).folder
    return (
        "stop `cbi run`, and `cbi rebuild` writes it anew; or, while it runs, move "
        f"{folder} away: the table is computed anew from raw"
    )


def looks(lake: Lake, file: str) -> tuple[int, ...]:
    """Return what a file looks like from outside; whoever writes to it changes that."""
    try:
        found = (lake.folder / file).lstat()
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_ctime_ns)


def judged(verdict: Verdict) -> Damage | None:
    """Carry a check to its end."""
    while True:
        try:
            next(verdict)
        except StopIteration as done:
            found: Damage | None = done.value
            return found


def listed(lake: Lake) -> list[Damage]:
    """Return the damage that was found and written down, whether or not it still stands."""
    try:
        plain = json.loads((lake.folder / LIST).read_bytes())
        return [_from_plain(each) for each in plain["damage"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # a list that cannot be read is made anew by the round that goes on


def _from_plain(plain: dict[str, Any]) -> Damage:
    item, looked = Item(**plain["item"]), tuple(plain["looks"])
    return Damage(**{**plain, "item": item, "looks": looked})


def standing(lake: Lake) -> list[Damage]:
    """Return the damage on the list that is still so: each file is read again."""
    return [each for each in listed(lake) if not is_mended(lake, each)]


def shown(found: Iterable[Damage]) -> list[dict[str, Any]]:
    """Return damage as plain values, for people and machines to read."""
    return [
        {
            "file": each.file,
            "table": each.item.part,
            "expected": each.expected,
            "found": each.found,
            "mend": each.mend,
            "at": each.at,
        }
        for each in found
    ]


def is_mended(lake: Lake, damage: Damage) -> bool:
    """Return whether a file is whole again, or nothing names it any more."""
    if not still_stored(lake, damage.item):
        return True
    return judged(checked(lake, damage.item)) is None


def write(lake: Lake, found: Iterable[Damage]) -> None:
    """Write the list anew; where nothing is damaged there is none.

    Raises:
        OSError: the disk refused.
    """
    plain = [asdict(each) for each in found]
    place = lake.folder / LIST
    if not plain:
        if place.exists():
            place.unlink()
            durable.sync(lake.folder)
        return
    durable.write(place, json.dumps({"damage": plain}, indent=1).encode())


def set_aside(lake: Lake, damage: Damage) -> Path | None:
    """Move a damaged export out of readers' way; the next wave writes it again."""
    path = lake.folder / damage.file
    if damage.item.part != EXPORTS or not path.exists():
        return None
    return durable.set_aside(path, lake.folder / EXPORTS / TORN)
