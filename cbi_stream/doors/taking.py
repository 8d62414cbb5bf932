"""One file of the landing: looked at, read, archived, and its lines appended to raw.

Each step may say that the file waits or is refused; then nothing of it was taken. It
never decides where such a file goes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.doors import dropping, later, reading, receipts, strangers
from cbi_stream.doors.dropping import Hint
from cbi_stream.doors.readers import Reader
from cbi_stream.doors.reading import Reading, Task
from cbi_stream.doors.receipts import Receipt, Refused, Waits, shown
from cbi_stream.doors.recognise import Recognised, recognise, registered
from cbi_stream.doors.settling import Glimpse, Settling, copied, glimpse
from cbi_stream.doors.stated import stated, taken_apart
from cbi_stream.engine import fingerprint
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.layouts import layouts_of
from cbi_stream.kernels.release import possible_from, released_at
from cbi_stream.lake import durable
from cbi_stream.lake.arrivals import Arrival
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.lines import Appended, append_lines

_HEAD_BYTES = 64 * 1024
_SHOWN = 5
_CUT_MEND = "copy it again, or add a line end to its last line"


@dataclass(slots=True)
class Desk:
    """What is needed to take a file in."""

    lake: Lake
    graph: Graph
    reader: Reader
    settling: Settling


@dataclass(slots=True)
class File:
    """One file of the landing, and what is known of it so far."""

    path: Path
    known: dict[str, Any] = field(default_factory=dict)
    """Fields of its receipt."""
    seen: Glimpse | None = None
    found: Recognised | None = None
    taken: bool = False
    """Whether only its removal is left: once it is gone, its receipt never says less."""

    def receipt(self, **more: Any) -> Receipt:
        """Return its receipt."""
        return Receipt(self.path.name, **(self.known | more))


def look_at(desk: Desk, file: File) -> None:
    """Find out what a file is, from its name, its first line and what was said of it.

    Raises:
        Waits: it still grows, or cannot be told.
        Refused: it is no table, or of another kind than the lake.
    """
    path = file.path
    seen = file.seen = glimpse(path)
    announced = dropping.announced_bytes(path) == seen.size
    if not announced and not desk.settling.is_whole(path, seen):
        raise _unsettled()
    data = copied(path, seen)
    hint = dropping.hint_for(path, data)
    if hint is None and announced and not desk.settling.is_whole(path, seen):
        raise _unsettled()
    file.known |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    if not data:
        msg = "expected a table; found an empty file"
        raise Refused(msg, "download it again")
    named, hint = taken_apart(path.name), hint or Hint()
    head = data[:_HEAD_BYTES]
    if named.gzipped and head.startswith(strangers.GZIP):
        head = reading.unpacked_head(head, _HEAD_BYTES)
        if not head:
            msg = "may be cut short: nothing can be unpacked from the gzip"
            raise Waits(msg, "copy it again")
    known = [p for parsers in desk.graph.parsers.values() for p in parsers]
    encoded = any(p.encodings for p in layouts_of(known, head, name=named.plain))
    strangers.refuse_what_is_no_table(
        head, name=path.name, packed=data[:4], encoded=encoded
    )
    if desk.lake.kind == "real" and reading.is_simulated(head):
        raise _other_kind(desk.lake, simulated=True)
    found = file.found = recognise(
        desk.graph, named, head=head, source=hint.source, key=hint.key
    )
    source = found.parser.source
    file.known |= {"source": source, "key": found.key, "recognised_by": found.by}
    when = stated(path, found.source, said=hint.as_of, named=named.when)
    by = "fetched" if hint.fetched else when.by
    file.known |= {"as_of": when.as_of, "as_of_by": by}


def _unsettled() -> Waits:
    msg = "it changed less than two seconds ago: it may still be being copied"
    return Waits(msg, "nothing to do: it is looked at again", unsettled=True)


def _other_kind(lake: Lake, *, simulated: bool) -> Refused:
    what = "simulated" if simulated else "real"
    msg = f"{what} bytes cannot enter a {lake.kind} lake: the two never meet"
    flag = " --simulated" if simulated else ""
    return Refused(msg, f"make a lake for them: cbi init{flag} --lake DIR")


def take(desk: Desk, file: File) -> Receipt:
    """Read a file, archive its bytes, append its lines, and let go of it.

    Raises:
        Waits: it changed, or may be cut short.
        Refused: it cannot be read as a whole, or is of another kind than the lake.
    """
    assert file.seen is not None
    assert file.found is not None
    damaged = desk.lake.refused.get(file.found.source.raw)
    if damaged is not None:
        raise Waits(damaged, "the file is taken once the table is mended")
    data = copied(file.path, file.seen)
    if hashlib.sha256(data).hexdigest() != file.known["sha256"]:
        raise _unsettled()
    found = file.found
    gzipped = taken_apart(file.path.name).gzipped
    task = Task(found.key or None, gzipped, found.source.final_newline)
    lines = _judged(desk.lake, desk.reader.read(found.parser, data, task))
    desk.lake.archive.keep(data)
    if lines.height:
        file.known |= _appended(desk, file, lines)
    told = file.receipt(end="archive", **_remarks(desk.lake, file, lines))
    receipts.write(file.path, told)
    _let_go(file, data)
    return told


def _judged(lake: Lake, found: Reading) -> pl.DataFrame:
    """Return the lines of a file that may be taken.

    Raises:
        Refused: it is of another kind than the lake, or cannot be read.
        Waits: it may not be whole.
    """
    if found.simulated and lake.kind == "real":
        raise _other_kind(lake, simulated=True)
    if found.cut is not None:
        raise Waits(found.cut, _CUT_MEND)
    if found.refusal is not None:
        raise Refused(
            found.refusal, "download it again, or mend it, and hand it in anew"
        )
    if not found.simulated and lake.kind == "simulated":
        raise _other_kind(lake, simulated=False)
    return found.lines


def _appended(desk: Desk, file: File, lines: pl.DataFrame) -> dict[str, Any]:
    """Append the lines to their raw table; return what the receipt says of it."""
    assert file.found is not None
    lake, source, key = desk.lake, file.found.source, file.found.key
    arrival = Arrival(
        source=file.found.parser.source,
        key=key,
        name=shown(file.path.name),
        sha256=file.known["sha256"],
        parser=fingerprint.of_parser(desk.graph, file.found.parser.parse),
        as_of=file.known["as_of"],
        fetched=file.known["as_of_by"] == "fetched",
    )
    # The same value seen after its release is no duplicate of what was unfinished, and
    # none of one that nobody could have seen.
    rules = [source.release_of(key), source.volume_release]
    released = [possible_from(pl.col("date"), zone=source.zone)] + [
        released_at(pl.col("date"), **rule.terms(lake.registry.closures))
        for rule in rules
        if rule is not None and source.changes == "correction"
    ]
    table = lake.table(source.raw)
    done: Appended = append_lines(
        table, lines, arrival, work=lake.work, released=released
    )
    if arrival.as_of is not None:
        later.hold_against(
            lake,
            source.raw,
            key=key,
            as_of=arrival.as_of,
            days=lines["date"],
            read=partial(_read_again, desk, file.found),
            released=released,
        )
    return {
        "table": source.raw,
        "batch": done.batch,
        "lines": done.lines,
        "stored": done.stored,
        "duplicate": done.duplicate,
        "unreadable": lines["problem"].count(),
        "as_of": file.known["as_of"] or done.seen_at,
    }


def _read_again(
    desk: Desk, found: Recognised, arrival: Arrival, data: bytes
) -> pl.DataFrame:
    """Return the lines of a file that was taken before.

    Raises:
        Waits: it cannot be read now: the late file is taken when it can.
    """
    named = taken_apart(arrival.name)
    head = reading.unpacked_head(data, _HEAD_BYTES) if named.gzipped else data
    parsers = desk.graph.parsers[found.parser.source]
    fitting = layouts_of(parsers, head[:_HEAD_BYTES], name=named.plain)
    task = Task(found.key or None, named.gzipped)
    again = desk.reader.read((fitting or [found.parser])[0], data, task)
    if again.refusal is not None or again.cut is not None:
        why = again.refusal or again.cut
        msg = f"{arrival.name}, which was taken before, cannot be read again: {why}"
        raise Waits(msg, "it is tried again at the next run")
    return again.lines


def _remarks(lake: Lake, file: File, lines: pl.DataFrame) -> dict[str, str]:
    """Return what a person should know of a file that was taken."""
    assert file.found is not None
    source, key = file.found.parser.source, file.found.key
    entry = file.found.source
    if key and key not in registered(lake.registry, entry):
        where = "universe.yaml" if entry.key == "symbol" else "data_sources.yaml"
        return {
            "reason": f"{key} is not registered: its lines stand in raw, unused",
            "mend": f"to use it, register it in registry/{where} ({source})",
        }
    if not lines.height:
        return {"reason": "the file has a header and no lines: nothing was stored"}
    if not file.known["stored"]:
        return {"reason": "nothing in it is news: each line is a duplicate"}
    bad = lines.filter(pl.col("problem").is_not_null()).select("line", "problem")
    if not bad.height:
        return {}
    told = [f"line {line}: {problem}" for line, problem in bad.head(_SHOWN).iter_rows()]
    more = [f"(and {bad.height - _SHOWN} more)"] if bad.height > _SHOWN else []
    first = f"cannot be read, so quarantined: {bad.height} of {lines.height} lines:"
    return {
        "reason": "\n".join([first, *told, *more]),
        "mend": "the rest is taken; correct these lines and hand the file in again",
    }


def _let_go(file: File, data: bytes) -> None:
    """Remove a file that was taken, unless another one stands there by now."""
    try:
        same = glimpse(file.path) == file.seen
    except Waits:
        same = False
    if same:
        dropping.bind(file.path, data, file.known["as_of"])
        file.taken = True
        file.path.unlink()
        dropping.forget(file.path)
        durable.sync(file.path.parent)
