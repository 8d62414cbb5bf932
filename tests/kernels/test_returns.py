"""Lags and returns: what they give at the edges, at gaps and at prices of zero.

That they look back no further than they say is a law and tested there.
"""

from __future__ import annotations

import math

import polars as pl
import pytest

from cbi_stream import kernels as k

PRICES = pl.DataFrame({"x": [10.0, 11.0, None, 12.0, 0.0, -4.0, -5.0]})


def test_a_lag_is_the_row_before() -> None:
    """A lag moves values down and leaves the first rows null."""
    made = PRICES.select(k.lag("x", 2))["x"].to_list()
    assert made == [None, None, 10.0, 11.0, None, 12.0, 0.0]


def test_a_missing_price_is_not_filled() -> None:
    """Both returns next to a gap are null; nothing is carried forward."""
    made = PRICES.select(r=k.simple_return("x"))["r"].to_list()
    assert made[:4] == [None, 11.0 / 10.0 - 1.0, None, None]


def test_a_price_of_zero_or_less() -> None:
    """No return is infinite or NaN: it is null where it does not exist."""
    simple = PRICES.select(r=k.simple_return("x"))["r"].to_list()
    assert simple[4:] == [-1.0, None, 0.25]
    log = PRICES.select(r=k.log_return("x"))["r"].to_list()
    assert log[4:] == [None, None, None]
    assert log[1] == math.log(11.0 / 10.0)


def test_returns_over_several_sessions_and_of_expressions() -> None:
    """A return may reach back further, and may be of an expression."""
    made = PRICES.select(
        far=k.simple_return("x", 3), scaled=k.simple_return(pl.col("x") * 2.0, 3)
    )
    assert made["far"].to_list() == made["scaled"].to_list()
    assert made["far"][3] == 12.0 / 10.0 - 1.0


@pytest.mark.parametrize("sessions", [0, -1])
def test_looking_ahead_is_refused(sessions: int) -> None:
    """A lag of no sessions, or of fewer, would be today or the future."""
    for word in (k.lag, k.simple_return, k.log_return):
        with pytest.raises(ValueError, match="expected 1 or more"):
            word("x", sessions)
