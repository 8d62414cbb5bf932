"""Walks a folder and opens what stands in it, file by file, Delta tables as one.

It never follows a link, never leaves the folder, and never writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.audit import opening
from cbi_stream.audit.opening import Read, Unreadable
from cbi_stream.lake import foreign
from cbi_stream.words.errors import BadInput, WrongUsage

_TABLES = (".parquet", ".pq", ".csv", ".tsv", ".txt")
_LOG = "_delta_log"


@dataclass(frozen=True, slots=True)
class Item:
    """One file, or one Delta table, of what is looked at."""

    name: str
    """Its path from the folder that was named."""
    path: Path
    refused: str = ""
    """Why it is not opened at all."""

    @property
    def is_delta(self) -> bool:
        """Whether it is a folder with a Delta log."""
        return not self.refused and self.path.is_dir()


def found_in(path: Path) -> list[Item]:
    """Return everything that stands under a path, by name; a file stands for itself.

    Raises:
        WrongUsage: nothing is there.
    """
    if not path.exists():
        msg = f"expected a file or a folder to look at; found nothing at {path}"
        raise WrongUsage(msg)
    if not path.is_dir():
        return [_item(path, path.name)]
    if (path / _LOG).is_dir():
        return [Item(path.name, path)]
    return sorted(_walk(path, ""), key=lambda each: each.name)


def _walk(folder: Path, above: str) -> Iterator[Item]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield Item(above.rstrip("/"), folder, f"cannot be listed: {error.strerror}")
        return
    for entry in entries:
        name, path = above + entry.name, Path(entry.path)
        if not entry.is_symlink() and entry.is_dir(follow_symlinks=False):
            if (path / _LOG).is_dir():
                yield Item(name, path)
            else:
                yield from _walk(path, f"{name}/")
        else:
            yield _item(path, name)


def _item(path: Path, name: str) -> Item:
    if path.is_symlink():
        return Item(name, path, "a link: it is not followed")
    if not path.is_file():
        return Item(name, path, "no regular file")
    if not path.name.lower().removesuffix(".gz").endswith(_TABLES):
        ending = "".join(path.suffixes[-2:]) or "no ending"
        why = f"neither Parquet, CSV nor Delta ({ending}): it was not looked into"
        return Item(name, path, why)
    return Item(name, path)


def read(item: Item) -> Read:
    """Return the rows of an item.

    Raises:
        Unreadable: it cannot be looked into; the message says why.
    """
    if item.refused:
        raise Unreadable(item.refused)
    return _delta(item.path) if item.is_delta else opening.opened(item.path)


def _delta(folder: Path) -> Read:
    try:
        files = foreign.data_files(folder)
    except BadInput as error:
        raise Unreadable(str(error).splitlines()[0]) from None
    total = sum(path.stat().st_size for path, _ in files if path.is_file())
    if total > opening.MOST_BYTES:
        msg = f"{total:,} bytes; at most {opening.MOST_BYTES:,} are looked at"
        raise Unreadable(msg)
    frames = [_with_values(opening.opened(path).frame, of) for path, of in files]
    if not frames:
        return Read(pl.DataFrame(), "delta", ("it has no rows",))
    return Read(pl.concat(frames, how="diagonal_relaxed"), "delta")


def _with_values(frame: pl.DataFrame, values: dict[str, Any]) -> pl.DataFrame:
    """Add the columns that a Delta table keeps in its log instead of its files."""
    missing = [name for name in values if name not in frame.columns]
    return frame.with_columns(pl.lit(values[name]).alias(name) for name in missing)
