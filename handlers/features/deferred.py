"""The front month beside the deferred one of the same future. It reads no single contract.

Both are continuous series: the front is the contract that stops trading next, and the
deferred one, as its prices show, the next listed after it. Both step on the session
after a last trade, so their months are known on each session; they are never taken for
one series.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Spec
from cbi_stream import kernels as k
from handlers.features.delivery import contracts, years_around

_OTHERS = {"soybeans": "ZS", "meal": "ZM", "corn": "ZC"}
"""Futures with the same rules for first notice and last trade as the target."""
_MONTH = 20


def deferred(days: pl.DataFrame, closes: pl.DataFrame, spec: Spec) -> pl.DataFrame:
    """Return the spreads of the deferred months, a row for each of the sessions.

    deferred_spread is log(deferred / front) of the target, deferred_carry that per month
    between the two delivery months; its change over 20 sessions may be of other months,
    and stands per month for that. The others are carries of their own futures.

    Args:
        days: the sessions, without holes.
        closes: of all symbols, above 0.
        spec: with settings and universe.
    """
    spreads = {
        name: _spread(days, closes, symbol)
        for name, symbol in (("target", spec.settings.target), *_OTHERS.items())
    }
    years = years_around(days["date"], ahead=2)
    carries = {
        name: spreads[name] / _months(days, contracts(spec, symbol, years))
        for name, symbol in (("target", spec.settings.target), *_OTHERS.items())
    }
    out = pl.DataFrame({"deferred_carry": carries["target"]})
    change = pl.col("deferred_carry") - k.lag("deferred_carry", _MONTH)
    return out.select(
        "deferred_carry",
        deferred_spread=spreads["target"],
        deferred_carry_change_20=change,
        **{f"{name}_deferred_carry": carries[name] for name in _OTHERS},
    )


def _spread(days: pl.DataFrame, closes: pl.DataFrame, symbol: str) -> pl.Series:
    """Return log(deferred / front) by session; null where either is missing."""
    out = days
    for name, wanted in (("front", symbol), ("behind", f"{symbol}_DEFERRED")):
        price = closes.filter(pl.col("symbol") == wanted).select(
            "date", pl.col("close").alias(name)
        )
        out = out.join(price, on="date", how="left", maintain_order="left")
    return out.select(pl.col("behind").log() - pl.col("front").log()).to_series()


def _months(days: pl.DataFrame, traded: pl.DataFrame) -> pl.Series:
    """Return by session the months from the front contract to the next listed one."""
    ordered = traded.sort("last_trade").select(
        "last_trade", gap=pl.col("month").shift(-1) - pl.col("month")
    )
    front = days.join_asof(
        ordered, left_on="date", right_on="last_trade", strategy="forward"
    )
    return front["gap"].cast(pl.Float64)
