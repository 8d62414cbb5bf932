"""A registry file that does not fit names file, line, expectation and finding."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from cbi_stream.registry.model import Entry, read
from cbi_stream.words.errors import BadRegistry


class _Inner(Entry):
    days: int = Field(gt=0)


class _File(Entry):
    name: str
    inner: dict[str, _Inner] = {}


def _read(tmp_path: Path, text: str) -> _File:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return read(path, _File)


def test_a_fitting_file_is_its_model(tmp_path: Path) -> None:
    """What is written stands in the model."""
    found = _read(tmp_path, "name: NO\ninner:\n  1w: {days: 7}\n")
    assert found.content == _File(name="NO", inner={"1w": _Inner(days=7)})


def test_a_model_is_frozen() -> None:
    """Nobody changes the registry while it is used."""
    entry = _Inner(days=1)
    with pytest.raises(ValidationError, match="frozen"):
        entry.days = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "name: a\nnmae: b\n",
            r"file\.yaml:2: nmae: this key is not known here.*'b'",
        ),
        ("\n\ninner: {}\n", r"file\.yaml:3: name: this key is missing"),
        ("name: 5\n", r"file\.yaml:1: name: .*string.*found 5"),
        (
            "name: a\ninner:\n  1w:\n    days: -3\n",
            r"file\.yaml:4: inner\.1w\.days: .*greater than 0.*found -3",
        ),
        (
            "name: a\ninner:\n  1w:\n    days: 1\n    dyas: 2\n",
            r"file\.yaml:5: inner\.1w\.dyas: this key is not known",
        ),
        ("- a\n- b\n", r"file\.yaml:1: the file: "),
    ],
)
def test_a_message_names_line_and_finding(
    tmp_path: Path, text: str, message: str
) -> None:
    """The line to open is in the message, and what stands there."""
    with pytest.raises(BadRegistry, match=message):
        _read(tmp_path, text)


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    """A person mends a file in one go, not one mistake per try."""
    with pytest.raises(BadRegistry) as caught:
        _read(tmp_path, "nmae: b\ninner:\n  1w: {days: 0}\n")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[1] for line in sorted(lines)] == ["1", "1", "3"]
