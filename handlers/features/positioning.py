"""Who holds how much of the target and its neighbours, from the weekly reports of CFTC.

It never mixes two reports: every number of a feature is of one Tuesday, and a change is
from one report to another. What is not published on Friday is not known on Friday.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import grid, handler, known
from handlers.features import reports

_MARKETS = {
    "oil": "007601",
    "soybeans": "005602",
    "meal": "026603",
    "corn": "002602",
    "crude": "067651",
}
_EVERYWHERE = ("open_interest", "managed_long", "managed_short")
_OIL = (
    "managed_spreading", "managed_traders_long", "managed_traders_short", "traders",
    "producer_long", "producer_short", "swap_long", "swap_short", "other_long",
    "other_short",
)  # fmt: skip
_SPECULATORS = ("open_interest", "noncommercial_long", "noncommercial_short")
_DISAGGREGATED = {
    **{f"{m}_{n}": f"{code}.{n}" for m, code in _MARKETS.items() for n in _EVERYWHERE},
    **{f"oil_{n}": f"007601.{n}" for n in _OIL},
}
_LEGACY = {f"futures_{n}": f"007601.{n}" for n in _SPECULATORS}
_COMBINED = {f"combined_{n}": f"007601.{n}" for n in _SPECULATORS}

_MAX_AGE = 12
"""Days; a report that is due a week later is late by then."""
_YEARS = 1827
"""Days: five years, counted from the newest report."""
_RANKED = 260
"""Reports: those of five years."""
_LEAST_RANKED = 195
"""Reports: three quarters of them."""
_LATEST_OF_ONE = 12
_LATEST_OF_FOUR = 35
"""Days over which a change by one and by four reports may reach: in a week with a
holiday a report may be of another day than Tuesday."""
_READ = 1900


@handler(
    reads={
        "calendar.sessions": grid("staging.prices"),
        "staging.cftc_disaggregated": known(max_age=_READ),
        "staging.cftc": known(max_age=60),
        "staging.cftc_legacy_combined": known(max_age=60),
    },
    writes="features.positioning",
)
def positioning(
    sessions: pl.DataFrame,
    cftc_disaggregated: pl.DataFrame,
    cftc: pl.DataFrame,
    cftc_legacy_combined: pl.DataFrame,
) -> pl.DataFrame:
    """Return one row of features per session."""
    listed = sessions.filter("listed")
    managed = _disaggregated(listed, cftc_disaggregated)
    options = _options(listed, cftc, cftc_legacy_combined)
    return managed.join(options, on="date", maintain_order="left", how="left")


def _disaggregated(listed: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what the disaggregated reports, futures only, say."""
    asked = reports.named(rows, _DISAGGREGATED)
    states = reports.states(listed, asked)
    found = reports.known(states, asked, window_days=_READ)
    weeks = reports.side_by_side(found, _DISAGGREGATED).with_columns(**_shares())
    # Counted from the newest report, not from a session: so all sessions of a state
    # look at the same reports, whichever of them a partition holds.
    recent = pl.col("observed") > pl.col("observed").max().over("state") - _days(_YEARS)
    ranked = weeks.filter(recent).group_by("state", maintain_order=True).tail(_RANKED)
    said = ranked.select(
        "state", "observed", **_holdings(), **_others(), **_neighbours()
    )
    newest = said.group_by("state", maintain_order=True).last()
    return reports.on_sessions(states, newest, max_age_days=_MAX_AGE)


def _shares() -> dict[str, pl.Expr]:
    """Return net positions as shares of the open interest of the same report.

    contracts_net is that of managed money in the target, in contracts.
    """
    net = {f"{m}_net": _net_share(f"{m}_managed", m) for m in _MARKETS}
    net["contracts_net"] = pl.col("oil_managed_long") - pl.col("oil_managed_short")
    parties = ("producer", "swap", "other")
    return net | {f"{who}_net": _net_share(f"oil_{who}", "oil") for who in parties}


