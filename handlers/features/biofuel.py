"""Credits, what is made and fed into it, and how dear the oil is beside diesel.

It never turns gallons into credits of another kind: a gallon of biodiesel makes 1.5
RINs, and no other conversion stands here. What a lake has no file of is null.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import grid, handler, known, sessions
from cbi_stream import kernels as k
from handlers.features.fuel_margins import boho
from handlers.features.releases import steps_known

_FIVE_YEARS = 1260
_TWO_YEARS = 504
"""How many values a rank of five years needs: credits have been paid for since 2010, and
three quarters of five years would leave the first squeezes unranked."""
_RINS_PER_GALLON = 1.5
"""40 CFR 80.1415: a gallon of biodiesel makes one and a half RINs."""
_OLDEST_WEEK = 90
"""Days: weeks are told by the month, up to 52 days late."""
_FEEDS = ("soybean_oil", "corn_oil", "canola_oil", "tallow", "grease")
_CREDITS = ("rin_d4", "rin_d6", "lcfs_price")
_WEEKS = {"rin_d4": "d4.all.all", "rin_d6": "d6.all.all"}
_PANEL = (
    "close", "heating_oil_close", *_CREDITS, "ethanol_production", "ethanol_stocks",
    "distillate_stocks", "rfs_total_volume", "rfs_bbd_gallons",
    *(f"feed_{name}{age}" for name in _FEEDS for age in ("", "_age_days")),
    "rin_d4_age_days", "rin_d6_age_days",
    "ethanol_production_age_days", "ethanol_stocks_age_days",
)  # fmt: skip

_ROLLED = {
    "boho_rank_1260": k.rank("boho", _FIVE_YEARS, min_count=_TWO_YEARS),
    "boho_less_d4_zscore_252": k.zscore(
        "boho_less_d4_usd_per_gallon", 252, min_count=189
    ),
    "ethanol_days_zscore_252": k.zscore("ethanol_days", 252, min_count=189),
    "distillate_stocks_zscore_252": k.zscore("distillate_stocks", 252, min_count=189),
    **{f"{name}_rank_252": k.rank(name, 252, min_count=189) for name in _CREDITS},
}


@handler(
    reads={
        "features.panel": sessions(back=_FIVE_YEARS - 1, columns=_PANEL),
        "calendar.sessions": grid("staging.prices"),
        "staging.epa_rin": known(max_age=_OLDEST_WEEK + 7),
    },
    writes="features.biofuel",
)
def biofuel(
    panel: pl.DataFrame, sessions: pl.DataFrame, epa_rin: pl.DataFrame
) -> pl.DataFrame:
    """Return one row of features per session of the panel."""
    found = pl.concat([panel.select("date"), _of_panel(panel)], how="horizontal")
    for name, series in _WEEKS.items():
        weeks = epa_rin.filter(pl.col("series") == series)
        step = steps_known(sessions, weeks, max_age_days=_OLDEST_WEEK, days=7)
        step = step.select("date", pl.col("value").alias(f"{name}_step_1w"))
        found = found.join(step, on="date", how="left", maintain_order="left")
    return found


def _of_panel(panel: pl.DataFrame) -> pl.DataFrame:
    """Return what needs no more than the panel, in its order of rows.

    boho_rank_1260 ranks 0.075 * ZL - HO among five years: a proxy of the strain on
    biofuel credits that needs no price of a credit. ethanol_days is how long the stocks
    would last at the week's production, both of one week.
    """
    levels = panel.select(
        *_CREDITS,
        "ethanol_production",
        "ethanol_stocks",
        "distillate_stocks",
        "rfs_total_volume",
        "rfs_bbd_gallons",
        boho=boho(),
        boho_less_d4_usd_per_gallon=boho() - pl.col("rin_d4") * _RINS_PER_GALLON,
        rin_d4_d6_spread=pl.when(
            pl.col("rin_d4_age_days") == pl.col("rin_d6_age_days")
        ).then(pl.col("rin_d4") - pl.col("rin_d6")),
        feed_soybean_oil_share=_feed_share(),
        ethanol_days=_ethanol_days(),
    )
    return k.roll(levels, _ROLLED).select(
        *_ROLLED,
        "boho_less_d4_usd_per_gallon",
        "rin_d4_d6_spread",
        "feed_soybean_oil_share",
        "ethanol_days",
        **_changes(),
    )


def _changes() -> dict[str, pl.Expr]:
    logs = {
        f"{name}_change_{over}": k.log_return(name, over)
        for name, each in (
            ("rin_d4", (20, 60)),
            ("rin_d6", (20, 60)),
            ("lcfs_price", (60,)),
            ("ethanol_production", (20, 252)),
            ("ethanol_stocks", (20, 252)),
            ("distillate_stocks", (20, 252)),
            ("rfs_total_volume", (252,)),
            ("rfs_bbd_gallons", (252,)),
        )
        for over in each
    }
    differences = {
        f"{to}_change_{over}": pl.col(name) - k.lag(name, over)
        for to, name, over in (
            ("boho_less_d4", "boho_less_d4_usd_per_gallon", 20),
            ("rin_d4_d6", "rin_d4_d6_spread", 60),
            ("feed_soybean_oil_share", "feed_soybean_oil_share", 60),
        )
    }
    return logs | differences


def _feed_share() -> pl.Expr:
    """Return soybean oil's share of five feeds of biofuels, all of one month."""
    first, *others = (pl.col(f"feed_{name}") for name in _FEEDS)
    total = first
    for other in others:
        total = total + other
    age = pl.col("feed_soybean_oil_age_days")
    one_month = pl.all_horizontal(
        pl.col(f"feed_{name}_age_days") == age for name in _FEEDS[1:]
    )
    return pl.when(one_month & (total > 0)).then(first / total)


def _ethanol_days() -> pl.Expr:
    made, age = pl.col("ethanol_production"), pl.col("ethanol_production_age_days")
    one_week = pl.col("ethanol_stocks_age_days") == age
    return pl.when(one_week & (made > 0)).then(pl.col("ethanol_stocks") / made)
