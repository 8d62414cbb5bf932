"""Correlation over the rows in which both columns have a value. It judges nothing.

Values that are not finite are none, and a pair of which one side never moves has no
correlation: null, never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from handlers.gates.findings import value

Pair = tuple[str, str]


def plain(rows: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """Return columns as floats in which NaN and infinity are no value."""
    return rows.select(**{name: value(name) for name in names})


def ranked(rows: pl.DataFrame, pairs: Iterable[Pair]) -> dict[Pair, tuple[float, int]]:
    """Return by pair Spearman's correlation and the rows behind it, where it has one.

    Each side is ranked over the rows that the pair has in common.
    """
    found = {}
    for one, other in pairs:
        shared = rows.select(x=pl.col(one), y=pl.col(other)).drop_nulls()
        if shared.height > 2:
            rank = shared.select(pl.corr(pl.col("x").rank(), pl.col("y").rank()))
            found[one, other] = (rank.item(), shared.height)
    return _finite(found)


def straight(
    rows: pl.DataFrame, pairs: Iterable[Pair]
) -> dict[Pair, tuple[float, int]]:
    """Return by pair Pearson's correlation and the rows behind it, where it has one."""
    asked = list(pairs)
    if not asked:
        return {}
    counted: list[pl.Expr] = []
    for i, (one, other) in enumerate(asked):
        x, y = pl.col(one), pl.col(other)
        both = x.is_not_null() & y.is_not_null()
        counted += [
            pl.corr(pl.when(both).then(x), pl.when(both).then(y)).alias(f"r{i}"),
            both.sum().alias(f"n{i}"),
        ]
    row = rows.select(counted).row(0, named=True)
    return _finite({p: (row[f"r{i}"], row[f"n{i}"]) for i, p in enumerate(asked)})


def _finite(
    found: Mapping[Pair, tuple[float | None, int]],
) -> dict[Pair, tuple[float, int]]:
    """Leave out pairs without a correlation: NaN is not below any limit."""
    return {
        pair: (r, n) for pair, (r, n) in found.items() if r is not None and -2 < r < 2
    }
