"""The mark of simulated data is found in text, in JSON and in a zip, and nowhere else.

A mark that is not found would let simulated bytes into a real lake.
"""

from __future__ import annotations

import io
import zipfile

import pytest

from cbi_stream.doors.reading import Task, is_simulated, reading_of
from cbi_stream.shapes.source import source


def _archive(comment: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.csv", "date,value\n")
        archive.comment = comment
    return held.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"# SIMULATED by somebody\ndate,value\n",
        b"\xef\xbb\xbf# SIMULATED\n",
        b"date,value\r\n  # SIMULATED\r\n",
        b'{"note":"# SIMULATED by somebody","a":1}',
        b'{"a": {"b": [1, 2]},\n "note" :\n\t"# SIMULATED"}',
        b'\xef\xbb\xbf[{"a":1,"note": "# SIMULATED"}]',
        b' [["# SIMULATED"],["1"]]',
        b'["a", "# SIMULATED"]',
        _archive(b"\n# SIMULATED by somebody\n"),
    ],
)
def test_a_mark_is_found(data):
    """As a line of text or of a zip's comment, or as a JSON string that begins so."""
    assert is_simulated(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"date,value\n2024-01-01,1 # SIMULATED\n",
        b'date,value\n2024-01-01,"# SIMULATED"\n',
        b'{"note":"this is not # SIMULATED"}',
        b'{"note":"they wrote: \\"# SIMULATED\\""}',
        b'{"note":"SIMULATED"}',
        b'{"note":"#SIMULATED"}',
        _archive(b"a comment, not # SIMULATED"),
    ],
)
def test_what_only_speaks_of_it_is_not_marked(data):
    """In the middle of a line, a cell or a string, or spelled otherwise, it is none."""
    assert not is_simulated(data)


def test_a_reading_says_that_json_is_simulated():
    """What the child tells the landing is told of JSON too, whatever the parser says."""

    @source("toy", headers=("{",), recognises=lambda _: True, form="json")
    def toy(data, key):
        raise AssertionError

    for data, simulated in (
        (b'{"note":"# SIMULATED"}', True),
        (b'{"note":"real"}', False),
    ):
        found = reading_of(toy, data, Task(None))
        assert found.simulated is simulated
        assert found.refusal
