"""Each trap in a file of another form ends in one place, read in the limited child.

The process that takes files in unpacks nothing itself, and the next file is read.
"""

from __future__ import annotations

import re
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.landing import Hint
from cbi_stream.doors.readers import Child
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from tests.doors.traps import JSON, TRAPS, Trap

SUBJECTS = ("fred", "psd", "tpu", "wasde")
MOST_MB = 250
"""A trap may make this process so much larger: the file itself, and what is said of it."""


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no disk."""
    monkeypatch.setattr(durable, "sync", lambda _: None)


@pytest.fixture(scope="module")
def road(graph: Graph) -> Graph:
    """Return what lies between the landing and staging of these sources."""
    nodes = tuple(node for node in graph.nodes if node.table.split(".")[1] in SUBJECTS)
    return replace(graph, nodes=nodes, effects=())


@pytest.fixture(scope="module")
def reader(graph: Graph) -> Iterator[Child]:
    """Return one child for all of them."""
    with Child(graph) as found:
        yield found


@pytest.mark.parametrize("trap", TRAPS, ids=[f"{t[0]} {t[1]}" for t in TRAPS])
def test_a_trap_ends_in_one_place(
    trap: Trap, lake: Lake, road: Graph, reader: Child, tmp_path: Path
) -> None:
    """It is told with its reason and a mend, and takes little memory of this process."""
    _, _, name, make, end, said, rows = trap
    made = make()
    data = made if isinstance(made, bytes) else made.encode()
    (tmp_path / name).write_bytes(data)
    landing.drop(lake, tmp_path / name, Hint())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = landing.take_in(lake, road, reader=reader)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    run_wave(lake, road, probing="off")
    (receipt,) = landing.complete(lake, road, told)
    assert receipt.end == end, receipt
    reason = (receipt.reason or "").replace("\n", " ")
    assert re.search(said, reason) if said else not reason, receipt
    assert receipt.mend or not reason
    counts = [
        lake.table(f"staging.{subject}").head()[1].partitions.values()
        for subject in SUBJECTS
    ]
    assert sum(part.rows for each in counts for part in each) == rows
    assert grown < MOST_MB
    assert not list(tmp_path.parent.rglob("*evil*"))


def test_after_all_of_them_the_reader_reads(
    lake: Lake, road: Graph, reader: Child, tmp_path: Path
) -> None:
    """Whatever ended a child, the next file has one."""
    (tmp_path / "VIXCLS.json").write_text(JSON)
    landing.drop(lake, tmp_path / "VIXCLS.json", Hint())
    (receipt,) = landing.take_in(lake, road, reader=reader)
    assert (receipt.end, receipt.lines) == ("archive", 3)
