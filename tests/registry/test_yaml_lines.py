"""YAML says what is written: no word becomes something else by surprise."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cbi_stream.registry import yaml_lines
from cbi_stream.words.errors import BadRegistry


def _load(tmp_path: Path, text: str) -> tuple[Any, yaml_lines.Lines]:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return yaml_lines.load(path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("On", "On"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("12:30", "12:30"),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1e5", "1e5"),
        (".5", ".5"),
        ("7", 7),
        ("-7", -7),
        ("0", 0),
        ("0.25", 0.25),
        ("-0.5", -0.5),
        ("2024-02-29", date(2024, 2, 29)),
        ("2024-2-9", "2024-2-9"),
        ("2024-02-29 12:00", "2024-02-29 12:00"),
        ("null", None),
        ("~", None),
        ("", None),
        ("Null", "Null"),
        ('"0.01"', "0.01"),
        ('"2024-02-29"', "2024-02-29"),
        ("=", "="),
    ],
)
def test_a_word_means_what_it_says(tmp_path: Path, written: str, meant: object) -> None:
    """Only true, false, decimal numbers, ISO dates and null are more than text."""
    content, _ = _load(tmp_path, f"key: {written}\n")
    assert content == {"key": meant}
    assert type(content["key"]) is type(meant)


def test_every_entry_knows_its_line(tmp_path: Path) -> None:
    """Lines count from 1 and follow maps and lists, remarks included."""
    text = "# remark\na: 1\nb:\n  c: 2\n  d:\n    - x\n    - y: 3\n"
    _, lines = _load(tmp_path, text)
    assert lines["a",] == 2
    assert lines["b", "c"] == 4
    assert lines["b", "d", 0] == 6
    assert lines["b", "d", 1, "y"] == 7


@pytest.mark.parametrize(
    ("text", "second", "first"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1),
        ('"a": 1\na: 3\n', 2, 1),
        ("x:\n  a: 1\n  b: 1\n  a: 1\n", 4, 2),
    ],
)
def test_a_second_key_is_an_error_with_both_lines(
    tmp_path: Path, text: str, second: int, first: int
) -> None:
    """Plain YAML would let the second key win without a word."""
    with pytest.raises(
        BadRegistry, match=rf"file\.yaml:{second}: .*'a'.*first on line {first}"
    ):
        _load(tmp_path, text)


def test_the_same_key_may_stand_in_two_maps(tmp_path: Path) -> None:
    """Only a repeat within one map is an error."""
    content, _ = _load(tmp_path, "x: {a: 1}\ny: {a: 2}\n")
    assert content == {"x": {"a": 1}, "y": {"a": 2}}


def test_an_empty_file_is_an_empty_map(tmp_path: Path) -> None:
    """A file of remarks alone has no entries, and no lines."""
    assert _load(tmp_path, "# nothing yet\n") == ({}, {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The message says which file was expected."""
    with pytest.raises(BadRegistry, match=r"nowhere\.yaml; it does not exist"):
        yaml_lines.load(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "a: [1, 2\n",
        "a: b: c\n",
        "a: !!python/object/apply:os.system [echo]\n",
        "a: !unknown 1\n",
        "a: &x [*x]\n",
        "? [a, b]\n: 1\n",
        "first: 2024-02-30\n",
        "first: 2024-13-01\n",
    ],
)
def test_what_is_no_plain_yaml_is_refused_by_name(tmp_path: Path, text: str) -> None:
    """A broken file is a named error of the registry, never a traceback of a library."""
    with pytest.raises(BadRegistry, match=r"file\.yaml"):
        _load(tmp_path, text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A file in another encoding is named."""
    (tmp_path / "file.yaml").write_bytes(b"a: \xff\xfe\n")
    with pytest.raises(BadRegistry, match=r"file\.yaml: expected YAML"):
        yaml_lines.load(tmp_path / "file.yaml")
