"""Whether a file says one thing of a key. It never guesses which of two is meant."""

from __future__ import annotations

import polars as pl

from cbi_stream import rule


@rule()
def contradicted(unlike: pl.Expr) -> pl.Expr:
    """The file does not name the key twice with other cells."""
    return ~unlike
