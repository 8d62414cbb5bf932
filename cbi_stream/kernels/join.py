"""Joins that keep their promise: one row at most per key, no row more or less.

It moves values and never computes or fills one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import polars as pl

from cbi_stream.words.errors import BrokenContract

_SHOWN = 5


def once(rows: pl.DataFrame, key: Sequence[str], *, name: str) -> pl.DataFrame:
    """Return the rows, having seen that no two agree in `key`.

    Args:
        rows: the right side of a join.
        key: the columns that tell its rows apart.
        name: of the join, for the message.

    Raises:
        BrokenContract: some do; the message names the first of them.
    """
    if not rows.select(pl.struct(key).is_duplicated().any()).item():
        return rows
    counts = rows.group_by(key).len().filter(pl.col("len") > 1).sort(key)
    said = ", ".join(
        " ".join(str(cell) for cell in row)
        for row in counts.select(key).rows()[:_SHOWN]
    )
    msg = (
        f"join {name}: expected one row per {' '.join(key)} on the right; found several "
        f"for {counts.height} of them: {said}. Join on all columns that tell the rows "
        "apart, or choose one of them before"
    )
    raise BrokenContract(msg)


def beside(
    left: pl.DataFrame,
    right: pl.DataFrame,
    *,
    on: str,
    name: str,
    how: Literal["left", "inner"] = "left",
) -> pl.DataFrame:
    """Return the left rows in their order with the right columns beside them.

    Args:
        left: the grid and what was joined before.
        right: at most one row per value of `on`.
        on: the column that both have.
        name: of the join, for messages.
        how: left keeps every row; inner drops those that meet none.

    Raises:
        BrokenContract: a key stands twice on the right, a column on both sides, or the
            rows are not those that they were.
    """
    once(right, (on,), name=name)
    both = sorted({*left.columns} & {*right.columns} - {on})
    if both:
        msg = f"join {name}: expected columns of its own; {both} stand on both sides"
        raise BrokenContract(msg)
    out = left.join(right, on=on, how=how, maintain_order="left")
    kept = out.height == left.height if how == "left" else out.height <= left.height
    if not kept:
        msg = f"join {name}: expected {left.height} rows as before; found {out.height}"
        raise BrokenContract(msg)
    return out
