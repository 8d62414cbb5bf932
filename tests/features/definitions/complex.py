"""Features of the complex family in plain Python: one formula for each market. No kernel."""

from __future__ import annotations

from math import log

from tests.features.definitions.plain import (
    Definition,
    Rows,
    Values,
    column,
    held,
    log_return,
    mean_of,
    rank_of,
    rsi_of,
    zscore_of,
)
from tests.features.definitions.trend import log_over
from tests.features.definitions.volatility import MARKETS, deviation


def _logs(rows: Rows, name: str) -> Values:
    values = column(rows, name)
    return [None if v is None or v <= 0 else log(v) for v in values]


def _from_high(rows: Rows, name: str) -> float | None:
    logs = _logs(rows, name)
    if logs[-1] is None or len(held(logs)) < 189:
        return None
    return logs[-1] - max(held(logs))


def _of(market: str) -> dict[str, Definition]:
    name = f"{market}_close"
    return {
        "return_5": lambda r: log_return(r, name, 5),
        "return_20": lambda r: log_return(r, name, 20),
        "return_60": lambda r: log_return(r, name, 60),
        "zscore_60": lambda r: zscore_of(_logs(r, name), 45),
        "rank_252": lambda r: rank_of(column(r, name), 189),
        "rsi_14": lambda r: rsi_of(r, name, 14),
        "distance_from_mean_200": lambda r: log_over(
            r[-1][name], mean_of(column(r, name), 150)
        ),
        "volatility_60": lambda r: deviation(r, 60, name),
        "distance_from_high_252": lambda r: _from_high(r, name),
    }


DEFINITIONS: dict[str, Definition] = {
    f"{market}_{what}": definition
    for market in MARKETS
    for what, definition in _of(market).items()
    # These two stand in the technical family.
    if f"{market}_{what}" not in ("soybeans_return_20", "crude_return_20")
}
