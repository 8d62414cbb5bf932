"""Flips single bits of stored Parquet files, and says what a reader then sees.

It works on copies of a lake only, and it looks for its bits in a fixed order, so that
every run damages the same place.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

Row = dict[str, object]


def files_of(folder: Path) -> list[Path]:
    """Return the Parquet files of a partition's folder."""
    return sorted(folder.glob("*.parquet"))


def flip(path: Path, offset: int) -> None:
    """Flip the lowest bit of one byte of a file."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(bytes(data))


def decoded(data: bytes) -> pl.DataFrame | None:
    """Return the rows that a Parquet reader finds, or None where it finds none."""
    try:
        return pl.read_parquet(io.BytesIO(data))
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - a panic of the reader is no Exception
        return None


def readable_flip(
    path: Path, fits: Callable[[pl.DataFrame, pl.DataFrame], bool]
) -> tuple[int, pl.DataFrame, pl.DataFrame]:
    """Find a bit whose flip the reader does not notice.

    The search starts in the middle of the file, among the pages: near the front of a
    page a flip can make the reader ask for more memory than there is.

    Args:
        path: the file; it is not changed.
        fits: whether the rows before and after are what the test needs.

    Returns:
        The offset, the rows before and the rows after the flip.
    """
    data = path.read_bytes()
    before = decoded(data)
    assert before is not None
    for offset in range(len(data) // 2, len(data)):
        damaged = bytearray(data)
        damaged[offset] ^= 1
        after = decoded(bytes(damaged))
        if after is not None and after.schema == before.schema and fits(before, after):
            return offset, before, after
    msg = f"{path}: no flip is readable"
    raise AssertionError(msg)


def first_cell(
    before: pl.DataFrame, after: pl.DataFrame, *, key: Sequence[str]
) -> tuple[Row, str, object, object] | None:
    """Return key, column and both values of the first cell that differs.

    Rows by key, then columns in their order: a plain walk, unlike the product's join.
    """
    pairs = zip(
        before.sort(key).iter_rows(named=True),
        after.sort(key).iter_rows(named=True),
        strict=True,
    )
    for old, new in pairs:
        for column in before.columns:
            if old[column] != new[column]:
                return (
                    {name: old[name] for name in key},
                    column,
                    old[column],
                    new[column],
                )
    return None


def same_keys(before: pl.DataFrame, after: pl.DataFrame, key: Sequence[str]) -> bool:
    """Return whether both have the same rows by key, in any order."""
    return before.select(key).sort(key).equals(after.select(key).sort(key))
