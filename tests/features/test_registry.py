"""What feature_registry.json says of the families. It never looks at real data."""

from __future__ import annotations

import polars as pl
import pytest

from cbi_stream.lake.canonical import schema_of
from cbi_stream.registry.spec import Spec
from tests.features.conftest import HANDLERS, TABLES
from tests.features.definitions import DEFINITIONS


@pytest.mark.parametrize("table", TABLES)
def test_registered_and_computed_are_the_same(registry, whole, table):
    """Every registered column is computed, and none besides, all as doubles."""
    made = HANDLERS[table]
    asked = {"spec": Spec(registry, made.spec)} if made.spec else {}
    found = made(panel=whole, **asked)
    assert dict(found.schema) == schema_of(registry.contracts[table])
    kinds = {kind for name, kind in found.schema.items() if name != "date"}
    assert kinds == {pl.Float64}


def test_each_feature_has_a_definition_here(registry):
    """No feature goes without a formula in plain Python, and none is left over."""
    named = [f.name for t in TABLES for f in registry.feature_registry.of_table(t)]
    assert sorted(named) == sorted(DEFINITIONS)


@pytest.mark.parametrize("table", TABLES)
def test_each_feature_says_what_it_is(registry, table):
    """Formula, unit and a window that the handler's read covers are there."""
    back = HANDLERS[table].reads["features.panel"].back
    features = registry.feature_registry.of_table(table)
    assert all(f.formula and f.unit and f.doc for f in features)
    assert max(f.window_sessions for f in features) == back + 1


@pytest.mark.parametrize("table", TABLES)
def test_sources_are_what_a_feature_draws_on(registry, families, whole, table):
    """Other values of a series move exactly the features that name it."""
    full = families[table](whole)
    drawn: dict[str, set[str]] = {name: set() for name in full.columns}
    for column, joined in registry.join_spec.observations.items():
        if column not in whole.columns:
            continue
        other = whole.with_columns(
            pl.col(column) * 1.37 + 0.01 * pl.int_range(pl.len())
        )
        found = families[table](other)
        for name in full.columns:
            if not full[name].eq_missing(found[name]).all():
                drawn[name].add(f"{joined.source}.{joined.series}")
    for feature in registry.feature_registry.of_table(table):
        assert drawn[feature.name] == set(feature.sources), feature.name


def test_what_was_not_knowable_stays_off_production(registry):
    """Each feature on the production surface draws on grades A and B alone."""
    grades = {
        f"{source}.{series}": entry.pit_grade
        for source, each in registry.data_sources.sources.items()
        for series, entry in each.series.items()
    }
    for table in TABLES:
        for feature in registry.feature_registry.of_table(table):
            worst = max((grades[series] for series in feature.sources), default="A")
            assert feature.surface == "full" or worst in "AB" or feature.lagged_releases
