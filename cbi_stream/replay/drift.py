"""An answer whose schema has changed overnight: renamed, retyped, reordered.

It never changes what is not JSON, CSV or a workbook, and never leaves data as it was
without saying so: a change that finds nothing to change raises. Of a zip archive the
first member is changed, of JSON lines each.

Without a name, the fields are those of the answer's rows: of JSON the longest list of
objects, the deepest where several are as long; of CSV, and of JSON that is a list of
lists, the header's columns.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from cbi_stream.replay import drift_books
from cbi_stream.replay.sites import Reply

Rows = list[list[str]]
_SUFFIX: Final = "_renamed"
_LINES: Final = re.compile(r'\s*\{.*\}\n\s*\{"')


def renamed(reply: Reply, *, old: str = "", new: str = "") -> Reply:
    """Return the reply with one field renamed; without a name the last of the rows."""

    def in_json(content: Any) -> Any:
        if _is_table(content):
            head, *rest = content
            name = old or head[-1]
            return [[(new or n + _SUFFIX) if n == name else n for n in head], *rest]
        name = old or _last_field(content)
        return _with_keys(content, lambda key: new or key + _SUFFIX, only=name)

    def in_csv(rows: Rows) -> Rows:
        name = old or rows[0][-1]
        changed = [
            (new or cell + _SUFFIX) if cell == name else cell for cell in rows[0]
        ]
        return [changed, *rows[1:]]

    return _changed(reply, in_json, in_csv)


def retyped(reply: Reply, *, name: str = "") -> Reply:
    """Return the reply with numbers as strings; where it has none, the reverse.

    In CSV numbers get a decimal comma. With a name only that field changes.
    """

    def in_json(content: Any) -> Any:
        numbers = any(_is_number(value) for value in _values(content, name))
        return _with_values(content, _to_text if numbers else _to_number, only=name)

    def in_csv(rows: Rows) -> Rows:
        at = [i for i, cell in enumerate(rows[0]) if not name or cell == name]
        return [rows[0], *(_with_commas(row, at) for row in rows[1:])]

    return _changed(reply, in_json, in_csv)


def reordered(reply: Reply) -> Reply:
    """Return the reply with the fields of each object or row in reverse order."""

    def in_csv(rows: Rows) -> Rows:
        width = len(rows[0])
        return [row[::-1] if len(row) == width else row for row in rows]

    def in_json(content: Any) -> Any:
        if _is_table(content):
            return [row[::-1] if isinstance(row, list) else row for row in content]
        return _backwards(content)

    return _changed(reply, in_json, in_csv)


def _is_table(content: Any) -> bool:
    """Return whether JSON is a list of lists, the first of which is the header."""
    return isinstance(content, list) and bool(content) and isinstance(content[0], list)


def _changed(
    reply: Reply, in_json: Callable[[Any], Any], in_csv: Callable[[Rows], Rows]
) -> Reply:
    if drift_books.is_book(reply.data):
        return replace(reply, data=drift_books.changed(reply.data, in_csv))
    if reply.data.startswith(b"PK"):
        return _in_archive(reply, in_json, in_csv)
    text = reply.data.decode()
    if _LINES.match(text):
        lines = [line for line in text.split("\n") if line]
        each = [replace(reply, data=line.encode()) for line in lines]
        new = [_changed(line, in_json, in_csv).data for line in each]
        return replace(reply, data=b"\n".join([*new, b""]))
    if text.lstrip()[:1] in ("{", "["):
        after = json.dumps(
            in_json(json.loads(text)), separators=(",", ":"), ensure_ascii=False
        )
        same = json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)
    else:
        head = "".join(_comments(text))
        same = text.removeprefix(head)
        rows = list(csv.reader(io.StringIO(same)))
        if not rows or same.lstrip().startswith("<"):
            msg = f"expected JSON or CSV, to change its schema; found {text[:40]!r}"
            raise ValueError(msg)
        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerows(in_csv(rows))
        after, same = head + written.getvalue(), text
    if after == same:
        msg = f"expected something to change in the schema of {text[:40]!r}...; found none"
        raise ValueError(msg)
    return replace(reply, data=after.encode())


def _in_archive(
    reply: Reply, in_json: Callable[[Any], Any], in_csv: Callable[[Rows], Rows]
) -> Reply:
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(reply.data)) as packed:
        first, *others = packed.infolist()
        text = replace(reply, data=packed.read(first))
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as written:
            written.writestr(first, _changed(text, in_json, in_csv).data)
            for other in others:
                written.writestr(other, packed.read(other))
            written.comment = packed.comment
    return replace(reply, data=held.getvalue())


def _comments(text: str) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        if not line.startswith("#"):
            return
        yield line


def _lists(content: Any, depth: int = 0) -> Iterator[tuple[int, int, list[Any]]]:
    """Yield (length, depth, list) of each list of objects."""
    if isinstance(content, list):
        if content and all(isinstance(each, dict) and each for each in content):
            yield len(content), depth, content
        parts = content
    else:
        parts = list(content.values()) if isinstance(content, dict) else []
    for part in parts:
        yield from _lists(part, depth + 1)


def _last_field(content: Any) -> str:
    found = list(_lists(content))
    if found:
        rows = max(found, key=lambda one: one[:2])[2]
        return str(list(rows[0])[-1])
    if isinstance(content, dict) and content:
        return str(list(content)[-1])
    msg = f"expected an object or a list of objects; found {str(content)[:40]!r}"
    raise ValueError(msg)


def _with_keys(content: Any, change: Callable[[str], str], *, only: str) -> Any:
    if isinstance(content, dict):
        return {
            (change(key) if key == only else key): _with_keys(value, change, only=only)
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [_with_keys(each, change, only=only) for each in content]
    return content


def _with_values(content: Any, change: Callable[[Any], Any], *, only: str) -> Any:
    if isinstance(content, dict):
        return {
            key: _with_values(value, change, only="" if key == only else only)
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [_with_values(each, change, only=only) for each in content]
    return content if only else change(content)


def _values(content: Any, only: str) -> Iterator[Any]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _values(value, "" if key == only else only)
    elif isinstance(content, list):
        for each in content:
            yield from _values(each, only)
    elif not only:
        yield content


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _to_text(value: Any) -> Any:
    return json.dumps(value) if _is_number(value) else value


def _to_number(value: Any) -> Any:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value  # a word stays a word


def _with_commas(row: list[str], at: list[int]) -> list[str]:
    return [
        cell.replace(".", ",") if i in at and _reads_as_number(cell) else cell
        for i, cell in enumerate(row)
    ]


def _reads_as_number(cell: str) -> bool:
    return isinstance(_to_number(cell), float)


def _backwards(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _backwards(content[key]) for key in reversed(content)}
    if isinstance(content, list):
        return [_backwards(each) for each in content]
    return content
