"""Several versions of one observation: which lines stand, and in what order.

It compares content only after rounding, so that noise below the tick is no version.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

ORDER = ("as_of", "batch", "sha256", "line")
"""How versions of one observation follow each other."""
LINE = ("raw", "sha256", "batch", "line")
"""What names a stored line."""


def runs(
    rows: pl.DataFrame, *, key: Sequence[str], content: Sequence[str]
) -> pl.DataFrame:
    """Return the rows sorted by key and order, numbered by what they say.

    Args:
        rows: with the columns of ORDER.
        key: what names an observation.
        content: what a version says.

    Returns:
        All rows with `vintage`, 0 for the first version of its key, 1 for the next;
        `first`, whether the row is the first that says it; and `first_seen_at`, when
        this lake first saw a line that says the same, however late a line with an
        earlier `as_of` came.
    """
    ordered = rows.sort(*key, *ORDER)
    same_key = as_before(key)
    first = ~(same_key & as_before(content)) | (pl.int_range(pl.len()) == 0)
    # A repeat that arrives later, stated as seen earlier, must not move first_seen_at:
    # else the content of decades would differ for a file that says nothing new.
    return (
        ordered.with_columns(first=first)
        .with_columns(__run=pl.col("first").cum_sum())
        .with_columns(
            pl.col("first_seen_at").min().over("__run"),
            vintage=pl.col("first").cast(pl.Int64).cum_sum().over(list(key)) - 1,
        )
        .drop("__run")
    )


def as_before(names: Sequence[str]) -> pl.Expr:
    """Return the test for a row that says in these columns what the row before says."""
    return pl.all_horizontal([pl.col(n).eq_missing(pl.col(n).shift(1)) for n in names])
