"""Adds rolling columns to a frame: the one place where kernels meet their data.

It never reads a row outside a kernel's window, never leaves a column that was not
asked for, and never lets one request change the bits of another.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from cbi_stream.kernels.formulas import FORMULAS
from cbi_stream.kernels.grove import Grove, Presence
from cbi_stream.kernels.kernel import Kernel

_NULL = pl.Series([None], dtype=pl.Float64)


def roll(frame: pl.DataFrame, kernels: Mapping[str, Kernel]) -> pl.DataFrame:
    """Return the frame with one Float64 column more per kernel, in the order given.

    The value at row t is a pure function of the kernel and of rows t - window + 1
    to t: bit for bit the same whatever stands before them, however the frame is
    chunked, and whichever other kernels are asked for in the same call. Before the
    first row there are no values.

    Nulls are skipped. NaN and infinities are not data and must not come in: what a
    window that holds one gives is not specified, beyond its being window-pure.

    Args:
        frame: One entity, one row per session, sorted by session.
        kernels: The new column's name, and what it holds.

    Raises:
        ValueError: A column is missing or not Float64, or a name is taken.
    """
    schema = frame.schema  # read once: it is built anew each time
    for name, kernel in kernels.items():
        _check(schema, name, kernel)
    presence = Presence(frame)
    made: dict[str, pl.Series] = {}
    for columns in dict.fromkeys(kernel.columns for kernel in kernels.values()):
        asked = _over(columns, kernels)
        timed = any(kernel.name == "slope" for _, kernel in asked)
        counts = presence.counts(columns)
        grove = Grove(frame, columns, counts=counts, timed=timed)
        for name, kernel in asked:
            made[name] = _column(grove, presence, name, kernel)
    return frame.hstack([made[name] for name in kernels])


def _over(
    columns: tuple[str, ...], kernels: Mapping[str, Kernel]
) -> list[tuple[str, Kernel]]:
    """Return the kernels of these columns, shortest window first.

    The order is for speed alone: ranks count on from the next shorter window.
    """
    asked = [item for item in kernels.items() if item[1].columns == columns]
    return sorted(asked, key=lambda item: item[1].window)


def _check(schema: pl.Schema, name: str, kernel: Kernel) -> None:
    if name in schema:
        msg = f"{name} = {kernel}: the frame has a column {name!r} already"
        raise ValueError(msg)
    for column in kernel.columns:
        if column not in schema:
            msg = (
                f"{name} = {kernel}: no column {column!r};"
                f" the frame has {', '.join(schema)}"
            )
            raise ValueError(msg)
        if schema[column] != pl.Float64:
            msg = f"{name} = {kernel}: {column!r} is {schema[column]}, expected Float64"
            raise ValueError(msg)


def _column(grove: Grove, presence: Presence, name: str, kernel: Kernel) -> pl.Series:
    with np.errstate(all="ignore"):
        answer = FORMULAS[kernel.name](grove, kernel)
    counts = grove.counts()
    if answer.defined is None:
        known = presence.known(counts, kernel)
    else:
        enough = counts.held(kernel.window) >= kernel.min_count
        known = pl.Series(enough & answer.defined)
    return pl.Series(name, answer.values).zip_with(known, _NULL)
