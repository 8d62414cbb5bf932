"""A lake built again from its archive: every file parsed anew, then one wave.

It takes from the old lake what the appends noted and the bytes that were kept, and
nothing else; it never changes that lake.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from bench.figures import timed
from bench.lakes import checked
from cbi_stream.doors.readers import Reader
from cbi_stream.doors.reading import Task, unpacked_head
from cbi_stream.doors.stated import taken_apart
from cbi_stream.engine import fingerprint
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.layouts import HEAD_BYTES, layouts_of
from cbi_stream.engine.wave import run_wave
from cbi_stream.kernels.release import released_at
from cbi_stream.lake import log
from cbi_stream.lake.arrivals import Arrival
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.lines import append_lines
from cbi_stream.words import clock

_GZIP = ".gz"


@dataclass(frozen=True, slots=True)
class Kept:
    """One append of the old lake."""

    raw: str
    batch: int
    note: dict[str, Any]
    """What its commit says of the file."""

    @property
    def seen_at(self) -> datetime:
        """When the old lake first saw its lines."""
        return datetime.fromisoformat(self.note["first_seen_at"])


def kept(lake: Lake, graph: Graph) -> list[Kept]:
    """Return every append of a file, in the order in which they came."""
    found: dict[tuple[str, int], Kept] = {}
    for source in graph.parsers:
        raw = lake.registry.data_sources.sources[source].raw
        folder = lake.table(raw).folder
        newest = log.newest_version(folder)
        for version in range(0 if newest is None else newest + 1):
            there = log.map_at(folder, version)
            for note in there.note.get("files", ()):
                if note["again"]:
                    msg = f"{raw}: expected files in the order in which they were seen"
                    raise RuntimeError(msg)
                # A compaction repeats its batch and its note.
                seen = {"first_seen_at": there.note["first_seen_at"]}
                each = Kept(raw, note["batch"], {**note, **seen})
                found.setdefault((raw, note["batch"]), each)
    return sorted(found.values(), key=lambda each: (each.seen_at, each.raw, each.batch))


def from_archive(
    lake: Lake, graph: Graph, appends: Sequence[Kept], folder: Path, reader: Reader
) -> tuple[float, dict[str, str]]:
    """Return the seconds from archived bytes to published tables and exports.

    Args:
        lake: the lake whose archive is read.
        graph: its handlers.
        appends: which files, in order.
        folder: an empty one for the other lake; it is removed.
        reader: who parses the files.

    Returns:
        The seconds, and the root of every derived table of the other lake.
    """
    other = Lake.create(folder, lake.registry, kind="simulated")

    def work() -> None:
        for each in appends:
            _appended(
                other, graph, each, lake.archive.read(each.note["sha256"]), reader
            )
        checked(run_wave(other, graph, probing="off"), quiet=False)

    try:
        return timed(work), roots(other, graph)
    finally:
        shutil.rmtree(folder)


def roots(lake: Lake, graph: Graph) -> dict[str, str]:
    """Return the hash of the content of each derived table."""
    return {node.table: lake.table(node.table).head()[1].root for node in graph.nodes}


def _appended(
    lake: Lake, graph: Graph, each: Kept, data: bytes, reader: Reader
) -> None:
    """Parse one file and append its lines, as the landing does."""
    note = each.note
    named = taken_apart(note["name"])
    head = unpacked_head(data, HEAD_BYTES) if named.gzipped else data[:HEAD_BYTES]
    (parser,) = layouts_of(graph.parsers[note["source"]], head, name=named.plain)
    source = lake.registry.data_sources.sources[note["source"]]
    task = Task(note["key"] or None, note["name"].endswith(_GZIP), source.final_newline)
    reading = reader.read(parser, data, task)
    if reading.cut or reading.refusal:
        msg = f"{note['name']}: expected lines; found {reading}"
        raise RuntimeError(msg)
    rules = [source.release_of(note["key"]), source.volume_release]
    arrival = Arrival(
        source=note["source"],
        key=note["key"],
        name=note["name"],
        sha256=note["sha256"],
        parser=fingerprint.of_parser(graph, parser.parse),
        as_of=note["as_of"] and datetime.fromisoformat(note["as_of"]),
    )
    # What the old lake saw first, this one sees at the same time: else no table that
    # says when a line was seen could have the same content.
    with clock.held_at(each.seen_at):
        append_lines(
            lake.table(each.raw),
            reading.lines,
            arrival,
            work=lake.work,
            released=[
                released_at(pl.col("date"), **rule.terms(lake.registry.closures))
                for rule in rules
                if rule is not None and source.changes == "correction"
            ],
        )
