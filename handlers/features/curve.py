"""The term structure, where single contracts or deferred months were dropped. Else null.

Each spread is of two named delivery months, and stands over the months between them. A
move of a pair is of that pair: it never counts the step from one contract to the next.
Levels are those of the exchange; nothing is adjusted at a roll.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Spec, grid, handler, sessions
from cbi_stream import kernels as k
from handlers.features.deferred import deferred
from handlers.features.delivery import contracts, years_around

_YEAR = 252
_MONTH = 20
_FAR = (3, 12)
"""Months between the nearest contract and the far one."""
_LISTED = 9
"""How many contracts ahead lie within twelve months."""

_ROLLED = {
    "contract_carry_rank_252": k.rank("contract_carry", _YEAR, min_count=189),
    "deferred_carry_rank_252": k.rank("deferred_carry", _YEAR, min_count=189),
    "deferred_carry_zscore_60": k.zscore("deferred_carry", 60, min_count=45),
}
_NAMES = (
    "contract_spread", "contract_carry", "contract_carry_change_20",
    "contract_carry_rank_252", "far_carry", "carry_curvature", "deferred_spread",
    "deferred_carry", "deferred_carry_change_20", "deferred_carry_rank_252",
    "deferred_carry_zscore_60", "soybeans_deferred_carry", "meal_deferred_carry",
    "corn_deferred_carry",
)  # fmt: skip


@handler(
    reads={
        "calendar.sessions": grid("staging.prices"),
        "staging.prices": sessions(back=_YEAR - 1, columns=("close",)),
    },
    writes="features.curve",
    spec=("settings", "universe"),
)
def curve(sessions: pl.DataFrame, prices: pl.DataFrame, *, spec: Spec) -> pl.DataFrame:
    """Return one row of features per session of the target's extent."""
    listed = sessions.filter("listed").select("date")
    days = _every_session(listed, prices, spec)
    closes = prices.filter(pl.col("close") > 0)
    traded = contracts(spec, spec.settings.target, years_around(days["date"], ahead=2))
    spreads = [days, _of_contracts(days, closes, traded), deferred(days, closes, spec)]
    rolled = k.roll(pl.concat(spreads, how="horizontal"), _ROLLED)
    return listed.join(
        rolled.select("date", *_NAMES), on="date", how="left", maintain_order="left"
    )


def _every_session(
    listed: pl.DataFrame, prices: pl.DataFrame, spec: Spec
) -> pl.DataFrame:
    """Return the sessions from the first of the prices to the last that is asked for.

    Windows count these: a session without any price is a row too.
    """
    days = pl.DataFrame({"date": spec.sessions.days}, schema={"date": pl.Date})
    if not listed.height:
        return days.clear()
    first, last = listed["date"].min(), listed["date"].max()
    oldest = prices["date"].min()
    begin = first if oldest is None else pl.Series([first, oldest]).min()
    return days.filter(pl.col("date").is_between(pl.lit(begin), pl.lit(last)))


def _of_contracts(
    days: pl.DataFrame, closes: pl.DataFrame, traded: pl.DataFrame
) -> pl.DataFrame:
    """Return the spreads of single contracts, from the nearest not yet in delivery.

    contract_spread is log(second / first) of the two nearest, contract_carry that per
    month between them; far_carry goes to the farthest one dropped within 3 to 12
    months, and carry_curvature is the nearer carry less the far one.
    """
    placed = traded.sort("first_notice").with_row_index("place")
    nearest = days.join_asof(
        placed.select("place", "first_notice"),
        left_on="date",
        right_on="first_notice",
        strategy="forward",
        allow_exact_matches=False,
    )
    ahead = pl.DataFrame({"ahead": range(_LISTED)}, schema={"ahead": pl.UInt32})
    before = pl.col("date").shift(_MONTH)
    all_of = (
        nearest.select("date", "place", then=before)
        .join(ahead, how="cross")
        .with_columns(place=pl.col("place") + pl.col("ahead"))
        .join(placed.select("place", "contract", "month"), on="place")
    )
    price = closes.select(date="date", contract="symbol", price="close")
    old = price.rename({"date": "then", "price": "old"})
    seen = all_of.join(price, on=["date", "contract"]).join(
        old, on=["then", "contract"], how="left"
    )
    first, second = (
        seen.filter(pl.col("ahead") == n).select("date", "month", "price", "old")
        for n in (0, 1)
    )
    pair = _beside(days, first, second)
    far = _beside(days, first, _farthest(first, seen))
    return pair.select(
        contract_spread="spread",
        contract_carry="carry",
        contract_carry_change_20=pl.col("carry") - pl.col("old_carry"),
        far_carry=far["carry"],
        carry_curvature=pl.col("carry") - far["carry"],
    )


def _farthest(first: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """Return by session the dropped contract farthest from the first, within limits."""
    other = seen.select("date", "month", "price", "old")
    months = pl.col("month") - pl.col("near")
    inside = other.join(first.select("date", near="month"), on="date").filter(
        months.is_between(*_FAR)
    )
    return (
        inside.sort("date", "month")
        .unique("date", keep="last", maintain_order=True)
        .drop("near")
    )


def _beside(
    days: pl.DataFrame, first: pl.DataFrame, second: pl.DataFrame
) -> pl.DataFrame:
    """Return by session the spread of a pair, its carry, and that 20 sessions before."""
    pair = days.join(first, on="date", how="left", maintain_order="left").join(
        second, on="date", how="left", maintain_order="left", suffix="_2"
    )
    months = (pl.col("month_2") - pl.col("month")).cast(pl.Float64)
    spread = pl.col("price_2").log() - pl.col("price").log()
    old = pl.col("old_2").log() - pl.col("old").log()
    return pair.select(
        "date", spread=spread, carry=spread / months, old_carry=old / months
    )
