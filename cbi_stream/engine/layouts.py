"""Which of the parsers reads a file: by the form of its first bytes, then by its head.

It looks at bytes alone, never at what a file is called, unless the form says nothing
about what is inside. It parses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cbi_stream.shapes.connector import Form
from cbi_stream.shapes.source import Parser

HEAD_BYTES = 64 * 1024
_MARK = b"\xef\xbb\xbf"
_PAGE = re.compile(rb"\s*(<!doctype html|<html|<head|<body|<script|<meta|<!--)", re.I)
_NAME_AT, _NAME_LENGTH_AT = 30, 26
_BOOK = ("[Content_Types].xml", "_rels/", "docProps/", "xl/")


def form_of(head: bytes) -> Form:
    """Return what the first bytes of a file or an answer say that it is."""
    if head.startswith(b"PK"):
        return "xlsx" if first_member(head).startswith(_BOOK) else "zip"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "xls"
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    text = head.removeprefix(_MARK).lstrip()
    if text[:1] in (b"{", b"["):
        return "json"
    if text[:1] == b"<":
        return "page" if _PAGE.match(text) else "xml"
    return "text"


def first_member(head: bytes) -> str:
    """Return the name of the first member of a zip archive; empty where none."""
    length = int.from_bytes(head[_NAME_LENGTH_AT:_NAME_AT][:2], "little")
    return head[_NAME_AT : _NAME_AT + length].decode("utf-8", errors="replace")


def first_line(head: bytes) -> str:
    """Return the first line that is neither blank nor a remark."""
    text = _decoded(head)
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if line.strip() and not line.strip().startswith("#"):
            return line
    return ""


def _decoded(head: bytes) -> str:
    """Return text in UTF-8; where it is none, in GB18030, which keeps what is ASCII."""
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The end of the head may cut a character in two: that is no other encoding.
        is_cut = error.start > len(head) - 4
        return head.decode("utf-8-sig" if is_cut else "gb18030", errors="replace")


def shown_to(form: Form, head: bytes, *, name: str) -> str:
    """Return what a parser of this form looks at: see `shapes.source.Parser`."""
    if form == "text":
        return first_line(head)
    if form == "zip":
        return first_member(head)
    if form in ("xlsx", "xls"):
        return name
    return head[:HEAD_BYTES].decode("utf-8-sig", errors="replace")


def layouts_of(parsers: Iterable[Parser], head: bytes, *, name: str) -> list[Parser]:
    """Return the parsers that say that such a file is theirs.

    Args:
        parsers: those to choose from.
        head: the first bytes of the file, unpacked where it is a gzip.
        name: its name, without `.gz` and `_asof_<time>`.
    """
    form = form_of(head)
    shown = shown_to(form, head, name=name)
    return [p for p in parsers if p.form == form and p.recognises(shown)]
