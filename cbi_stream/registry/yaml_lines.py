"""YAML with line numbers and without surprises. It never executes a tag.

Plain YAML turns `NO` into false, `12:30` into 750, `010` into 8, and lets a second
key silently win over the first. Here only true/false, decimal numbers and ISO dates
are more than text, and a repeated key is an error with its line.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from cbi_stream.words.errors import BadRegistry

Lines = dict[tuple[str | int, ...], int]


class _Plain(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that resolves fewer words than YAML 1.1 does.

    The one in C, where there is one, is ten times as fast: the sources are a long file.
    """


_Plain.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"^[-+]?[0-9]+\.[0-9]+$", "-+0123456789"),
    ("tag:yaml.org,2002:timestamp", r"^\d{4}-\d\d-\d\d$", "0123456789"),
    ("tag:yaml.org,2002:null", r"^(?:null|~|)$", ["n", "~", ""]),
):
    _Plain.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


def load(path: Path) -> tuple[Any, Lines]:
    """Return the content of a YAML file and the line of each of its entries.

    Returns:
        The plain Python value, and {path of keys: line number from 1}.

    Raises:
        BadRegistry: the file is missing, is no YAML, or repeats a key.
    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Plain)
    except FileNotFoundError:
        msg = f"expected the registry file {path}; it does not exist"
        raise BadRegistry(msg) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"{path}: expected YAML; {error}"
        raise BadRegistry(msg) from error
    lines: Lines = {}
    if node is None:
        return {}, lines
    _note_lines(node, (), lines, path)
    return _Plain("").construct_document(node), lines


_DEEPEST = 12
_TAGS = ("bool", "int", "float", "timestamp", "null", "str", "seq", "map")


def _only_plain(node: yaml.Node, path: Path) -> None:
    """Refuse tags, keys that are no text, and dates that no calendar has."""
    line = node.start_mark.line + 1
    if node.tag.removeprefix("tag:yaml.org,2002:") not in _TAGS:
        msg = f"{path}:{line}: expected plain values; found the tag {node.tag}"
        raise BadRegistry(msg)
    if isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                msg = f"{path}:{line}: expected keys of text; found a list or a map"
                raise BadRegistry(msg)
    if node.tag.endswith(":timestamp"):
        try:
            date.fromisoformat(node.value)
        except ValueError as error:
            msg = f"{path}:{line}: expected a day of the calendar; found {node.value}: {error}"
            raise BadRegistry(msg) from None


def _note_lines(
    node: yaml.Node, where: tuple[str | int, ...], lines: Lines, path: Path
) -> None:
    lines.setdefault(where, node.start_mark.line + 1)
    _only_plain(node, path)
    if len(where) > _DEEPEST:
        msg = f"{path}:{node.start_mark.line + 1}: expected at most {_DEEPEST} levels"
        raise BadRegistry(msg)
    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            _note_lines(item, (*where, i), lines, path)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*where, key.value)
            line = key.start_mark.line + 1
            if inner in lines:
                msg = (
                    f"{path}:{line}: the key {key.value!r} stands here a second time "
                    f"(first on line {lines[inner]}): keep one of them"
                )
                raise BadRegistry(msg)
            lines[inner] = line
            _note_lines(value, inner, lines, path)
