"""Volume beside the price, both of the session before: no volume is final on its day.

Each volume stands beside the bar that it belongs to, so all of it is one session late.
Nothing here has a unit of contracts: a lake's volumes change theirs with the source.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from cbi_stream import kernels as k
from handlers.features.bars import sound_bars, typical_prices

_VALUES = {
    "signed": ("signed", 20, 15),
    "counted": ("counted", 20, 15),
    "inflow": ("inflow", 14, 11),
    "flow": ("flow", 14, 11),
    "located": ("located", 20, 15),
    "ranged": ("ranged", 20, 15),
}
_ROLLED = {
    **{f"{name}_sum": k.sum(c, n, min_count=m) for name, (c, n, m) in _VALUES.items()},
    "volume_20": k.mean("volume", 20, min_count=15),
    "volume_60": k.mean("volume", 60, min_count=45),
    "corr_volume_move_60": k.corr(y="move", x="volume", window=60, min_count=45),
}


def flows(panel: pl.DataFrame, *, first: date) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    obv_share_20: the change of Granville's on-balance volume (1963) over 20 sessions as
    a share of their volume, in [-1, 1].

    money_flow_14 (Quong and Soudack, 1989): typical price times volume of the sessions
    on which the typical price rose, in percent of that of those on which it moved.

    chaikin_flow_20: the volume weighed by where the close lay in its session's range,
    -1 at the low and 1 at the high, as a share of the volume.

    corr_volume_move_60: of the absolute log return and the volume of one session.

    Args:
        panel: with date, open, high, low, close and volume_lag1.
        first: the first session whose highs and lows can be trusted.
    """
    paired = _paired(panel, first)
    rolled = k.roll(paired, _ROLLED)
    recent, usual = pl.col("volume_20"), pl.col("volume_60")
    return rolled.select(
        _share("signed", "counted").alias("obv_share_20"),
        (_share("inflow", "flow") * 100.0).alias("money_flow_14"),
        _share("located", "ranged").alias("chaikin_flow_20"),
        pl.when((recent > 0) & (usual > 0))
        .then((recent / usual).log())
        .alias("volume_trend_20_60"),
        "corr_volume_move_60",
    )


def _share(part: str, whole: str) -> pl.Expr:
    total = pl.col(f"{whole}_sum")
    return pl.when(total > 0).then(pl.col(f"{part}_sum") / total)


def _paired(panel: pl.DataFrame, first: date) -> pl.DataFrame:
    """Return per session what the bar before and its volume give."""
    bars = sound_bars(panel, first).select(
        "high",
        "low",
        sound="close",
        sign=(panel["close"] - panel["close"].shift(1)).sign(),
        move=panel.select(k.log_return("close").abs()).to_series(),
        typical=typical_prices(panel, first),
    )
    before = bars.with_columns(
        rise=pl.col("typical") - k.lag("typical", 1),
        place=(pl.col("sound") * 2.0 - pl.col("high") - pl.col("low")),
        width=pl.col("high") - pl.col("low"),
    ).select(pl.all().shift(1), volume=panel["volume_lag1"])
    volume, flow = pl.col("volume"), pl.col("typical") * pl.col("volume")
    rise, width = pl.col("rise"), pl.col("width")
    return before.select(
        "volume",
        "move",
        signed=pl.col("sign") * volume,
        counted=pl.when(pl.col("sign").is_not_null()).then(volume),
        inflow=pl.when(rise.is_not_null()).then((rise > 0).cast(pl.Float64) * flow),
        flow=pl.when(rise.is_not_null()).then((rise != 0).cast(pl.Float64) * flow),
        located=pl.when(width > 0).then(pl.col("place") / width * volume),
        ranged=pl.when(width > 0).then(volume),
    )
