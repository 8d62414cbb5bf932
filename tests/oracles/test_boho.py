"""Soybean oil beside heating oil on real prices: the figures that a desk knows.

The prices are the real files' own, joined by day outside the project; nothing here
reads a lake.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.engine.graph import Graph
from cbi_stream.lake.canonical import schema_of
from handlers.features.biofuel import biofuel
from handlers.features.crush import crush

HEATING = "cbi_v14_exports/yahoo_finance_comprehensive.biofuel_components_raw.parquet"


@pytest.fixture(scope="module")
def priced(real: Path) -> pl.DataFrame:
    """Return ZL from 2000 to 2026 and heating oil of the same days, rounded to ticks."""
    early = pl.read_csv(real / "yahoo_csv_2021/ZL=F.csv", infer_schema=False).select(
        date=pl.col("Date").str.to_date(),
        close=pl.col("Close").cast(pl.Float64, strict=False),
    )
    young = pl.read_csv(real / "yahoo_futures_2026/soybean_oil.csv").select(
        date=pl.col("date").str.to_date(), close=pl.col("close")
    )
    last = date(2014, 12, 31)
    oil = pl.concat([early.filter(pl.col("date") <= last), young]).drop_nulls()
    fuel = (
        pl.read_parquet(real / HEATING)
        .filter(pl.col("symbol") == "HO=F")
        .select(date=pl.col("date").dt.date(), heating_oil_close=pl.col("Close"))
        .unique("date", keep="first")
    )
    out = oil.join(fuel, on="date", how="left").sort("date")
    return out.with_columns(
        pl.col("close").round(2), pl.col("heating_oil_close").round(4)
    )


def _panel(graph: Graph, priced: pl.DataFrame) -> pl.DataFrame:
    """Return the prices as a panel in which all else is missing."""
    schema = schema_of(graph.registry.contracts["features.panel"])
    return priced.select(
        pl.col(name) if name in priced.columns else pl.lit(None, dtype=kind).alias(name)
        for name, kind in schema.items()
    )


def test_the_spread_is_what_a_desk_sees(graph: Graph, priced: pl.DataFrame) -> None:
    """6,192 days, median 0.804, from -0.487 to 3.271 on 2021-06-08, in $/gal."""
    found = crush(panel=_panel(graph, priced)).select("date", "boho_usd_per_gallon")
    spread = found["boho_usd_per_gallon"].drop_nulls()
    assert priced.height == 6495
    assert spread.len() == 6192
    assert spread.median() == pytest.approx(0.804, abs=5e-4)
    assert spread.min() == pytest.approx(-0.487, abs=5e-4)
    assert spread.max() == pytest.approx(3.271, abs=5e-4)
    highest = found.filter(pl.col("boho_usd_per_gallon") == spread.max())
    assert highest["date"].to_list() == [date(2021, 6, 8)]


def test_credits_were_strained_in_twelve_episodes(
    graph: Graph, priced: pl.DataFrame
) -> None:
    """The rank of five years is above .95 on 9.9 % of days, in 12 episodes.

    A day or two lie on the edge: which of equal spreads counts first is a convention.
    """
    nothing = pl.DataFrame(
        schema=schema_of(graph.registry.contracts["staging.epa_rin"])
    )
    grid = priced.select(
        "date",
        previous=pl.col("date").shift(1),
        decision_time=pl.col("date").cast(pl.Datetime("us", "UTC")),
        listed=pl.lit(value=True),
    )
    found = biofuel(panel=_panel(graph, priced), sessions=grid, epa_rin=nothing)
    rank = found["boho_rank_1260"]
    strained = (rank > 0.95).fill_null(value=False).arg_true().to_list()
    assert len(strained) == pytest.approx(563, abs=2)
    assert 100 * len(strained) / rank.drop_nulls().len() == pytest.approx(9.9, abs=0.05)
    assert 1 + sum(b - a > 20 for a, b in pairwise(strained)) == 12
