"""Rates, fear, the dollar, crude's basis and positioning, as known at decision time.

Credit, money, work and prices stand in `conditions`, a pure function of a panel.

It repeats no column of the panel and never fills: what the panel does not know, because
it was not out or is too old, leaves the feature null. Observations come as steps (a
report a week, a rate a day), so windows count sessions, not reports.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import handler, sessions
from cbi_stream import kernels as k
from handlers.features.conditions import COLUMNS, conditions

_YEAR = 252

_PARTIES = ("speculators", "hedgers")
_PANEL = (
    "crude_close", "vix", "fed_funds", "treasury_2y", "treasury_10y", "treasury_30y",
    "breakeven_5y", "wti_spot", "wti_spot_age_days", "dollar_index", "open_interest",
    "open_interest_age_days",
    *(f"{who}_{side}{age}" for who in _PARTIES for side in ("long", "short")
      for age in ("", "_age_days")), *COLUMNS,
)  # fmt: skip

_ROLLED = {
    "vix_zscore_252": k.zscore("vix", _YEAR, min_count=189),
    "speculators_net_rank_252": k.rank("speculators_net_share", _YEAR, min_count=189),
}


@handler(
    reads={"features.panel": sessions(back=_YEAR - 1, columns=_PANEL)},
    writes="features.macro",
)
def macro(panel: pl.DataFrame) -> pl.DataFrame:
    """Return one row of features per session of the panel."""
    observed = panel.select(
        "date",
        "vix",
        speculators_net_share=_net_share("speculators"),
        hedgers_net_share=_net_share("hedgers"),
        open_interest_change_20=k.log_return("open_interest", 20),
        **_rates(),
        vix_change_5=_change("vix", 5),
        dollar_return_20=k.log_return("dollar_index", 20),
        wti_basis=_wti_basis(panel),
    )
    net = "speculators_net_share"
    found = k.roll(observed, _ROLLED).select(
        pl.exclude("vix"), speculators_net_share_change_20=_change(net, 20)
    )
    # Both have the panel's rows in the panel's order.
    return pl.concat([found, conditions(panel)], how="horizontal")


def _change(column: str, over: int) -> pl.Expr:
    """Return the value minus the one `over` sessions earlier, in the column's unit."""
    return pl.col(column) - k.lag(column, over)


def _rates() -> dict[str, pl.Expr]:
    """Return the differences of rates, all in percentage points.

    real_policy_rate takes expected inflation from the five-year breakeven. A five-year
    real rate would need the five-year yield, which is not in the panel: two years or
    ten less five years' inflation is the real rate of no bond.
    """
    two, ten, thirty = (pl.col(f"treasury_{years}y") for years in (2, 10, 30))
    return {
        "real_policy_rate": pl.col("fed_funds") - pl.col("breakeven_5y"),
        "curve_10y_2y": ten - two,
        "curve_30y_10y": thirty - ten,
        "fed_funds_change_60": _change("fed_funds", 60),
        "breakeven_change_20": _change("breakeven_5y", 20),
    }


def _net_share(who: str) -> pl.Expr:
    """Return (long - short) / open interest of one report, in [-1, 1].

    The three numbers carry one age where the report is whole; else they would be of two
    weeks, and the share is null.
    """
    held = pl.col("open_interest")
    net = pl.col(f"{who}_long") - pl.col(f"{who}_short")
    age = pl.col("open_interest_age_days")
    of_one_report = (age == pl.col(f"{who}_long_age_days")) & (
        age == pl.col(f"{who}_short_age_days")
    )
    return pl.when((held > 0) & of_one_report).then(net / held)


def _wti_basis(panel: pl.DataFrame) -> pl.Series:
    """Return spot minus front future of crude, both of the spot's own day.

    The spot price is posted once a week, so the newest known one is days old: against
    today's future it would be a move of the market, not a basis. Null where the target
    had no session on that day. US dollars per barrel; negative prices (2020-04-20)
    count.
    """
    age = pl.col("wti_spot_age_days").cast(pl.Int32)
    # A date is a count of days, so this difference is exact.
    day = (pl.col("date").cast(pl.Int32) - age).cast(pl.Date)
    spot = panel.select("wti_spot", date=day)
    future = panel.select("date", "crude_close")
    paired = spot.join(future, on="date", how="left", maintain_order="left")
    return paired.select(pl.col("wti_spot") - pl.col("crude_close")).to_series()
