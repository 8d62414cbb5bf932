"""Features of the currencies family in plain Python. It knows no kernel."""

from __future__ import annotations

from functools import partial
from math import sqrt

from tests.features.definitions.plain import (
    Definition,
    Rows,
    Values,
    column,
    log_return,
    rank_of,
    returns_of,
    std_of,
    zscore_of,
)

DAILY = ("brl", "ars", "myr", "cny", "aud", "dxy")
WEEKLY = ("eur", "cad", "mxn", "brl_weekly", "myr_weekly", "cny_weekly")
SELLERS = ("brl_close", "ars_close", "myr_close")


def _zscore(rows: Rows, name: str, need: int) -> float | None:
    return zscore_of(column(rows, name), need)


def _rank(rows: Rows, name: str) -> float | None:
    return rank_of(column(rows, name), 189)


def _yearly(values: Values) -> float | None:
    found = std_of(values, 45)
    return None if found is None else found * sqrt(252.0)


def _volatility(rows: Rows, name: str) -> float | None:
    return _yearly(returns_of(rows, name))


def _sellers(rows: Rows, over: int) -> float | None:
    found = [log_return(rows, name, over) for name in SELLERS]
    return None if None in found else sum(found) / 3


def _each_sellers(rows: Rows, over: int) -> Values:
    return [_sellers(rows[: i + 1], over) for i in range(over, len(rows))]


def _sellers_zscore(rows: Rows) -> float | None:
    found = _each_sellers(rows, 20)
    return zscore_of(found, 189) if found else None


DEFINITIONS: dict[str, Definition] = {
    **{f"sellers_change_{n}": partial(_sellers, over=n) for n in (5, 20, 60)},
    "sellers_zscore_252": _sellers_zscore,
    "sellers_volatility_60": lambda r: _yearly(_each_sellers(r, 1)),
    "broad_dollar_change_60": partial(log_return, name="dollar_index", over=60),
    "broad_dollar_rank_252": partial(_rank, name="dollar_index"),
}
for _name in DAILY:
    _rate = f"{_name}_close"
    DEFINITIONS |= {
        **{
            f"{_name}_change_{n}": partial(log_return, name=_rate, over=n)
            for n in (5, 20, 60)
        },
        f"{_name}_zscore_60": partial(_zscore, name=_rate, need=45),
        f"{_name}_rank_252": partial(_rank, name=_rate),
        f"{_name}_volatility_60": partial(_volatility, name=_rate),
    }
for _name in WEEKLY:
    DEFINITIONS |= {
        **{
            f"{_name}_change_{n}": partial(log_return, name=_name, over=n)
            for n in (20, 60)
        },
        f"{_name}_zscore_252": partial(_zscore, name=_name, need=189),
    }
