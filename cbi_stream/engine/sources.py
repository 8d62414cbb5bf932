"""What a process was loaded from: the files of code and registry, and their bytes.

A process that stays holds code and registry in memory. Once a file of them changes, the
memory and the disk are two things: a child that is started later would load the other.
So whoever computes says what it was loaded from, and two that differ never work on one
wave. Nothing is loaded here, and nothing is loaded anew.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cbi_stream.words.errors import CodeChanged

Stamps = dict[str, tuple[int, int]]
"""By file: when it was written, in nanoseconds, and its size in bytes."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The folders of code and registry, and the sha256 of what was loaded from them."""

    folders: tuple[Path, ...]
    digest: str

    def stamps(self) -> Stamps:
        """Return times and sizes as they are on the disk now: a cheap first look."""
        found = {}
        for path in _files(self.folders):
            seen = path.stat()
            found[str(path)] = (seen.st_mtime_ns, seen.st_size)
        return found

    def check(self, other: str | None = None) -> None:
        """Hold what was loaded against the disk, or against what another process loaded.

        Raises:
            CodeChanged: they differ.
        """
        if (digest_of(self.folders) if other is None else other) != self.digest:
            where = ", ".join(folder.name for folder in self.folders)
            msg = (
                f"expected the code and registry that this process loaded; files in "
                f"{where} have changed since. Nothing was computed with a mixture of "
                "both; start it again"
            )
            raise CodeChanged(msg)


def on_disk(*folders: Path) -> Sources:
    """Return the sources as they are on the disk now."""
    own = Path(__file__).resolve().parents[1]
    every = tuple(dict.fromkeys((own, *(folder.resolve() for folder in folders))))
    return Sources(every, digest_of(every))


def digest_of(folders: tuple[Path, ...]) -> str:
    """Return one sha256 over the names and bytes of all files."""
    found = hashlib.sha256()
    for path in _files(folders):
        data = path.read_bytes()
        found.update(f"{path}\0{len(data)}\0".encode())
        found.update(data)
    return found.hexdigest()


def _files(folders: tuple[Path, ...]) -> list[Path]:
    """Return what is loaded: code, and whatever stands in a folder without code.

    Hidden files and an editor's copies (`name~`) are nobody's source.
    """
    found = []
    for folder in folders:
        every = [p for p in folder.rglob("*") if "__pycache__" not in p.parts]
        code = [path for path in every if path.suffix == ".py"]
        found += code or [path for path in every if path.is_file()]
    return sorted(p for p in found if not p.name.startswith(".") and p.name[-1] != "~")
