"""What join_spec.yaml expects is true of the real files, and a planted leak is seen."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pytest

from cbi_stream import Finding
from cbi_stream.engine.expecting import judge
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from tests.oracles.real_lake import content

TABLES = ("features.master", "labels.regimes", "staging.prices")


@pytest.fixture(scope="module")
def tables(whole_lake: Lake) -> dict[str, pl.DataFrame]:
    """Return the tables that the tests look at, of every real file of the road."""
    return {table: content(whole_lake, table) for table in TABLES}


def _judged(graph: Graph, tables: Mapping[str, pl.DataFrame]) -> dict[str, Finding]:
    gates = [each.gate for each in graph.expected]
    return judge(graph.registry, gates, tables)


def _failed(found: Mapping[str, Finding]) -> set[str]:
    return {name for name, finding in found.items() if not finding.passed}


def test_every_expectation_is_true_of_the_real_files(
    graph: Graph, tables: dict[str, pl.DataFrame]
) -> None:
    """Nothing true is held back, and the weights leave most rows effective."""
    found = _judged(graph, tables)
    assert _failed(found) == set()
    assert len(found) >= 60
    assert "73.0 % of 6623 rows" in found["expect_weight_range[labels.regimes]"].found


def test_positions_that_join_on_their_tuesday_are_seen(
    graph: Graph, tables: dict[str, pl.DataFrame]
) -> None:
    """Moved to the day they were taken, three days before anybody knew them."""
    master = tables["features.master"]
    joins = ("open_interest", "speculators", "hedgers")
    ages = [
        pl.col(f"{name}_age_days") - 3
        for name in master.columns
        if name.startswith(joins) and f"{name}_age_days" in master.columns
    ]
    early = {**tables, "features.master": master.with_columns(ages)}
    found = _judged(graph, early)
    assert _failed(found) == {f"expect_age_gte[{name}]" for name in joins}
    place = found["expect_age_gte[open_interest]"].places[0]
    assert place.endswith("open_interest_age_days=0")


def test_a_join_on_another_grain_is_seen(
    graph: Graph, tables: dict[str, pl.DataFrame]
) -> None:
    """A monthly series read as a daily one has a value on few sessions."""
    monthly = pl.when(pl.col("unemployment_age_days") <= 40).then("unemployment")
    wrong = tables["features.master"].with_columns(monthly.alias("unemployment"))
    found = _judged(graph, {**tables, "features.master": wrong})
    assert _failed(found) == {
        "expect_match_rate_gte[unemployment]",
        "expect_null_rate_below[unemployment]",
    }


def test_a_join_that_adds_nothing_is_seen(
    graph: Graph, tables: dict[str, pl.DataFrame]
) -> None:
    """F32: keys that nothing has; every column is there, and empty."""
    empty = pl.lit(None, dtype=pl.Float64).alias("crude_close")
    wrong = tables["features.master"].with_columns(empty)
    found = _judged(graph, {**tables, "features.master": wrong})
    assert _failed(found) == {
        "expect_match_rate_gte[crude]",
        "expect_null_rate_below[crude]",
    }
    assert found["expect_match_rate_gte[crude]"].found == "crude_close 0.0 %"
