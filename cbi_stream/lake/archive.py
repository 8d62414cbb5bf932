"""Keeps the original bytes of everything that was taken in, named by their hash.

The root of all truth here: raw is what a parser makes of these bytes. It never
changes and never deletes a file.
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from cbi_stream.lake import durable
from cbi_stream.words.errors import DamagedLake

_GZIP = b"\x1f\x8b"


class Archive:
    """A folder of files named by the sha256 of their bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, data: bytes) -> str:
        """Store bytes durably and return their sha256. Known bytes are not rewritten."""
        sha256 = _sha256(data)
        path = self._path(sha256)
        # Bytes that were damaged on the disk are mended when they come again.
        if not path.exists() or _sha256(path.read_bytes()) != sha256:
            durable.write(path, data)
        return sha256

    def holds(self, sha256: str) -> bool:
        """Return whether bytes of this hash were kept."""
        return self._path(sha256).exists()

    def read(self, sha256: str) -> bytes:
        """Return the bytes with this hash.

        Raises:
            DamagedLake: they are missing, or are other bytes now.
        """
        path = self._path(sha256)
        try:
            data = path.read_bytes()
        except OSError as error:
            msg = f"{path}: expected an archived file; {error}"
            raise DamagedLake(msg) from error
        if _sha256(data) != sha256:
            msg = f"{path}: its bytes are not those that were archived"
            raise DamagedLake(msg)
        return data

    def read_plain(self, sha256: str) -> bytes:
        """Return the bytes with this hash, unpacked where they are a gzip.

        They were unpacked within limits before they were archived.

        Raises:
            DamagedLake: they are missing, or are other bytes now.
        """
        data = self.read(sha256)
        return gzip.decompress(data) if data.startswith(_GZIP) else data

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
