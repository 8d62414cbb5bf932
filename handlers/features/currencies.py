"""Currencies of those who sell and buy, and the dollar. It never fills a rate.

Rates are how many of a currency a dollar buys, so up is a weak currency, except the euro
and the Australian dollar, which are told in dollars: up is a strong one. A rate of the
session comes from bars; a rate of H.10 is posted once a week, so it moves in steps, and
has no daily volatility here.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import handler, sessions
from cbi_stream import kernels as k
from cbi_stream.kernels.kernel import Kernel

_DAILY = ("brl", "ars", "myr", "cny", "aud", "dxy")
_WEEKLY = ("eur", "cad", "mxn", "brl_weekly", "myr_weekly", "cny_weekly")
_SELLERS = ("brl", "ars", "myr")
"""Brazil and Argentina sell soybean oil, Malaysia palm oil."""
_THIRD = 1.0 / 3.0
_YEAR = 252
_ROOT_YEAR = 252.0**0.5
"""Daily to yearly volatility, by the usual 252 sessions."""
_PANEL = (*(f"{name}_close" for name in _DAILY), *_WEEKLY, "dollar_index")


def _rolled() -> dict[str, Kernel]:
    asked: dict[str, Kernel] = {}
    for name in _DAILY:
        asked[f"{name}_zscore_60"] = k.zscore(name, 60, min_count=45)
        asked[f"{name}_rank_252"] = k.rank(name, _YEAR, min_count=189)
        asked[f"{name}_std_60"] = k.std(f"{name}_change_1", 60, min_count=45)
    for name in _WEEKLY:
        asked[f"{name}_zscore_252"] = k.zscore(name, _YEAR, min_count=189)
    asked["broad_dollar_rank_252"] = k.rank("dollar_index", _YEAR, min_count=189)
    asked["sellers_std_60"] = k.std("sellers_change_1", 60, min_count=45)
    asked["sellers_zscore_252"] = k.zscore("sellers_change_20", _YEAR, min_count=189)
    return asked


_ROLLED = _rolled()


@handler(
    reads={"features.panel": sessions(back=_YEAR + 19, columns=_PANEL)},
    writes="features.currencies",
)
def currencies(panel: pl.DataFrame) -> pl.DataFrame:
    """Return one row of features per session of the panel.

    sellers_* are of a basket: the mean of the log changes of the real, the peso and the
    ringgit, each a third, null where one is missing.
    """
    daily = {name: f"{name}_close" for name in _DAILY}
    rates = panel.select("date", "dollar_index", *_WEEKLY, **daily)
    changes = rates.with_columns(
        *(_change(name, over) for name in _DAILY for over in (1, 5, 20, 60)),
        *(_change(name, over) for name in _WEEKLY for over in (20, 60)),
        broad_dollar_change_60=k.log_return("dollar_index", 60),
    )
    basket = changes.with_columns(_basket(over) for over in (1, 5, 20, 60))
    return k.roll(basket, _ROLLED).select(
        "date",
        *(f"{n}_change_{over}" for n in _DAILY for over in (5, 20, 60)),
        *(f"{n}_change_{over}" for n in _WEEKLY for over in (20, 60)),
        *(f"sellers_change_{over}" for over in (5, 20, 60)),
        "broad_dollar_change_60",
        *(name for name in _ROLLED if not name.endswith("_std_60")),
        **{f"{n}_volatility_60": _yearly(n) for n in (*_DAILY, "sellers")},
    )


def _change(name: str, over: int) -> pl.Expr:
    return k.log_return(name, over).alias(f"{name}_change_{over}")


def _basket(over: int) -> pl.Expr:
    first, *others = (pl.col(f"{name}_change_{over}") for name in _SELLERS)
    total = first
    for other in others:
        total = total + other
    return (total * _THIRD).alias(f"sellers_change_{over}")


def _yearly(name: str) -> pl.Expr:
    return pl.col(f"{name}_std_60") * _ROOT_YEAR
