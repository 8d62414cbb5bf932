"""Features of the cross-asset family in plain Python. It knows no kernel."""

from __future__ import annotations

from functools import partial
from math import fsum, sqrt

from tests.features.definitions.plain import (
    Definition,
    Rows,
    Values,
    change,
    log_return,
    minus,
    returns_of,
    together,
)

SAME_60 = (
    "meal", "corn", "wheat", "heating_oil", "gasoline", "natural_gas", "brl", "myr",
    "dxy",
)  # fmt: skip
SAME_252 = (
    "soybeans", "meal", "corn", "wheat", "crude", "heating_oil", "gasoline",
    "natural_gas", "gold", "brl", "myr", "dxy",
)  # fmt: skip
GAPS = tuple(name for name in SAME_252 if name != "crude")
FUTURES = SAME_252[:9]
NEED = {60: 45, 252: 189}


def _pair(rows: Rows, market: str, window: int) -> tuple[float | None, float | None]:
    """Return beta and correlation with a market's returns of the same sessions."""
    short = rows[-window - 1 :]
    theirs = returns_of(short, f"{market}_close")
    return together(returns_of(short, "close"), theirs, NEED[window])


def _beta(market: str, window: int) -> Definition:
    return lambda r: _pair(r, market, window)[0]


def _corr(market: str, window: int) -> Definition:
    return lambda r: _pair(r, market, window)[1]


def _moves(rows: Rows, name: str) -> Values:
    if name == "vix":
        return returns_of(rows, "vix")
    return [change(rows[: i + 1], "treasury_10y", 1) for i in range(1, len(rows))]


def _late(rows: Rows, name: str, window: int, which: int) -> float | None:
    """Return beta (0) or correlation (1) with what is told a day late.

    The target's return of one session stands beside the move told on the next.
    """
    short = rows[-window - 2 :]
    own, theirs = returns_of(short[:-1], "close"), _moves(short[1:], name)
    return together(own, theirs, NEED[window])[which]


def _lagged(rows: Rows, market: str) -> float | None:
    own = returns_of(rows, "close")[1:]
    return together(own, returns_of(rows, f"{market}_close")[:-1], 45)[1]


def _gap(rows: Rows, market: str) -> float | None:
    short, long = (_pair(rows, market, n)[1] for n in (60, 252))
    found = minus(short, long)
    return None if found is None else abs(found)


def _explained(rows: Rows, window: int) -> float | None:
    """Return the R squared of a regression on two markets, by its normal equations."""
    short = rows[-window - 1 :]
    names = ("close", "crude_close", "soybeans_close")
    found = zip(*(returns_of(short, name) for name in names), strict=True)
    whole = [each for each in found if None not in each]
    if len(whole) < NEED[window]:
        return None
    y, a, b = (_centred([each[i] for each in whole]) for i in range(3))
    yy, aa, bb, ab = _dot(y, y), _dot(a, a), _dot(b, b), _dot(a, b)
    ya, yb = _dot(y, a), _dot(y, b)
    if not yy or not aa or not bb or 1.0 - (ab / sqrt(aa * bb)) ** 2 <= 1e-6:
        return None
    free = aa * bb - ab * ab
    slope_a, slope_b = (ya * bb - yb * ab) / free, (yb * aa - ya * ab) / free
    return (slope_a * ya + slope_b * yb) / yy


def _centred(values: list[float]) -> list[float]:
    middle = fsum(values) / len(values)
    return [v - middle for v in values]


def _dot(left: list[float], right: list[float]) -> float:
    return fsum(a * b for a, b in zip(left, right, strict=True))


def _strength(rows: Rows, market: str, over: int) -> float | None:
    theirs = log_return(rows, f"{market}_close", over)
    return minus(log_return(rows, "close", over), theirs)


DEFINITIONS: dict[str, Definition] = {
    **{f"corr_{m}_60": _corr(m, 60) for m in (*SAME_60, "ars", "cny")},
    **{f"beta_{m}_60": _beta(m, 60) for m in (*SAME_60, "gold")},
    **{f"corr_{m}_252": _corr(m, 252) for m in SAME_252},
    **{f"beta_{m}_252": _beta(m, 252) for m in ("soybeans", "crude", "brl")},
    "corr_treasury_60": lambda r: _late(r, "treasury", 60, 1),
    "beta_treasury_60": lambda r: _late(r, "treasury", 60, 0),
    "corr_treasury_252": lambda r: _late(r, "treasury", 252, 1),
    "corr_vix_252": lambda r: _late(r, "vix", 252, 1),
    **{
        f"corr_lag_{m}_60": partial(_lagged, market=m)
        for m in ("soybeans", "meal", "crude", "brl", "dxy")
    },
    **{f"corr_{m}_gap_60_252": partial(_gap, market=m) for m in GAPS},
    "explained_crude_soybeans_60": lambda r: _explained(r, 60),
    "explained_crude_soybeans_252": lambda r: _explained(r, 252),
    **{
        f"lead_{m}_1": partial(log_return, name=f"{m}_close", over=1)
        for m in (*FUTURES, "brl", "dxy")
    },
    **{
        f"strength_{m}_{n}": partial(_strength, market=m, over=n)
        for m in FUTURES
        if m != "meal"
        for n in (20, 60)
    },
}
