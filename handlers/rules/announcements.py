"""Whether an event was announced, by whom, and as what. None is made up from memory."""

from __future__ import annotations

import polars as pl

from cbi_stream import rule


@rule()
def not_announced(stamp: pl.Expr) -> pl.Expr:
    """The line says when it was announced."""
    return stamp.is_not_null()


@rule()
def future_announcement(
    stamp: pl.Expr, first_seen_at: pl.Expr, *, early_hours: int
) -> pl.Expr:
    """It was not announced after it was seen.

    An edition may be seen some hours before it counts as published.
    """
    early = pl.duration(hours=early_hours)
    return stamp.is_null() | (stamp <= first_seen_at + early)


@rule()
def no_kind(kind: pl.Expr) -> pl.Expr:
    """The line says what kind of event it is."""
    return kind.is_not_null()


@rule()
def uncited(citation: pl.Expr) -> pl.Expr:
    """The line says where it can be read up."""
    return citation.is_not_null()
