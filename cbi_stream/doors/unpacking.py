"""Unpacks the transfer's own compression as it comes, and stops at a limit.

A few kilobytes can unpack to gigabytes, so no more is unpacked than may be kept. It
never guesses: a compression that was not asked for is an error.
"""

from __future__ import annotations

import zlib

_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS}


class TooLarge(Exception):
    """There is more than may be kept."""


class Unreadable(Exception):
    """The bytes are not packed as their header says."""


class Unpacked:
    """The bytes of one answer, as far as they came."""

    def __init__(self, packing: str, most: int) -> None:
        self.data = bytearray()
        self._most = most
        self._window = _WINDOWS.get(packing)
        self._member: zlib._Decompress | None = None
        self._came = 0
        if packing not in {"", "identity", *_WINDOWS}:
            msg = f"expected bytes packed by gzip, or not packed; found {packing!r}"
            raise Unreadable(msg)

    def add(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            TooLarge: they are too many, packed or unpacked.
            Unreadable: they cannot be unpacked.
        """
        self._came += len(chunk)
        if self._came > self._most:
            raise TooLarge
        if self._window is None:
            self.data += chunk
            return
        while chunk:
            chunk = self._unpack(chunk, self._window)

    def is_cut(self) -> bool:
        """Return whether packed bytes end before their own end."""
        return self._member is not None and not self._member.eof

    def _unpack(self, chunk: bytes, window: int) -> bytes:
        """Unpack one member, and return what stands behind its end."""
        if self._member is None or self._member.eof:
            self._member = zlib.decompressobj(window)
        room = self._most - len(self.data)
        try:
            self.data += self._member.decompress(chunk, room + 1)
        except zlib.error as error:
            msg = f"expected bytes packed by gzip; {error}"
            raise Unreadable(msg) from None
        if len(self.data) > self._most:
            raise TooLarge
        return self._member.unused_data
