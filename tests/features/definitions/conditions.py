"""Features of credit, money, work and prices in plain Python. It knows no kernel."""

from __future__ import annotations

from functools import partial

from tests.features.definitions.plain import (
    Definition,
    Row,
    Rows,
    change,
    column,
    log_return,
    minus,
    zscore_of,
)

LEVELS = (
    "credit_spread", "financial_conditions", "financial_stress", "jobless_claims",
    "consumer_sentiment", "treasury_10y", "breakeven_5y",
)  # fmt: skip
DIFFERENCES = {
    "curve_10y_2y": ("treasury_10y", "treasury_2y"),
    "mortgage_spread": ("mortgage_rate", "treasury_10y"),
}
MOVES = {
    20: (
        "credit_spread", "curve_10y_3m", "financial_conditions", "financial_stress",
        "mortgage_rate", "treasury_2y",
    ),
    60: (
        "credit_spread", "curve_10y_3m", "financial_conditions", "financial_stress",
        "mortgage_rate", "treasury_2y", "treasury_10y", "consumer_sentiment",
        "unemployment", "m2_growth_12m", "industry_growth_12m", "cpi_growth_12m",
        "ppi_growth_12m",
    ),
}  # fmt: skip


def _less(row: Row, name: str) -> float | None:
    left, right = DIFFERENCES[name]
    return minus(row[left], row[right])


def _zscore_less(rows: Rows, name: str) -> float | None:
    return zscore_of([_less(row, name) for row in rows], 189)


def _zscore(rows: Rows, name: str) -> float | None:
    return zscore_of(column(rows, name), 189)


def _curve_change(rows: Rows) -> float | None:
    if len(rows) <= 20:
        return None
    return minus(_less(rows[-1], "curve_10y_2y"), _less(rows[-21], "curve_10y_2y"))


def _acceleration(rows: Rows, of: str) -> float | None:
    names = (f"{of}_growth_3m", f"{of}_growth_12m")
    ages = {rows[-1][f"{name}_age_days"] for name in names}
    short, long = (rows[-1][name] for name in names)
    if len(ages) > 1 or None in (short, long):
        return None
    return 4 * short - long


DEFINITIONS: dict[str, Definition] = {
    **{f"{name}_zscore_252": partial(_zscore, name=name) for name in LEVELS},
    **{f"{name}_zscore_252": partial(_zscore_less, name=name) for name in DIFFERENCES},
    **{
        f"{name}_change_{over}": partial(change, name=name, over=over)
        for over, names in MOVES.items()
        for name in names
    },
    "curve_10y_2y_change_20": _curve_change,
    **{
        f"{name}_change_{over}": partial(log_return, name=name, over=over)
        for name in ("fed_assets", "jobless_claims")
        for over in (20, 60)
    },
    **{
        f"{of}_acceleration": partial(_acceleration, of=of)
        for of in ("cpi", "ppi", "industry")
    },
}
