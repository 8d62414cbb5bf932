"""Where the target's close stands to its means, its lines and its turns. No other market.

All of it is of logs or of ratios, so that it means the same at 20 and at 80 cents.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k

_AROON = 25
"""Sessions back; with the session itself 26 closes."""

_ROLLED = {
    "mean_7": k.mean("close", 7, min_count=6),
    "mean_50": k.mean("close", 50, min_count=38),
    "mean_100": k.mean("close", 100, min_count=75),
    "mean_200": k.mean("close", 200, min_count=150),
    "log_slope_10": k.slope("log_close", 10, min_count=8),
    "log_slope_60": k.slope("log_close", 60, min_count=45),
    "log_slope_120": k.slope("log_close", 120, min_count=90),
    "highest": k.max("close", _AROON + 1, min_count=20),
    "lowest": k.min("close", _AROON + 1, min_count=20),
    "highest_55": k.max("close", 55, min_count=42),
    "lowest_55": k.min("close", 55, min_count=42),
    "mean_20": k.mean("close", 20, min_count=15),
    "std_20": k.std("close", 20, min_count=15),
}


def trend(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    aroon_oscillator_25 (Chande, 1995): 100 for a close that is the highest of 26
    sessions after a lowest one 25 sessions ago, -100 for the other way round; of equal
    closes the newest counts. He takes highs and lows, which here cannot be trusted
    before 2012.

    detrended_20: the close of 11 sessions ago over the mean of 20 sessions to now, in
    logs; as the detrended price oscillator is drawn, without reading ahead.

    bollinger_width_20: the bands' distance, four deviations of the sample (ddof 1),
    over their middle.
    """
    logs = panel.select(
        "close", log_close=pl.when(pl.col("close") > 0).then(pl.col("close").log())
    )
    width, middle = pl.col("std_20") * 4.0, pl.col("mean_20")
    span = pl.col("highest_55") - pl.col("lowest_55")
    return k.roll(logs, _ROLLED).select(
        *(
            _over("close", f"mean_{n}").alias(f"distance_from_mean_{n}")
            for n in (7, 50, 100, 200)
        ),
        _over("mean_50", "mean_200").alias("mean_gap_50_200"),
        "log_slope_10",
        "log_slope_60",
        "log_slope_120",
        aroon_oscillator_25=_aroon(),
        detrended_20=_over(k.lag("close", 11), "mean_20"),
        bollinger_width_20=pl.when(middle > 0).then(width / middle),
        channel_position_55=pl.when(span > 0).then(
            (pl.col("close") - pl.col("lowest_55")) / span
        ),
    )


def _over(price: str | pl.Expr, other: str) -> pl.Expr:
    """Return the log of one price over another, where both are above zero."""
    one = pl.col(price) if isinstance(price, str) else price
    two = pl.col(other)
    return pl.when((one > 0) & (two > 0)).then((one / two).log())


def _aroon() -> pl.Expr:
    closes = [pl.col("close"), *(k.lag("close", n) for n in range(1, _AROON + 1))]
    since_high, since_low = (
        pl.coalesce(
            pl.when(close == pl.col(extreme)).then(float(n))
            for n, close in enumerate(closes)
        )
        for extreme in ("highest", "lowest")
    )
    oscillator = (since_low - since_high) * (100.0 / _AROON)
    return pl.when(pl.col("close").is_not_null()).then(oscillator)
