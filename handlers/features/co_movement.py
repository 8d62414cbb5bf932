"""How the target moves with other markets, and how strong it is beside them.

Returns are correlated, never levels, and nothing is filled: where a market has no price
its return is missing, and a window needs three quarters of its sessions.

Prices of other markets are those of the session itself. VIX and the ten-year yield are
out a day later, so the target's return of the session before stands beside them: both
are of one day then.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import handler, sessions
from cbi_stream import kernels as k
from cbi_stream.kernels.kernel import Kernel
from handlers.features.relative_strength import MARKETS, relative_strength

_YEAR = 252
_CURRENCIES = ("brl", "ars", "myr", "cny", "dxy")
"""How many of a currency a dollar buys, and the dollar index: up is a strong dollar."""
_PRICED = (*MARKETS, *_CURRENCIES)
_OF_THE_DAY_BEFORE = ("vix", "treasury")

_CORR_60 = (
    "meal", "corn", "wheat", "heating_oil", "gasoline", "natural_gas", "brl", "ars",
    "myr", "cny", "dxy", "treasury",
)  # fmt: skip
_BETA_60 = (
    "meal", "corn", "wheat", "heating_oil", "gasoline", "natural_gas", "gold", "brl",
    "myr", "dxy", "treasury",
)  # fmt: skip
"""Without the peso and the yuan: a rate that is held moves too little to divide by."""
_CORR_252 = (
    "soybeans", "meal", "corn", "wheat", "crude", "heating_oil", "gasoline",
    "natural_gas", "gold", "brl", "myr", "dxy", "vix", "treasury",
)  # fmt: skip
_BETA_252 = ("soybeans", "crude", "brl")
_GAPS = (
    "soybeans", "meal", "corn", "wheat", "heating_oil", "gasoline", "natural_gas",
    "gold", "brl", "myr", "dxy",
)  # fmt: skip
"""Crude's gap stands among the technical features."""
_LAGGED = ("soybeans", "meal", "crude", "brl", "dxy")
_PAIRS = {"target_crude": ("own", "crude"), "target_soybeans": ("own", "soybeans"),
          "crude_soybeans": ("crude", "soybeans")}  # fmt: skip

_PANEL = (
    "close", "vix", "treasury_10y", *(f"{market}_close" for market in _PRICED),
)  # fmt: skip


def _of(market: str) -> dict[str, str]:
    """Return which columns of returns are held against each other."""
    own = "return_before" if market in _OF_THE_DAY_BEFORE else "return_1"
    return {"y": own, "x": f"return_{market}"}


def _rolled() -> dict[str, Kernel]:
    asked: dict[str, Kernel] = {}
    for window, need in ((60, 45), (_YEAR, 189)):
        corr, beta = (_CORR_60, _BETA_60) if window == 60 else (_CORR_252, _BETA_252)
        short = _GAPS if window == 60 else ()
        for market in dict.fromkeys((*corr, *short)):
            name = f"corr_{market}_{window}"
            asked[name] = k.corr(**_of(market), window=window, min_count=need)
        for market in beta:
            name = f"beta_{market}_{window}"
            asked[name] = k.beta(**_of(market), window=window, min_count=need)
        for pair, (y, x) in _PAIRS.items():
            asked[f"{pair}_{window}"] = k.corr(
                y=f"whole_{y}", x=f"whole_{x}", window=window, min_count=need
            )
    for market in _LAGGED:
        asked[f"corr_lag_{market}_60"] = k.corr(
            y="return_1", x=f"lagged_{market}", window=60, min_count=45
        )
    return asked


_ROLLED = _rolled()


@handler(
    reads={"features.panel": sessions(back=_YEAR + 1, columns=_PANEL)},
    writes="features.cross_asset",
)
def co_movement(panel: pl.DataFrame) -> pl.DataFrame:
    """Return one row of features per session of the panel."""
    rolled = k.roll(_returns(panel), _ROLLED)
    kept = [
        *(f"corr_{market}_60" for market in _CORR_60),
        *(f"beta_{market}_60" for market in _BETA_60),
        *(f"corr_{market}_252" for market in _CORR_252),
        *(f"beta_{market}_252" for market in _BETA_252),
        *(f"corr_lag_{market}_60" for market in _LAGGED),
    ]
    together = rolled.select(
        *kept,
        **{f"corr_{market}_gap_60_252": _gap(market) for market in _GAPS},
        **{f"explained_crude_soybeans_{n}": _explained(n) for n in (60, _YEAR)},
        **{
            f"lead_{market}_1": f"return_{market}"
            for market in (*MARKETS, "brl", "dxy")
        },
    )
    ideas = (panel.select("date"), together, relative_strength(panel))
    return pl.concat(ideas, how="horizontal")


def _returns(panel: pl.DataFrame) -> pl.DataFrame:
    """Return log returns of one session, and the change of the yield in points."""
    out = panel.select(
        return_1=k.log_return("close"),
        return_vix=k.log_return("vix"),
        return_treasury=pl.col("treasury_10y") - k.lag("treasury_10y", 1),
        **{f"return_{name}": k.log_return(f"{name}_close") for name in _PRICED},
    )
    three = {"own": "return_1", "crude": "return_crude", "soybeans": "return_soybeans"}
    whole = pl.all_horizontal(pl.col(name).is_not_null() for name in three.values())
    return out.with_columns(
        return_before=k.lag("return_1", 1),
        **{f"lagged_{name}": k.lag(f"return_{name}", 1) for name in _LAGGED},
        **{f"whole_{to}": pl.when(whole).then(name) for to, name in three.items()},
    )


def _gap(market: str) -> pl.Expr:
    """Return how far the correlation of 60 sessions lies from that of 252, unsigned."""
    return (pl.col(f"corr_{market}_60") - pl.col(f"corr_{market}_{_YEAR}")).abs()


def _explained(window: int) -> pl.Expr:
    """Return the share of the variance of the target's returns that two markets explain.

    The R squared of the regression on the returns of crude and of soybeans, from the
    three correlations of the sessions on which all have one:

        (a^2 + b^2 - 2 a b c) / (1 - c^2)

    a with crude, b with soybeans, c of the two. Null where the two are as good as one.
    """
    a, b, c = (pl.col(f"{pair}_{window}") for pair in _PAIRS)
    free = 1.0 - c * c
    return pl.when(free > 1e-6).then((a * a + b * b - a * b * c * 2.0) / free)
