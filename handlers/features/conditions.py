"""Credit, money, work and prices: how tight and how hot the economy is.

It never sets two vintages against each other inside one growth: growth comes from the
panel, where both of its values are as they were known. Weekly and monthly numbers come
as steps, so windows count sessions, not reports.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k

COLUMNS = (
    "credit_spread", "curve_10y_3m", "financial_conditions", "financial_stress",
    "fed_assets", "mortgage_rate", "jobless_claims", "consumer_sentiment",
    "m2_growth_12m", "industry_growth_12m", "industry_growth_3m", "unemployment",
    "cpi_growth_12m", "cpi_growth_3m", "ppi_growth_12m", "ppi_growth_3m",
    "cpi_growth_12m_age_days", "cpi_growth_3m_age_days", "ppi_growth_12m_age_days",
    "ppi_growth_3m_age_days", "industry_growth_12m_age_days",
    "industry_growth_3m_age_days",
)  # fmt: skip
"""What the features read, besides the yields and VIX."""

_STANDARDISED = (
    "credit_spread", "financial_conditions", "financial_stress", "jobless_claims",
    "consumer_sentiment", "treasury_10y", "breakeven_5y", "curve_10y_2y",
    "mortgage_spread",
)  # fmt: skip
_MOVED = {
    "credit_spread": (20, 60),
    "curve_10y_3m": (20, 60),
    "curve_10y_2y": (20,),
    "financial_conditions": (20, 60),
    "financial_stress": (20, 60),
    "mortgage_rate": (20, 60),
    "treasury_2y": (20, 60),
    "treasury_10y": (60,),
    "consumer_sentiment": (60,),
    "unemployment": (60,),
    "m2_growth_12m": (60,),
    "industry_growth_12m": (60,),
    "cpi_growth_12m": (60,),
    "ppi_growth_12m": (60,),
}
"""Differences in the unit of the series, over so many sessions."""
_GREW = {"fed_assets": (20, 60), "jobless_claims": (20, 60)}
"""Log changes over so many sessions."""
_ROLLED = {
    f"{name}_zscore_252": k.zscore(name, 252, min_count=189) for name in _STANDARDISED
}


def conditions(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    The real policy rate's change needs no column of its own here: rates and expected
    inflation stand beside each other in `macro`.
    """
    levels = panel.with_columns(
        curve_10y_2y=pl.col("treasury_10y") - pl.col("treasury_2y"),
        mortgage_spread=pl.col("mortgage_rate") - pl.col("treasury_10y"),
    )
    moved = {
        f"{name}_change_{over}": pl.col(name) - k.lag(name, over)
        for name, each in _MOVED.items()
        for over in each
    }
    grew = {
        f"{name}_change_{over}": k.log_return(name, over)
        for name, each in _GREW.items()
        for over in each
    }
    return k.roll(levels, _ROLLED).select(
        *_ROLLED,
        **moved,
        **grew,
        **{
            f"{of}_acceleration": _acceleration(of) for of in ("cpi", "ppi", "industry")
        },
    )


def _acceleration(of: str) -> pl.Expr:
    """Return growth of three months, at a yearly pace, less that of twelve; log a year.

    Both end with one month, as one vintage had it; where they do not, null. It is what
    the newest months add to the year before them: a surprise needs no forecast here.
    """
    short, long = f"{of}_growth_3m", f"{of}_growth_12m"
    one_month = pl.col(f"{short}_age_days") == pl.col(f"{long}_age_days")
    return pl.when(one_month).then(pl.col(short) * 4.0 - pl.col(long))
