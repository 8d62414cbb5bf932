"""Where the close stands in the range of the last sessions. It never mends a bar.

Highs and lows are those of sound bars (`bars`), so nothing has a value before
`ranges_from` of settings.yaml. The close may be of a session whose bar does not count,
as long as it lies in the range.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from cbi_stream import kernels as k
from handlers.features.bars import sound_bars, typical_prices

_CCI = 20
_PER_DEVIATION = 0.015
"""Lambert, Commodity Channel Index (Commodities, 1980): most values within 100."""

_ROLLED = {
    "highest_14": k.max("high", 14, min_count=11),
    "lowest_14": k.min("low", 14, min_count=11),
    "highest_20": k.max("high", 20, min_count=15),
    "lowest_20": k.min("low", 20, min_count=15),
    "middle": k.mean("typical", _CCI, min_count=15),
}
_SLOW = {"stochastic_k_14": k.mean("fast", 3)}
_SLOWER = {"stochastic_d_14": k.mean("stochastic_k_14", 3)}


def oscillators(panel: pl.DataFrame, *, first: date) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    stochastic_k_14 and stochastic_d_14 (Lane, 1984): the position in the range of 14
    sessions, in percent, as the mean of 3 sessions; and its mean of 3. williams_r_14
    (Williams, 1973) is the same position of one session less 100. donchian_position_20
    is 0 at the low of 20 sessions and 1 at their high.

    cci_20: typical price less its mean, over 0.015 times the mean absolute distance to
    that mean; null where nothing moved.

    Args:
        panel: with date, open, high, low and close.
        first: the first session whose highs and lows can be trusted.
    """
    ranged = sound_bars(panel, first).select(
        "high", "low", typical=typical_prices(panel, first), close=panel["close"]
    )
    rolled = k.roll(ranged, _ROLLED).select(
        fast=_position(14) * 100.0,
        donchian_position_20=_position(20),
        cci_20=_channel_index(),
    )
    return k.roll(k.roll(rolled, _SLOW), _SLOWER).select(
        "stochastic_k_14",
        "stochastic_d_14",
        "cci_20",
        "donchian_position_20",
        williams_r_14=pl.col("fast") - 100.0,
    )


def _position(over: int) -> pl.Expr:
    close = pl.col("close")
    lowest, highest = pl.col(f"lowest_{over}"), pl.col(f"highest_{over}")
    inside = (highest > lowest) & (lowest <= close) & (close <= highest)
    return pl.when(inside).then((close - lowest) / (highest - lowest))


def _channel_index() -> pl.Expr:
    """Return the index; the distances are added up in the order of the sessions."""
    newest, middle = pl.col("typical"), pl.col("middle")
    prices = [newest, *(k.lag("typical", n) for n in range(1, _CCI))]
    distance = pl.sum_horizontal((each - middle).abs() for each in prices)
    held = pl.sum_horizontal(each.is_not_null().cast(pl.Float64) for each in prices)
    scale = distance / held * _PER_DEVIATION
    moved = middle.is_not_null() & newest.is_not_null() & (distance > 0)
    return pl.when(moved).then((newest - middle) / scale)
