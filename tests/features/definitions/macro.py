"""Features of the macro family in plain Python. It knows no kernel."""

from __future__ import annotations

from datetime import date, timedelta

from tests.features.definitions.plain import (
    Definition,
    Row,
    Rows,
    Values,
    change,
    column,
    log_return,
    minus,
    rank_of,
    spread,
    zscore_of,
)

RANGES_FROM = date(2012, 1, 3)


def _share_of(row: Row, who: str) -> float | None:
    names = ("open_interest", f"{who}_long", f"{who}_short")
    held, long, short = (row[name] for name in names)
    ages = {row[f"{name}_age_days"] for name in names}
    if None in (held, long, short) or len(ages) != 1 or None in ages:
        return None
    return (long - short) / held


def _speculators(rows: Rows) -> Values:
    return [_share_of(row, "speculators") for row in rows]


def _wti_basis(rows: Rows) -> float | None:
    spot, age = rows[-1]["wti_spot"], rows[-1]["wti_spot_age_days"]
    if None in (spot, age):
        return None
    day = rows[-1]["date"] - timedelta(days=age)
    future = [row["crude_close"] for row in rows if row["date"] == day]
    return minus(spot, future[0]) if future else None


DEFINITIONS: dict[str, Definition] = {
    "real_policy_rate": lambda r: spread(r, "fed_funds", "breakeven_5y"),
    "curve_10y_2y": lambda r: spread(r, "treasury_10y", "treasury_2y"),
    "curve_30y_10y": lambda r: spread(r, "treasury_30y", "treasury_10y"),
    "fed_funds_change_60": lambda r: change(r, "fed_funds", 60),
    "breakeven_change_20": lambda r: change(r, "breakeven_5y", 20),
    "vix_change_5": lambda r: change(r, "vix", 5),
    "vix_zscore_252": lambda r: zscore_of(column(r, "vix"), 189),
    "dollar_return_20": lambda r: log_return(r, "dollar_index", 20),
    "wti_basis": _wti_basis,
    "speculators_net_share": lambda r: _share_of(r[-1], "speculators"),
    "hedgers_net_share": lambda r: _share_of(r[-1], "hedgers"),
    "speculators_net_share_change_20": lambda r: (
        minus(_speculators(r)[-1], _speculators(r)[-21]) if len(r) > 20 else None
    ),
    "speculators_net_rank_252": lambda r: rank_of(_speculators(r), 189),
    "open_interest_change_20": lambda r: log_return(r, "open_interest", 20),
}
