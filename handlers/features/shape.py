"""What the target's returns look like beside their size: tails, sides, jumps, memory.

Moments are put together from means over one window, so nothing outside it counts.
"""

from __future__ import annotations

from math import pi

import polars as pl

from cbi_stream import kernels as k
from handlers.features.deviations import log_ratio

_YEAR = 252.0
_LENGTHS = {60: 45, 252: 189}
"""Sessions of a window, and how many returns it needs."""

_ROLLED = {
    **{
        f"{name}_{n}": k.mean(name, n, min_count=least)
        for n, least in _LENGTHS.items()
        for name in ("return_1", "squared", "cubed", "fourth")
    },
    **{f"std_{n}": k.std("return_1", n, min_count=m) for n, m in _LENGTHS.items()},
    "falls": k.mean("fallen", 60, min_count=45),
    "rises": k.mean("risen", 60, min_count=45),
    "paired": k.mean("pair", 60, min_count=45),
    "std_of_5": k.std("return_5", 60, min_count=45),
    "return_autocorr_60": k.corr(y="return_1", x="before", window=60, min_count=45),
}


def shape(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    skewness and kurtosis are those of the window's returns as they are, m3 / m2^1.5 and
    m4 / m2^2 - 3, without a correction for few values; null where nothing moved.

    downside_deviation_60 and upside_deviation_60 are yearly: the root of 252 times the
    mean square of the returns on one side of zero, the others counting as zero (Sortino
    and van der Meer, 1991). semi_deviation_ratio_60 is the log of down over up.

    jump_share_60: 1 minus bipower variation over realised variance (Barndorff-Nielsen
    and Shephard, 2004); about 0 without jumps.

    variance_ratio_5_60: the variance of returns of five sessions over five times that
    of one (Lo and MacKinlay, 1988); 1 for a random walk.
    """
    down, up = ((pl.col(name) * _YEAR).sqrt() for name in ("falls", "rises"))
    realised, single = pl.col("squared_60"), pl.col("std_60") * pl.col("std_60")
    many = pl.col("std_of_5") * pl.col("std_of_5")
    return k.roll(_powers(panel), _ROLLED).select(
        downside_deviation_60=down,
        upside_deviation_60=up,
        semi_deviation_ratio_60=log_ratio(pl.col("falls"), pl.col("rises")) * 0.5,
        skewness_60=_skewness(60),
        skewness_252=_skewness(252),
        kurtosis_60=_kurtosis(60),
        kurtosis_252=_kurtosis(252),
        jump_share_60=pl.when(realised > 0).then(
            1.0 - pl.col("paired") * (pi / 2.0) / realised
        ),
        variance_ratio_5_60=pl.when(single > 0).then(many / (single * 5.0)),
        return_autocorr_60=pl.col("return_autocorr_60"),
    )


def _powers(panel: pl.DataFrame) -> pl.DataFrame:
    returns = panel.select(
        return_1=k.log_return("close"), return_5=k.log_return("close", 5)
    )
    r = pl.col("return_1")
    fallen, risen = r.clip(upper_bound=0.0), r.clip(lower_bound=0.0)
    return returns.with_columns(
        before=k.lag("return_1", 1),
        squared=r * r,
        cubed=r * r * r,
        fourth=r * r * r * r,
        fallen=fallen * fallen,
        risen=risen * risen,
        pair=(r * k.lag("return_1", 1)).abs(),
    )


def _skewness(over: int) -> pl.Expr:
    """Return m3 / m2^1.5; m3 = E[r^3] - 3 m E[r^2] + 2 m^3."""
    m, square, cube = _means(over, "return_1", "squared", "cubed")
    spread = square - m * m
    third = cube - m * square * 3.0 + m * m * m * 2.0
    moved = (pl.col(f"std_{over}") > 0) & (spread > 0)
    return pl.when(moved).then(third / (spread * spread.sqrt()))


def _kurtosis(over: int) -> pl.Expr:
    """Return m4 / m2^2 - 3; m4 = E[r^4] - 4 m E[r^3] + 6 m^2 E[r^2] - 3 m^4."""
    m, square, cube, fourth = _means(over, "return_1", "squared", "cubed", "fourth")
    spread = square - m * m
    tails = fourth - m * cube * 4.0 + m * m * square * 6.0 - m * m * m * m * 3.0
    moved = (pl.col(f"std_{over}") > 0) & (spread > 0)
    return pl.when(moved).then(tails / (spread * spread) - 3.0)


def _means(over: int, *names: str) -> list[pl.Expr]:
    return [pl.col(f"{name}_{over}") for name in names]
