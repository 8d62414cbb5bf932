"""Whether a cell is a number at all. Nothing is guessed of one that is none."""

from __future__ import annotations

import polars as pl

from cbi_stream import rule


@rule(firm=True)
def not_a_number(numbers: pl.Expr) -> pl.Expr:
    """Every cell of the line is a number, or a word for none."""
    return numbers


@rule(firm=True)
def infinite(cell: pl.Expr) -> pl.Expr:
    """The cell is finite; an empty one is."""
    return cell.is_null() | cell.is_finite()