def _holdings() -> dict[str, pl.Expr]:
    """Return the features of managed money in the target."""
    return {
        "managed_net_share": pl.col("oil_net"),
        "managed_net_share_change_1": _change(pl.col("oil_net"), 1),
        "managed_net_share_change_4": _change(pl.col("oil_net"), 4),
        "managed_net_rank_5y": _rank("contracts_net"),
        "managed_net_share_rank_5y": _rank("oil_net"),
        "managed_long_short": _log_ratio("oil_managed_long", "oil_managed_short"),
        "managed_long_share_change_4": _change(_share("oil_managed_long"), 4),
        "managed_short_share_change_4": _change(_share("oil_managed_short"), 4),
        "managed_spreading_share": _share("oil_managed_spreading"),
        "managed_traders_long_short": _log_ratio(
            "oil_managed_traders_long", "oil_managed_traders_short"
        ),
    }


def _others() -> dict[str, pl.Expr]:
    """Return the features of producers, swap dealers and the rest in the target."""
    return {
        "producer_net_share": pl.col("producer_net"),
        "producer_net_share_change_4": _change(pl.col("producer_net"), 4),
        "producer_net_rank_5y": _rank("producer_net"),
        "swap_net_share": pl.col("swap_net"),
        "swap_net_share_change_4": _change(pl.col("swap_net"), 4),
        "other_net_share": pl.col("other_net"),
        "traders_change_4": _change(_log("oil_traders"), 4),
    }


def _neighbours() -> dict[str, pl.Expr]:
    """Return managed money's net share in other markets, its change and its rank."""
    found = {}
    for market in _MARKETS:
        if market != "oil":
            net = f"{market}_net"
            found[f"{market}_managed_net_share"] = pl.col(net)
            found[f"{market}_managed_net_share_change_4"] = _change(pl.col(net), 4)
            found[f"{market}_managed_net_rank_5y"] = _rank(net)
    return found


def _options(
    listed: pl.DataFrame, futures: pl.DataFrame, combined: pl.DataFrame
) -> pl.DataFrame:
    """Return how the legacy report with options differs from that of futures alone."""
    names = _LEGACY | _COMBINED
    asked = pl.concat(
        [reports.named(futures, _LEGACY), reports.named(combined, _COMBINED)]
    )
    states = reports.states(listed, asked)
    found = reports.known(states, asked, window_days=60)
    both = reports.side_by_side(found, names).select(
        "state",
        "observed",
        options_open_interest=_log("combined_open_interest")
        - _log("futures_open_interest"),
        options_speculators_gap=_net_share("combined_noncommercial", "combined")
        - _net_share("futures_noncommercial", "futures"),
    )
    newest = both.group_by("state", maintain_order=True).last()
    return reports.on_sessions(states, newest, max_age_days=_MAX_AGE)


def _days(count: int) -> pl.Expr:
    return pl.duration(days=count)


def _share(column: str) -> pl.Expr:
    held = pl.col("oil_open_interest")
    return pl.when(held > 0).then(pl.col(column) / held)


def _net_share(who: str, market: str) -> pl.Expr:
    held = pl.col(f"{market}_open_interest")
    net = pl.col(f"{who}_long") - pl.col(f"{who}_short")
    return pl.when(held > 0).then(net / held)


def _log(column: str) -> pl.Expr:
    return pl.when(pl.col(column) > 0).then(pl.col(column).log())


def _log_ratio(above: str, below: str) -> pl.Expr:
    return _log(above) - _log(below)


def _change(value: pl.Expr, over: int) -> pl.Expr:
    """Return the value minus that of the report `over` before, null across a hole."""
    reach = pl.col("observed") - pl.col("observed").shift(over)
    latest = _LATEST_OF_ONE if over == 1 else _LATEST_OF_FOUR
    moved = pl.when(reach <= _days(latest)).then(value - value.shift(over))
    return moved.over("state")


def _rank(column: str) -> pl.Expr:
    """Return the average rank among five years of reports, as a share of their number."""
    there = pl.col(column).count()
    ranked = pl.when(there >= _LEAST_RANKED).then(
        pl.col(column).rank("average") / there
    )
    return ranked.over("state")
