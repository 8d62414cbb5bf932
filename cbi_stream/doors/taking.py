"""One file of the landing: looked at, read, archived, and its lines appended to raw.

Each step may say that the file waits or is refused; then nothing of it was taken. It
never decides where such a file goes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.doors import dropping, filing, reading, receipts, strangers
from cbi_stream.doors.dropping import Hint
from cbi_stream.doors.filing import Papers
from cbi_stream.doors.readers import Reader
from cbi_stream.doors.reading import Task
from cbi_stream.doors.receipts import Receipt, Refused, Waits, shown
from cbi_stream.doors.recognise import Recognised, is_registered, recognise
from cbi_stream.doors.settling import Glimpse, Settling, copied, glimpse
from cbi_stream.doors.stated import stated, taken_apart
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.layouts import layouts_of
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake

_HEAD_BYTES = 64 * 1024
_SHOWN = 5
_FATES = ("staged", "quarantined", "superseded", "provisional", "unused")


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
    data: bytes = b""
    lines: pl.DataFrame = field(default_factory=pl.DataFrame)
    """What was read of it, until it is let go of."""
    taken: bool = False
    """Whether only its removal is left: once it is gone, its receipt never says less."""

    @property
    def found_raw(self) -> str:
        """The raw table that its lines go to."""
        assert self.found is not None
        return self.found.source.raw

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
        raise filing.other_kind(desk.lake, simulated=True)
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


def read(desk: Desk, file: File) -> None:
    """Read a file and archive its bytes; its lines are not appended yet.

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
    lines = filing.judged(desk.lake, desk.reader.read(found.parser, data, task))
    desk.lake.archive.keep(data)
    file.data, file.lines = data, lines


def append(desk: Desk, files: list[File]) -> None:
    """Append the lines of files of one source to raw, in one commit."""
    full = [file for file in files if file.lines.height]
    for file in files:
        if not file.lines.height:  # nothing is left to be seen by a wave
            file.known |= dict.fromkeys(_FATES, 0)
    if not full:
        return
    taken = [(_papers(file), file.lines) for file in full]
    done = filing.append(desk.lake, desk.graph, desk.reader, taken)
    for file, each in zip(full, done, strict=True):
        assert file.found is not None
        file.known |= {
            "table": file.found.source.raw,
            "batch": each.batch,
            "lines": each.lines,
            "stored": each.stored,
            "duplicate": each.duplicate,
            "unreadable": file.lines["problem"].count(),
            "as_of": file.known["as_of"] or each.seen_at,
        }


def finish(desk: Desk, file: File) -> Receipt:
    """Write the receipt of a file whose lines are in raw, and let go of it."""
    told = file.receipt(end="archive", **_remarks(desk.lake, file, file.lines))
    receipts.write(file.path, told)
    _let_go(file, file.data)
    return told


def _papers(file: File) -> Papers:
    assert file.found is not None
    return Papers(
        file.found,
        shown(file.path.name),
        file.known["sha256"],
        file.known["as_of"],
        fetched=file.known["as_of_by"] == "fetched",
    )


def _remarks(lake: Lake, file: File, lines: pl.DataFrame) -> dict[str, str]:
    """Return what a person should know of a file that was taken."""
    assert file.found is not None
    source, key = file.found.parser.source, file.found.key
    entry = file.found.source
    named = bool(key) and entry.key != "part"
    if named and not is_registered(lake.registry, entry, key=key):
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
