"""Lines that were read are appended to raw, those of many files in one commit.

It is the one way into a raw table of lines, for files that a person handed in and for
answers of a source. It never opens a file and writes no receipt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import polars as pl

from cbi_stream.doors import later, reading
from cbi_stream.doors.journal import Journals
from cbi_stream.doors.readers import Reader
from cbi_stream.doors.reading import Reading, Task
from cbi_stream.doors.receipts import Refused, Waits
from cbi_stream.doors.recognise import Recognised
from cbi_stream.doors.stated import taken_apart
from cbi_stream.engine import fingerprint
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.layouts import HEAD_BYTES, layouts_of
from cbi_stream.kernels.release import possible_from, released_at
from cbi_stream.lake.arrivals import Arrival
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.lines import Appended, Filed, append_files

_CUT_MEND = "copy it again, or add a line end to its last line"


@dataclass(frozen=True, slots=True)
class Papers:
    """What is known of a file whose lines are to be appended."""

    found: Recognised
    name: str
    sha256: str
    as_of: datetime | None
    fetched: bool = False


def other_kind(lake: Lake, *, simulated: bool) -> Refused:
    """Return the refusal of bytes of the other kind."""
    what = "simulated" if simulated else "real"
    msg = f"{what} bytes cannot enter a {lake.kind} lake: the two never meet"
    flag = " --simulated" if simulated else ""
    return Refused(msg, f"make a lake for them: cbi init{flag} --lake DIR")


def judged(lake: Lake, found: Reading) -> pl.DataFrame:
    """Return the lines of a file that may be taken.

    Raises:
        Refused: it is of another kind than the lake, or cannot be read.
        Waits: it may not be whole.
    """
    if found.simulated and lake.kind == "real":
        raise other_kind(lake, simulated=True)
    if found.cut is not None:
        raise Waits(found.cut, _CUT_MEND)
    if found.refusal is not None:
        raise Refused(
            found.refusal, "download it again, or mend it, and hand it in anew"
        )
    # An answer that holds nothing need not say of what kind its nothing is.
    if not found.simulated and lake.kind == "simulated" and found.lines.height:
        raise other_kind(lake, simulated=False)
    return found.lines


def append(
    lake: Lake,
    graph: Graph,
    reader: Reader,
    taken: Sequence[tuple[Papers, pl.DataFrame]],
) -> list[Appended]:
    """Append the lines of files of one source to its raw table, in one commit.

    Where a file was seen before others that came earlier, those are held against it
    again.

    Args:
        lake: the lake.
        graph: its parsers.
        reader: reads archived files once more, where that is needed.
        taken: the files in the order in which they were seen, with their lines.
    """
    files = [_filed(lake, graph, papers, lines) for papers, lines in taken]
    table = lake.table(taken[0][0].found.source.raw)
    done = append_files(table, files, work=lake.work)
    for (papers, lines), file in zip(taken, files, strict=True):
        if papers.as_of is not None:
            later.hold_against(
                lake,
                table.contract.table,
                key=papers.found.key,
                as_of=papers.as_of,
                days=lines["date"],
                read=partial(_read_again, graph, reader, papers.found),
                released=list(file.released),
                answers=[] if papers.fetched else _answered(lake, papers, file.arrival),
            )
    return done


def _filed(lake: Lake, graph: Graph, papers: Papers, lines: pl.DataFrame) -> Filed:
    source, key = papers.found.source, papers.found.key
    arrival = Arrival(
        source=papers.found.parser.source,
        key=key,
        name=papers.name,
        sha256=papers.sha256,
        parser=fingerprint.of_parser(graph, papers.found.parser.parse),
        as_of=papers.as_of,
        fetched=papers.fetched,
    )
    # The same value seen after its release is no duplicate of what was unfinished, and
    # none of one that nobody could have seen.
    rules = [source.release_of(key), source.volume_release]
    released = [possible_from(pl.col("date"), zone=source.zone)] + [
        released_at(pl.col("date"), **rule.terms(lake.registry.closures))
        for rule in rules
        if rule is not None and source.changes == "correction"
    ]
    return Filed(lines, arrival, tuple(released))


def _answered(lake: Lake, papers: Papers, late: Arrival) -> list[Arrival]:
    """Return what the source of a file that comes late answered after it was seen."""
    assert papers.as_of is not None
    return [
        Arrival(
            source=late.source,
            key=late.key,
            name=each.name,
            sha256=each.sha256 or "",
            parser=late.parser,
            as_of=each.at,
            fetched=True,
        )
        for each in Journals(lake).answered_after(late.source, papers.as_of)
        if each.series == late.key and lake.archive.holds(each.sha256 or "")
    ]


def _read_again(
    graph: Graph, reader: Reader, found: Recognised, arrival: Arrival, data: bytes
) -> pl.DataFrame:
    """Return the lines of a file that was taken before.

    Raises:
        Waits: it cannot be read now: the late file is taken when it can.
    """
    named = taken_apart(arrival.name)
    head = reading.unpacked_head(data, HEAD_BYTES) if named.gzipped else data
    parsers = graph.parsers[found.parser.source]
    fitting = layouts_of(parsers, head[:HEAD_BYTES], name=named.plain)
    task = Task(found.key or None, named.gzipped)
    again = reader.read((fitting or [found.parser])[0], data, task)
    if again.refusal is not None or again.cut is not None:
        why = again.refusal or again.cut
        msg = f"{arrival.name}, which was taken before, cannot be read again: {why}"
        raise Waits(msg, "it is tried again at the next run")
    return again.lines
