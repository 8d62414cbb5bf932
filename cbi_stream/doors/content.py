"""Says from its bytes what an answer is: a form, a web page, whole or cut.

The status and the content type of an answer decide nothing here: sources send web pages
with status 200, and JSON as text. It never asks anybody anything.
"""

from __future__ import annotations

import html
import re

from cbi_stream.engine.layouts import first_line
from cbi_stream.shapes.connector import Form, Want

BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n\x00"
_BEGINS: dict[Form, tuple[bytes, ...]] = {
    "json": (b"{", b"["),
    "zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "xlsx": (b"PK\x03\x04",),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",),
    "gzip": (b"\x1f\x8b",),
    "xml": (b"<",),
    "page": (b"<",),
}
_NO_TEXT = (
    b"<",
    b"{",
    b"%PDF-",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\xd0\xcf\x11\xe0",
    b"\x1f\x8b",
)
_END_OF_ZIP, _FARTHEST_END = b"PK\x05\x06", 22 + 65535
_PAGE = re.compile(
    rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|script)(?=[\s>/])",
    re.I | re.S,
)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.I | re.S)
_UNSEEN = re.compile(r"<(script|style)\b.*?(</\1>|$)|<!--.*?-->|<[^>]*>?", re.I | re.S)
_MOST_LOOKED_AT = 65536


def is_page(data: bytes, want: Want) -> bool:
    """Return whether bytes are a web page where something else was asked for."""
    start = _start(data)
    if want.expect == "page" or not start.startswith(b"<"):
        return False
    loose = want.expect != "xml" and not start.startswith(b"<?xml")
    return loose or _PAGE.match(start) is not None


def not_expected(data: bytes, want: Want) -> str | None:
    """Return what was found instead of the form that was asked for; None if it is it."""
    start = _start(data)
    if want.expect == "page":
        return None if start.startswith(b"<") else f"no page: {words(data)}"
    if is_page(data, want):
        return f"a web page: {words(data)}"
    if want.expect == "text":
        return _not_text(start, want.header)
    if start.startswith(_BEGINS[want.expect]):
        return None
    return f"bytes that begin otherwise: {words(data)}"


def is_cut(data: bytes, form: Form) -> str | None:
    """Return why an answer cannot be whole; None where nothing shows that."""
    end = data[-1024:].rstrip(_SPACE)
    if form == "json" and not end.endswith((b"}", b"]")):
        return "JSON that does not end in } or ]"
    if form == "xml" and not end.endswith(b">"):
        return "XML that does not end in >"
    if form in {"zip", "xlsx"} and _END_OF_ZIP not in data[-_FARTHEST_END:]:
        return "a zip without its end"
    return None


def words(data: bytes, most: int = 160) -> str:
    """Return what bytes say to a person: a page's title, or the first words."""
    text = data[:_MOST_LOOKED_AT].removeprefix(BOM).decode("utf-8", errors="replace")
    title = _TITLE.search(text)
    if title and title[1].strip():
        said = html.unescape(title[1])
    elif text.lstrip().startswith("<"):
        said = html.unescape(_UNSEEN.sub(" ", text)) or text
    else:
        said = text
    said = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    return repr(said if len(said) <= most else f"{said[:most]}...")


def _start(data: bytes) -> bytes:
    return data[:_MOST_LOOKED_AT].removeprefix(BOM).lstrip(_SPACE)


def _not_text(start: bytes, header: str | None) -> str | None:
    if start.startswith(_NO_TEXT):
        return f"no text with lines: {words(start)}"
    first = first_line(start)
    if header is not None and not re.match(header, first):
        return f"another first line than {header!r}: {words(first.encode())}"
    return None
