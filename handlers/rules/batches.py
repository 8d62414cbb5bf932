"""Whether what one file brings of a series was observed. No row of it is judged alone.

A batch is what one file says of a series in one month (bars) or quarter; with fewer than
`least` rows nothing is said of it.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from cbi_stream import rule


@rule(phase="batch")
def placeholder_share(cell: pl.Expr, *, most: float, least: int) -> pl.Expr:
    """No single value makes up more than `most` of the batch, unless all are the same."""
    n = cell.count()
    share = cell.drop_nulls().unique_counts().max().fill_null(0) / n
    return (n < least) | (cell.n_unique() <= 1) | (share <= most)


@rule(phase="batch")
def constant_batch(cell: pl.Expr, *, least: int) -> pl.Expr:
    """The batch holds more than one value."""
    return (cell.count() < least) | (cell.drop_nulls().n_unique() > 1)


def _said(*, limit: float, times: int, **_: Any) -> str:
    return (
        f"jumps of more than {limit:.0%} are undone at once, {times} times or more: are "
        "these two series under one name?"
    )


def _is_calm(cell: pl.Expr, *, limit: float, least: int) -> pl.Expr:
    """No two values are far enough apart for a jump; a hair less, for its rounding."""
    low, high = cell.min(), cell.max()
    return (cell.count() < least) | ((low > 0) & (high <= low * (1.0 + 0.99 * limit)))


@rule(phase="batch", says=_said, unless=_is_calm)
def two_levels(
    cell: pl.Expr, date: pl.Expr, *, limit: float, times: int, least: int
) -> pl.Expr:
    """Fewer than `times` jumps are undone by the next change.

    A market that fell stays down or climbs back; two series under one name go to and
    fro between two levels.
    """
    value = cell.sort_by(date)
    up, down = value / value.shift(1), value.shift(-1) / value
    far = pl.max_horizontal(up, 1.0 / up) > limit + 1.0
    undone = pl.max_horizontal(up * down, 1.0 / (up * down)) <= limit / 4.0 + 1.0
    both = (far & undone & (value > 0)).fill_null(value=False)
    return (cell.count() < least) | (both.sum() < times)
