"""The check in the background: stored files are read again, in turn, while nothing happens.

A look is short, so that the daemon hears the next hint at once: what it may cost is
bounded in files, bytes and seconds, and by that what a day may cost. A table with a
damaged file is refused until the file is whole again or nothing names it any more; a
damaged training file is set aside and written again. It never writes to a table.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta

from cbi_stream.doors import damage
from cbi_stream.doors.damage import Damage, Item
from cbi_stream.doors.logs import Log
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock

STATE = "checked.json"
LOOKS_A_ROUND = 2400
"""A lake is read through in so many idle looks: 20 hours, at one in half a minute."""
LOOK_SECONDS = 0.1
LOOK_BYTES = 64 * 1024 * 1024
_APART_SECONDS = 10.0
_REST = 200
"""How many times as long as a look took it rests at least: half a percent of a core."""
DAYS_KEPT = 7


@dataclass(slots=True)
class Progress:
    """Where the round stands, and what was read on the last days.

    It is written down after each look. One that is lost costs a round that begins
    again, and nothing else.
    """

    after: tuple[str, str] = ("", "")
    """Part and file that were read last; the round goes on behind them."""
    began: str | None = None
    files: int = 0
    """How many were read in this round."""
    of: int = 0
    """How many there were when the round began."""
    whole_at: str | None = None
    """When a round was last finished."""
    days: dict[str, list[int]] = field(default_factory=dict)
    """Per day: files and bytes that were read."""

    def count(self, files: int, *, size: int) -> None:
        """Add what a look read, and forget days that are long ago, or not yet."""
        today = clock.now().date()
        oldest = today - timedelta(days=DAYS_KEPT - 1)
        kept = {
            day: read
            for day, read in self.days.items()
            if oldest <= date.fromisoformat(day) <= today
        }
        before = kept.get(today.isoformat(), [0, 0])
        kept[today.isoformat()] = [before[0] + files, before[1] + size]
        self.days = kept


def progress(lake: Lake) -> Progress:
    """Return what is written down of the check; nothing where nobody has begun."""
    try:
        plain = json.loads((lake.folder / STATE).read_bytes())
        part, file = plain["after"]
        found = Progress(**{**plain, "after": (str(part), str(file))})
        for day, (files, size) in found.days.items():
            found.days[date.fromisoformat(day).isoformat()] = [int(files), int(size)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Progress()  # it says where to go on; whoever cannot read it begins again
    return found


class Checking:
    """The check of one lake by the process that dispatches it.

    What an earlier process found damaged is refused from the beginning.
    """

    def __init__(self, lake: Lake, log: Log) -> None:
        self.lake, self.log = lake, log
        self.damage = {each.item: each for each in damage.listed(lake)}
        self._written = dict(self.damage)
        self.progress = progress(lake)
        self._round: Iterator[int] | None = None
        self._read = 0
        self._refused: dict[str, str] = {}
        self._not_before = float("-inf")
        self._forget_what_was_mended()
        self._refuse()

    def look(self) -> bool:
        """Read a little; return whether damage was found or mended.

        Soon after the one before it reads nothing: hints may come in thick.
        """
        start = time.perf_counter()
        known = set(self.damage)
        self._forget_what_was_mended()
        if start >= self._not_before:
            self._read_on(start)
            spent = time.perf_counter() - start
            self._not_before = start + max(_APART_SECONDS, _REST * spent)
        if self.damage != self._written:
            self._refuse()
            self._write_down()
        return set(self.damage) != known

    def _read_on(self, start: float) -> None:
        self._read = size = 0
        try:
            self._round = self._round or self._begun()
            share = max(1, math.ceil(self.progress.of / LOOKS_A_ROUND))
            for piece in self._round:
                size += piece
                enough = self._read >= share or size >= LOOK_BYTES
                if enough or time.perf_counter() - start >= LOOK_SECONDS:
                    break
            else:
                self._round = None
                self.progress.after, self.progress.began = ("", ""), None
                self.progress.whole_at = clock.now().isoformat()
        except OSError as error:
            # A folder that cannot be listed: it goes on behind the last file it read.
            self._round = None
            self.log.error("check.stopped", error=error)
        self.progress.count(self._read, size=size)
        self._keep_progress()

    def _begun(self) -> Iterator[int]:
        """Begin a round, or go on with the one that another process began."""
        self.progress.of = sum(
            1 for part in damage.parts(self.lake) for _ in damage.items(self.lake, part)
        )
        if self.progress.began is None:
            self.progress.began, self.progress.files = clock.now().isoformat(), 0
        return self._pieces()

    def _pieces(self) -> Iterator[int]:
        """Read one file after the other; yield the bytes of each piece."""
        after = self.progress.after
        for part in damage.parts(self.lake):
            if part < after[0]:
                continue
            for item in damage.items(self.lake, part):
                if (item.part, item.file) > after:
                    found = yield from damage.checked(self.lake, item)
                    self._judge(item, found)
                    yield 0

    def _judge(self, item: Item, found: Damage | None) -> None:
        self._read += 1
        self.progress.files += 1
        self.progress.after = (item.part, item.file)
        # It may have been replaced between two pieces: only what is so twice is so.
        if found is None or damage.is_mended(self.lake, found):
            self._is_whole(item)
        elif item not in self.damage:
            self.damage[item] = found
            self.log.error(
                "file.damaged",
                file=found.file,
                table=item.part,
                expected=found.expected,
                found=found.found,
                mend=found.mend,
            )
            damage.set_aside(self.lake, found)

    def _is_whole(self, item: Item) -> None:
        known = self.damage.pop(item, None)
        if known is None:
            return
        self.log.info("file.mended", file=known.file, table=item.part)
        if known.table in self.lake.registry.contracts:
            self.lake.table(known.table).forget()

    def _forget_what_was_mended(self) -> None:
        for item, known in list(self.damage.items()):
            seen = damage.looks(self.lake, known.file)
            # Who wrote to the file changed how it looks: else it is not read again here.
            if seen == known.looks and damage.still_stored(self.lake, item):
                continue
            if damage.is_mended(self.lake, known):
                self._is_whole(item)
            else:
                self.damage[item] = replace(known, looks=seen)

    def _refuse(self) -> None:
        """Refuse the tables of damaged files, and no longer those that are whole."""
        refused = self.lake.refused
        for table, why in self._refused.items():
            if refused.get(table) == why:
                del refused[table]
        self._refused = {}
        for each in self.damage.values():
            # Where a check of the log has refused a table before, its reason stays.
            if each.table is not None and each.table not in refused:
                self._refused[each.table] = refused[each.table] = f"{each}: {each.mend}"

    def _write_down(self) -> None:
        try:
            damage.write(self.lake, self.damage.values())
        except OSError as error:  # at the next look it is tried again
            self.log.warning("damage.unwritten", error=error)
        else:
            self._written = dict(self.damage)

    def _keep_progress(self) -> None:
        try:
            text = json.dumps(asdict(self.progress), indent=1)
            durable.write(self.lake.folder / STATE, text.encode())
        except OSError as error:
            self.log.warning("progress.unwritten", error=error)
