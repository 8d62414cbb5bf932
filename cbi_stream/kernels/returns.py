"""Lags and returns, as expressions over a frame that holds one row per session.

They never look ahead and never fill: a missing price leaves its return missing
(`pct_change` fills forward, so its answer depends on how far back the frame goes).
"""

from __future__ import annotations

import polars as pl


def lag(column: str | pl.Expr, sessions: int) -> pl.Expr:
    """Return the value `sessions` rows earlier; null before the first row.

    Raises:
        ValueError: `sessions` is below 1, which would look at today or ahead.
    """
    if sessions < 1:
        msg = f"lag({column}): {sessions} sessions back, expected 1 or more"
        raise ValueError(msg)
    return _expression(column).shift(sessions)


def simple_return(column: str | pl.Expr, sessions: int = 1) -> pl.Expr:
    """Return x / x[sessions earlier] - 1, unitless; null where the earlier x is 0.

    Raises:
        ValueError: `sessions` is below 1.
    """
    now, then = _expression(column), lag(column, sessions)
    return pl.when(then != 0).then(now / then - 1.0).otherwise(None)


def log_return(column: str | pl.Expr, sessions: int = 1) -> pl.Expr:
    """Return log(x / x[sessions earlier]), unitless; null unless both are above 0.

    Raises:
        ValueError: `sessions` is below 1.
    """
    now, then = _expression(column), lag(column, sessions)
    return pl.when((now > 0) & (then > 0)).then((now / then).log()).otherwise(None)


def _expression(column: str | pl.Expr) -> pl.Expr:
    return pl.col(column) if isinstance(column, str) else column
