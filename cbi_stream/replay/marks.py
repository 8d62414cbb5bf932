"""The mark of simulated data, put into an answer of any form.

It never touches a form that it does not know: such an answer has to carry the mark
already, or is refused. `doors/reading.py` finds the mark wherever this room puts it.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from typing import Final

from cbi_stream.replay.layouts import mark_line

_SIGN: Final = b"# SIMULATED"
_BOM: Final = b"\xef\xbb\xbf"
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK"
_DECLARED: Final = re.compile(rb"\s*<(?:\?xml|!doctype)[^>]*>", re.I)
_OPENING: Final = re.compile(rb"\s*(\{|\[\s*\{)\s*(\})?")
_NOTHING: Final = re.compile(rb"\s*\[\s*\]\s*")
_TEXT_FROM: Final = 9  # the lowest byte that stands in text: a tab


def marked(data: bytes, *, seed: int) -> bytes:
    """Return the data with a mark; as it is where it has one, or holds nothing.

    Raises:
        ValueError: there is no place for a mark in this form.
    """
    if _SIGN in data or not data or _NOTHING.fullmatch(data):
        return data
    line = mark_line(seed).encode()
    if data.startswith(_GZIP):
        return gzip.compress(marked(gzip.decompress(data), seed=seed), mtime=0)
    if data.startswith(_ZIP):
        return _zip(data, line)
    lead = _BOM if data.startswith(_BOM) else b""
    text = data.removeprefix(lead)
    if min(text[:512]) < _TEXT_FROM:
        msg = f"expected a form with a place for the mark; found {data[:8]!r}..."
        raise ValueError(msg)
    if text.lstrip()[:1] in (b"{", b"["):
        return lead + _json(text, line)
    if text.lstrip().startswith(b"<"):
        return lead + _page(text, line)
    return lead + line + b"\n" + text


def _json(text: bytes, line: bytes) -> bytes:
    opening = _OPENING.match(text)
    if opening is None:
        msg = (
            f"expected a JSON object, or a list of objects; found {text[:20]!r}...: its "
            "site puts a string that begins with # SIMULATED into it"
        )
        raise ValueError(msg)
    note = b'"note":' + json.dumps(line.decode()).encode()
    more = b"" if opening[2] else b","
    at = opening.end(1)
    return text[:at] + note + more + text[at:]


def _page(text: bytes, line: bytes) -> bytes:
    declared = _DECLARED.match(text)
    at = declared.end() if declared else 0
    return text[:at] + b"\n<!--\n" + line + b"\n-->\n" + text[at:]


def _zip(data: bytes, line: bytes) -> bytes:
    held = io.BytesIO(data)
    with zipfile.ZipFile(held, "a") as archive:
        # The mark begins a line, so that it is found without unpacking anything.
        archive.comment = b"\n" + line + b"\n"
    return held.getvalue()
