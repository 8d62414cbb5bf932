"""What holds of every family that reads reports itself. It never looks at real data."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import polars as pl
import pytest

from cbi_stream.engine import probe
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.lake.canonical import canonical, schema_of
from cbi_stream.registry.loader import Registry
from tests.features.reported import FAMILIES

TABLES = tuple(FAMILIES)
Frames = dict[str, pl.DataFrame]
Compute = Callable[..., pl.DataFrame]


@pytest.fixture(scope="module")
def graph(registry: Registry) -> Graph:
    """Return every handler of the project."""
    return discover(registry)


@pytest.fixture(scope="module")
def compute(registry: Registry, graph: Graph) -> Compute:
    """Return a function from a family and its frames to the rows of its table."""

    def rows(table: str, frames: Frames) -> pl.DataFrame:
        node = graph.node(table)
        asked = {"spec": node.spec} if node.spec else {}
        out = node.handler(**frames, **asked)
        assert isinstance(out, pl.DataFrame)
        return canonical(out, registry.contracts[table])

    return rows


@pytest.fixture(scope="module")
def frames(registry: Registry) -> Callable[..., Frames]:
    """Return a function from a family to simulated frames, torn or whole."""

    @cache
    def made(table: str, torn: bool) -> Frames:
        found = FAMILIES[table].frames(registry, torn=torn)
        assert isinstance(found, dict)
        return found

    return lambda table, *, torn: made(table, torn)


def _differing(left: pl.DataFrame, right: pl.DataFrame) -> list[str]:
    return [n for n in left.columns if not left[n].eq_missing(right[n]).all()]


def _same(expected: float | None, value: float | None) -> bool:
    if expected is None or value is None:
        return expected is value
    return math.isclose(expected, value, rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("torn", [False, True])
def test_a_walk_in_plain_python_gives_the_same(registry, compute, frames, table, torn):
    """Each feature on each eleventh session is what the walk over the rows says."""
    given = frames(table, torn=torn)
    found = compute(table, given).to_dicts()
    wrong = []
    listed = given["sessions"].filter("listed").to_dicts()
    for row, session in list(zip(found, listed, strict=True))[::11]:
        told = FAMILIES[table].expected(
            given, session["date"], session["decision_time"]
        )
        for feature in registry.feature_registry.of_table(table):
            expected = told.pop(feature.name, None)
            if not _same(expected, row[feature.name]):
                wrong.append(
                    f"{feature.name} on {row['date']}: {expected},"
                    f" found {row[feature.name]}"
                )
        assert not told, f"no such feature: {sorted(told)}"
    assert wrong == []


@pytest.mark.parametrize("table", TABLES)
def test_the_walk_is_about_values(registry, compute, frames, table):
    """Each feature has values in simulated reports, and more than one."""
    found = compute(table, frames(table, torn=False)).drop("date")
    assert [n for n in found.columns if found[n].drop_nulls().n_unique() < 2] == []
    torn = compute(table, frames(table, torn=True)).drop("date")
    assert [n for n in torn.columns if torn[n].null_count() > 0.7 * torn.height] == []


@pytest.mark.parametrize("table", TABLES)
def test_registered_and_computed_are_the_same(registry, compute, frames, table):
    """The columns are those of the registry, in its order, one row per session."""
    given = frames(table, torn=True)
    found = compute(table, given)
    assert dict(found.schema) == schema_of(registry.contracts[table])
    assert found["date"].equals(given["sessions"].filter("listed")["date"])
    features = registry.feature_registry.of_table(table)
    assert all(f.formula and f.unit and f.doc and f.sources for f in features)


@pytest.mark.parametrize("table", TABLES)
def test_the_probe_finds_the_family_pure(graph, table):
    """The engine's own probe passes the family, bit for bit."""
    assert probe.check(graph, graph.node(table)).window_pure


@pytest.mark.parametrize("table", TABLES)
def test_no_row_sees_what_was_not_knowable(compute, frames, table):
    """Rows knowable after a session's decision change nothing of it, to the bit."""
    given = frames(table, torn=True)
    full = compute(table, given)
    listed = given["sessions"].filter("listed")
    for i in range(5, listed.height, 37):
        decided = listed["decision_time"][i]
        known: dict[str, Any] = {
            name: frame.with_columns(
                value=pl.when(pl.col("knowable_at") <= decided)
                .then("value")
                .otherwise(pl.col("value") * 3.0 + 1.0)
            ).filter(
                (pl.col("knowable_at") <= decided) | (pl.int_range(pl.len()) % 2 == 0)
            )
            for name, frame in given.items()
            if name != "sessions"
        }
        alone = listed.filter(pl.col("date") == listed["date"][i])
        found = compute(table, {"sessions": alone, **known})
        assert _differing(full[i : i + 1], found) == []


@pytest.mark.parametrize("table", TABLES)
def test_sources_are_what_a_feature_draws_on(registry, compute, frames, table):
    """Other values of a series move exactly the features that name it."""
    given = frames(table, torn=True)
    full = compute(table, given)
    drawn: dict[str, set[str]] = {name: set() for name in full.columns}
    named = {s for f in registry.feature_registry.of_table(table) for s in f.sources}
    for source in sorted(named):
        name, _, series = source.partition(".")
        argument = FAMILIES[table].ARGUMENTS.get(name, name)
        row = pl.int_range(pl.len())
        other = given[argument].with_columns(
            value=pl.when(pl.col("series") == series)
            .then(pl.col("value") * (1.2 + 0.1 * (row % 7)))
            .otherwise("value")
        )
        found = compute(table, given | {argument: other})
        for moved in _differing(full, found):
            drawn[moved].add(source)
    for feature in registry.feature_registry.of_table(table):
        # An age is of the stamps, and a report stamps all its figures at once.
        expected = set() if feature.unit == "days" else set(feature.sources)
        assert drawn[feature.name] == expected, feature.name


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_said_about_nothing(compute, frames, table):
    """Without reports every feature is null, and without sessions there is no row."""
    given = frames(table, torn=False)
    none = {n: f if n == "sessions" else f.clear() for n, f in given.items()}
    found = compute(table, none).drop("date")
    assert found.null_count().sum_horizontal().item() == found.height * found.width
    assert compute(table, given | {"sessions": given["sessions"].clear()}).height == 0


def test_what_was_not_knowable_stays_off_production(registry):
    """A feature of grade C is on the full surface, unless it is a release late."""
    grades = {
        f"{source}.{series}": entry.pit_grade
        for source, each in registry.data_sources.sources.items()
        for series, entry in each.series.items()
    }
    for table in TABLES:
        for feature in registry.feature_registry.of_table(table):
            worst = max(grades[series] for series in feature.sources)
            assert feature.reliability == worst, feature.name
            kept_off = worst in "CD" and not feature.lagged_releases
            assert (feature.surface == "full") == kept_off, feature.name
