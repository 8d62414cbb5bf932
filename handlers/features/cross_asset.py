"""The target beside other markets: returns, how they move together, and the crush.

It never correlates levels. A price that is zero or below (crude on 2020-04-20) has no
log return, and prices of two markets meet only after both are in one unit.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k

_MEAL = 0.022
"""Short tons of meal from a bushel: 44 of 2,000 pounds."""
_OIL = 0.11
"""US dollars a bushel per cent a pound of oil: 11 pounds of oil from a bushel."""
_DOLLARS = 0.01
"""US dollars per cent."""
_ROLL_JUMP = 0.40
"""US dollars per bushel from one session to the next."""
_MONTHS_WITHOUT_LAST_TRADE = (2, 4, 6)

_ROLLED = {
    "corr_soybeans_60": k.corr(
        y="return_1", x="return_soybeans", window=60, min_count=45
    ),
    "beta_soybeans_60": k.beta(
        y="return_1", x="return_soybeans", window=60, min_count=45
    ),
    "corr_crude_60": k.corr(y="return_1", x="return_crude", window=60, min_count=45),
    "beta_crude_60": k.beta(y="return_1", x="return_crude", window=60, min_count=45),
    "corr_crude_252": k.corr(y="return_1", x="return_crude", window=252, min_count=189),
    "corr_gold_60": k.corr(y="return_1", x="return_gold", window=60, min_count=45),
}


def cross_asset(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    corr_crude_gap_60_252 is how far the correlation with crude over 60 sessions lies
    from that over 252, without its sign.
    """
    returns = panel.select(
        soybeans_return_20=k.log_return("soybeans_close", 20),
        crude_return_20=k.log_return("crude_close", 20),
        oil_share=oil_share(),
        crush_usd_per_bushel=board_crush(panel),
        return_1=k.log_return("close"),
        return_soybeans=k.log_return("soybeans_close"),
        return_crude=k.log_return("crude_close"),
        return_gold=k.log_return("gold_close"),
    )
    return k.roll(returns, _ROLLED).select(
        "soybeans_return_20",
        "crude_return_20",
        "oil_share",
        "crush_usd_per_bushel",
        *(name for name in _ROLLED if name != "corr_crude_252"),
        corr_crude_gap_60_252=(
            pl.col("corr_crude_60") - pl.col("corr_crude_252")
        ).abs(),
    )


def board_crush(panel: pl.DataFrame) -> pl.Series:
    """Return the crush of each session in US dollars per bushel, null where legs differ."""
    return _where_legs_pair(panel.select("date", crush=_crush()))


def _crush() -> pl.Expr:
    """Return the board crush in US dollars per bushel of soybeans.

    CME Group, Soybean Crush Reference Guide: 0.022 * meal [dollars a short ton] +
    0.11 * oil [cents a pound] - soybeans [dollars a bushel], from 44 pounds of meal and
    11 of oil a bushel. Its page writes "oil x 11", which is in cents. A price of zero
    or below in a leg is none.
    """
    meal, oil, soybeans = (
        pl.when(pl.col(name) > 0).then(pl.col(name))
        for name in ("meal_close", "close", "soybeans_close")
    )
    return meal * _MEAL + oil * _OIL - soybeans * _DOLLARS


def _where_legs_pair(found: pl.DataFrame) -> pl.Series:
    """Return the crush, null where its legs may be of different contract months.

    The closes are of whatever contract is in front, and each leg rolls by itself,
    around its last trade on the weekday before the 15th. A jump of over 0.40 dollars
    from the session before, on the 10th to 18th of a month in which a leg stops
    trading, is taken for that. What a single session cannot tell: a mismatch that
    begins with a smaller step, its second session where it lasts longer, and where the
    close before is missing.
    """
    crush, date = pl.col("crush"), pl.col("date").dt
    stops = ~date.month().is_in(_MONTHS_WITHOUT_LAST_TRADE)
    jump = (crush - k.lag("crush", 1)).abs() > _ROLL_JUMP
    mismatch = jump & stops & date.day().is_between(10, 18)
    # A jump that is not known counts as none.
    return found.select(pl.when(mismatch).then(None).otherwise(crush)).to_series()


def oil_share() -> pl.Expr:
    """Return what share of the value of a bushel's products the oil makes up."""
    meal, oil = pl.col("meal_close") * _MEAL, pl.col("close") * _OIL
    return pl.when((meal > 0) & (oil > 0)).then(oil / (oil + meal))
