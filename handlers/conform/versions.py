"""Several versions of one observation: which lines stand, and in what order.

It compares content only after rounding, so that noise below the tick is no version.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

ORDER = ("as_of", "batch", "sha256", "line")
"""How versions of one observation follow each other."""


def standing(raw: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the raw lines that no standing decision rejects.

    Of several decisions on one line the newest counts.
    """
    newest = decisions.sort("batch").unique(
        ["sha256", "line"], keep="last", maintain_order=True
    )
    rejected = newest.filter(pl.col("verdict") == "reject")
    return raw.join(rejected, on=["sha256", "line"], how="anti", maintain_order="left")


def distinct(
    rows: pl.DataFrame, *, key: Sequence[str], content: Sequence[str]
) -> pl.DataFrame:
    """Return the rows that say something else than the version before them.

    Args:
        rows: with the columns of ORDER.
        key: what names an observation.
        content: what a version says.

    Returns:
        The rows sorted by key and order, with `vintage`: 0 for the first version of
        its key, 1 for the next. `first_seen_at` is when this lake first saw a line
        that says the same, however late a line with an earlier `as_of` came.
    """
    ordered = rows.sort(*key, *ORDER)
    same_key = pl.all_horizontal(
        [pl.col(n).eq_missing(pl.col(n).shift(1)) for n in key]
    )
    same = pl.all_horizontal(
        [pl.col(n).eq_missing(pl.col(n).shift(1)) for n in content]
    )
    fresh = ~(same_key & same) | (pl.int_range(pl.len()) == 0)
    # A repeat that arrives later, stated as seen earlier, must not move this column:
    # else the content of decades would differ for a file that says nothing new.
    runs = ordered.with_columns(run=fresh.cum_sum()).with_columns(
        pl.col("first_seen_at").min().over("run")
    )
    return (
        runs.filter(fresh)
        .drop("run")
        .with_columns(vintage=pl.int_range(pl.len(), dtype=pl.Int64).over(list(key)))
    )
