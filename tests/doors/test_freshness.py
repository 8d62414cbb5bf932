"""Whether the daemon's code is that of the disk, with a clock of the test.

The files that are edited here are copies, never the project's own.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from cbi_stream.doors import freshness
from cbi_stream.doors.freshness import LOOK_SECONDS, SETTLE_SECONDS, Freshness
from cbi_stream.engine.sources import Sources, digest_of
from tests.laws import worlds


class Copied:
    """A folder of code that is edited, and what the daemon thinks of it."""

    def __init__(self, folder, monkeypatch):
        self.file = folder / "a.py"
        self.file.write_text("A = 1\n")
        self.seconds = 0.0
        self.problem = ""
        self.tried = 0
        sources = Sources((folder,), digest_of((folder,)))
        graph = replace(worlds.discovered(), sources=sources)
        monkeypatch.setattr(freshness.loading, "problem", self._tries)
        self.fresh = Freshness(graph, clock=lambda: self.seconds)

    def _tries(self, graph):
        self.tried += 1
        return self.problem

    def edit(self, text):
        """Save other text, at a time of its own."""
        self.file.write_text(text)
        os.utime(self.file, ns=(0, int(self.seconds * 1e9) + len(text)))

    def after(self, seconds):
        """Look once more, so much later."""
        self.seconds += seconds
        return self.fresh.look()


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """Give a copy that was just loaded and looked at."""
    found = Copied(tmp_path, monkeypatch)
    assert [found.after(LOOK_SECONDS) for _ in range(2)] == ["same", "same"]
    return found


def test_an_edit_is_told_once_it_rests(copied):
    """While a file is being saved nothing is said; then it is tried, once."""
    copied.edit("A = 2\n")
    assert copied.after(LOOK_SECONDS) == "same"
    copied.edit("A = 22\n")
    assert copied.after(LOOK_SECONDS) == "same"
    assert copied.after(max(LOOK_SECONDS, SETTLE_SECONDS)) == "changed"
    assert copied.after(LOOK_SECONDS) == "changed"
    assert copied.tried == 1


def test_an_edit_that_is_taken_back_is_none(copied):
    """The bytes count, not the time of the file."""
    copied.edit("A = 2\n")
    copied.edit("A = 1\n")
    assert [copied.after(LOOK_SECONDS) for _ in range(3)] == ["same"] * 3
    assert copied.tried == 0


def test_what_cannot_be_loaded_is_told_until_it_can(copied):
    """Broken, with the reason; another edit is judged anew."""
    copied.problem = "SyntaxError: a.py"
    copied.edit("A = (\n")
    found = [copied.after(LOOK_SECONDS) for _ in range(3)]
    assert found == ["same", "broken", "broken"]
    assert copied.fresh.problem == "SyntaxError: a.py"
    assert copied.tried == 1
    copied.edit("A = 1\n")
    assert [copied.after(LOOK_SECONDS) for _ in range(2)] == ["broken", "same"]
    assert copied.fresh.problem == ""
