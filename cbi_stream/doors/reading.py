"""The bytes of one file to lines: unpacked within bounds, then parsed.

It runs in the reader's child, or in this process for tests. It opens no file.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field

import polars as pl

from cbi_stream.shapes.source import Parser
from cbi_stream.words.errors import BadInput

MOST_BYTES = 512 * 1024 * 1024
MOST_TIMES = 200
_FREE_BYTES = 1 << 20
_STEP_BYTES = 1 << 20
_BITE_BYTES = 8
_MARK = re.compile(rb"(?:\A|[\r\n])(?:\xef\xbb\xbf)?[ \t]*# SIMULATED")
# A quotation mark inside a JSON string stands behind a backslash, so what is found here
# begins a string of its own.
_JSON_MARK = re.compile(rb'[:\[,]\s*"# SIMULATED')
_JSON_OPENS = re.compile(rb"(?:\xef\xbb\xbf)?\s*[{\[]")
_GZIP_WINDOW = 31
CUT_SHORT = "may be cut short: the last line has no line end"


@dataclass(frozen=True, slots=True)
class Task:
    """What to do with the bytes of a file."""

    key: str | None
    """Its symbol or series; None where each line names its own."""
    gzipped: bool = False
    final_newline: bool = False
    """Whether a whole text file of this source ends its last line."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds, or why it holds nothing."""

    lines: pl.DataFrame = field(default_factory=pl.DataFrame)
    simulated: bool = False
    """Whether it bears the mark of simulated data."""
    cut: str | None = None
    """Why it may not be whole."""
    refusal: str | None = None
    """Why it cannot be read as a whole."""


class _Cut(Exception):
    """A gzip ends before its end."""


def is_simulated(data: bytes) -> bool:
    """Return whether a line of the text is the mark of simulated data.

    Of JSON: or whether a string in it begins with the mark. A zip bears it as a line of
    its comment, which is not compressed.
    """
    if _MARK.search(data) is not None:
        return True
    return bool(_JSON_OPENS.match(data) and _JSON_MARK.search(data))


def unpacked_head(data: bytes, most: int) -> bytes:
    """Return at most so many bytes of the beginning of a gzip, up to where it breaks."""
    try:
        return zlib.decompressobj(_GZIP_WINDOW).decompress(data, most)
    except zlib.error:
        pass
    # What comes before the break can be seen when it is taken in small bites.
    member, parts = zlib.decompressobj(_GZIP_WINDOW), bytearray()
    try:
        for start in range(0, len(data), _BITE_BYTES):
            parts += member.decompress(data[start : start + _BITE_BYTES])
            if len(parts) >= most:
                break
    except zlib.error:
        pass
    return bytes(parts[:most])


def reading_of(parser: Parser, data: bytes, task: Task) -> Reading:
    """Return what a file holds. Whatever is wrong with it is told, not raised."""
    try:
        if task.gzipped:
            data = _unpacked(data)
    except _Cut:
        return Reading(cut="may be cut short: the gzip has no end")
    except (BadInput, zlib.error) as error:
        return Reading(refusal=str(error))
    simulated = is_simulated(data)
    # Only lines can end too early unseen: of JSON the last bracket is missing.
    lines_end = task.final_newline and parser.form == "text"
    if lines_end and data[-1:] not in (b"\n", b"\r"):
        return Reading(simulated=simulated, cut=CUT_SHORT)
    try:
        lines = parser.parse(data, task.key)
    except BadInput as error:
        return Reading(simulated=simulated, refusal=str(error))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a polars panic is no Exception
        why = f"the parser of {parser.source} failed: {type(error).__name__}: {error}"
        return Reading(simulated=simulated, refusal=why)
    return Reading(lines, simulated)


def _unpacked(data: bytes) -> bytes:
    """Return what a gzip holds, all of its members.

    Raises:
        _Cut: it ends before its end.
        BadInput: it holds more than a table does.
        zlib.error: it is broken.
    """
    parts: list[bytes] = []
    size, most = 0, min(MOST_BYTES, max(_FREE_BYTES, MOST_TIMES * len(data)))
    while data.rstrip(b"\x00"):
        member = zlib.decompressobj(_GZIP_WINDOW)
        while not member.eof:
            part = member.decompress(data, _STEP_BYTES)
            data = member.unconsumed_tail
            if not part and not data and not member.eof:
                raise _Cut
            parts.append(part)
            size += len(part)
            if size > most:
                msg = (
                    f"expected at most {most} bytes inside the gzip; found more: a file "
                    "of lines does not shrink so much"
                )
                raise BadInput(msg)
        data = member.unused_data
    return b"".join(parts)
