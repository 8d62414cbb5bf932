"""Nobody works with another's code: what a process loaded is held against the disk.

The files that are edited here are copies, never the project's own.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from cbi_stream.doors.readers import Child
from cbi_stream.doors.reading import Task
from cbi_stream.engine import fingerprint, loading, probe
from cbi_stream.engine.graph import discover
from cbi_stream.engine.sources import on_disk
from cbi_stream.engine.worker import Worker
from cbi_stream.registry import loader
from cbi_stream.words.errors import CodeChanged
from handlers.ingest.fred import fred
from tests.laws import worlds

GRAPH = worlds.discovered()
OTHER = replace(GRAPH, sources=replace(GRAPH.sources, digest="0" * 64))
"""What a process holds whose files were edited after it had loaded them."""

HANDLER = '''"""One handler of a copy."""
from cbi_stream import days, handler


@handler(reads={"staging.prices": days()}, writes="labels.forward")
def forward(prices):
    """Return nothing of interest: it is never run."""
    return prices.head(0)
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a graph whose only handler stands in a file that may be edited."""
    folder = tmp_path / "copied_handlers"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""A copy."""\n')
    (folder / "labels.py").write_text(HANDLER)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("cbi_stream.engine.graph._every_input_is_written", _anything)
    monkeypatch.setattr("cbi_stream.engine.gating.every_gate_is_known", _anything)
    monkeypatch.setattr("cbi_stream.engine.binding.every_rule_fits", _anything)
    yield folder
    for name in [n for n in sys.modules if n.startswith("copied_handlers")]:
        del sys.modules[name]


def _anything(*_):
    """Let a handler read what no other handler of the copy writes, and no gate judge."""


def _loaded():
    return discover(loader.load(GRAPH.registry.folder), "copied_handlers")


def test_a_file_that_is_edited_does_not_move_what_is_loaded(package):
    """The old code runs on, so its fingerprint stays: else it would sign as the new."""
    graph = _loaded()
    before = fingerprint.of_node(graph, graph.nodes[0])
    (package / "labels.py").write_text(HANDLER.replace("head(0)", "head(1)"))
    assert fingerprint.of_node(graph, graph.nodes[0]) == before
    for name in [n for n in sys.modules if n.startswith("copied_handlers")]:
        del sys.modules[name]
    anew = _loaded()
    assert fingerprint.of_node(anew, anew.nodes[0]) != before


def test_no_fingerprint_is_taken_of_a_file_that_was_edited_since(package):
    """Edited between being loaded and its first fingerprint: nobody knows what it was."""
    graph = _loaded()
    (package / "labels.py").write_text(HANDLER.replace("head(0)", "head(1)"))
    with pytest.raises(CodeChanged, match="copied_handlers"):
        fingerprint.of_node(graph, graph.nodes[0])


def test_what_counts_as_a_source(package):
    """Code and registry count, also a new file; an editor's copies do not."""
    before = on_disk(package, GRAPH.registry.folder)
    (package / ".labels.py.swp").write_text("x")
    (package / "labels.py~").write_text("x")
    (package / "__pycache__").mkdir(exist_ok=True)
    (package / "__pycache__" / "labels.cpython-311.pyc").write_text("x")
    assert on_disk(package, GRAPH.registry.folder) == before
    (package / "new.py").write_text('"""New."""\n')
    assert on_disk(package, GRAPH.registry.folder).digest != before.digest
    names = {name.rpartition("/")[2] for name in before.stamps()}
    assert {"labels.py", "horizons.yaml", "sources.py", "moments.py"} <= names


def test_a_worker_of_other_code_works_for_nobody(tmp_path):
    """It says what it has loaded before its first job; the parent sends none."""
    lake = worlds.toy_world().lake
    with Worker() as worker, pytest.raises(CodeChanged, match="start it again"):
        list(worker.outcomes(lake, OTHER, [None]))
    assert worker._process is None


def test_a_probe_in_other_code_is_no_verdict(tmp_path):
    """Its child says so, instead of calling the handler unsteady."""
    with pytest.raises(CodeChanged):
        probe._digests_of_child(OTHER, ["labels.forward"])
    found = probe._digests_of_child(GRAPH, ["labels.forward"])
    assert found["labels.forward"]


def test_a_reader_of_other_code_reads_for_nobody():
    """The file stays where it is: its lines would be signed with the wrong parser."""
    data = b"observation_date,VIXCLS\n2024-05-01,15.39\n"
    with Child(GRAPH) as reader:
        assert reader.read(fred, data, Task("VIXCLS")).lines.height == 1
    with Child(OTHER) as reader:
        with pytest.raises(CodeChanged):
            reader.read(fred, data, Task("VIXCLS"))
        assert reader._process is None


def test_a_reader_that_cannot_load_refuses_no_file(monkeypatch):
    """Broken code is no fault of the file: it is not called unreadable."""
    monkeypatch.setattr("cbi_stream.doors.readers._SERVE", "raise SyntaxError")
    with Child(GRAPH) as reader, pytest.raises(CodeChanged, match="cbi doctor"):
        reader.read(fred, b"observation_date,VIXCLS\n", Task("VIXCLS"))


def test_another_process_says_whether_it_loads(package, monkeypatch):
    """What is on the disk is tried elsewhere; a broken file is named."""
    assert loading.problem(GRAPH) == ""
    broken = replace(GRAPH, package="copied_handlers")
    (package / "labels.py").write_text("def forward(:\n")
    assert "labels.py" in loading.problem(broken)
