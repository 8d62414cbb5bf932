"""The biofuel family, which reads weeks of credits beside the panel. No lake is opened."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from cbi_stream.engine import probe
from cbi_stream.engine.graph import discover
from cbi_stream.engine.slices import grid_frame
from cbi_stream.lake.canonical import canonical, schema_of
from cbi_stream.words.span import Span
from handlers.features.biofuel import biofuel
from tests.features import panels
from tests.features.definitions.biofuel import BIOFUEL

TABLE = "features.biofuel"
STEPS = {"rin_d4_step_1w": "d4.all.all", "rin_d6_step_1w": "d6.all.all"}
ROWS = (20, 60, 251, 252, 260, 400, 503, 504, 512, 660, 700, 780, 899, 1100, 1320, 1399)
"""Rows around which windows fill, and the end."""
SESSIONS = 1400


@pytest.fixture(scope="module")
def long(registry):
    """Return panels that five years fit into: a whole one, and a torn one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(panels, "SESSIONS", SESSIONS)
        return panels.whole(registry, seed=4), panels.torn(registry, seed=5)


@pytest.fixture(scope="module")
def weeks(registry, long):
    """Return weekly prices, some restated, taken back, zero or left out."""
    first, rows = long[0]["date"][0], []
    monday = first - timedelta(days=first.weekday() + 70)
    for i in range(330):
        day = monday + timedelta(weeks=i)
        if i % 23 == 5:
            continue
        for n, series in enumerate((*STEPS.values(), "d3.all.all")):
            value = 1.0 + 0.3 * math.sin(i / 7 + n) + 0.01 * (i % 5)
            rows.append(_week(series, day, 0.0 if i % 31 == 7 else value, 52))
            if i % 6 == 2:
                later = None if i % 18 == 2 else value * 1.02
                rows.append(_week(series, day, later, 75, vintage=1))
    contract = registry.contracts["staging.epa_rin"]
    full = [{n: row.get(n) for n in contract.columns} for row in rows]
    frame = pl.DataFrame(full, schema=schema_of(contract), orient="row")
    return frame.sort(contract.key)


def _week(series, day, value, late, vintage=0):
    told = datetime(day.year, day.month, day.day, 21, tzinfo=UTC) + timedelta(days=late)
    row = {"series": series, "date": day, "vintage": vintage, "value": value}
    return row | {"knowable_at": told}


def _grid(registry, panel):
    days = Span(panel["date"][0], panel["date"][-1] + timedelta(days=1))
    return grid_frame(registry, days, days)


def _made(registry, panel, weeks):
    made = biofuel(panel=panel, sessions=_grid(registry, panel), epa_rin=weeks)
    return canonical(made, registry.contracts[TABLE])


def _differing(left, right):
    return [n for n in left.columns if not left[n].eq_missing(right[n]).all()]


def _same(expected, value):
    if expected is None or value is None:
        return expected is value
    return math.isclose(expected, value, rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize("torn", [0, 1])
def test_what_comes_from_the_panel_is_what_the_formulas_say(
    registry, long, weeks, torn
):
    """Values and nulls equal the formulas in plain Python, holes or none."""
    rows, found = long[torn].to_dicts(), _made(registry, long[torn], weeks).to_dicts()
    wrong = []
    for feature in registry.feature_registry.of_table(TABLE):
        if feature.name in STEPS:
            continue
        for t in ROWS:
            window = rows[max(0, t + 1 - feature.window_sessions) : t + 1]
            expected = BIOFUEL[feature.name](window)
            if not _same(expected, found[t][feature.name]):
                wrong.append((feature.name, t, expected, found[t][feature.name]))
    assert wrong == []


def _last_known(rows, day, decided):
    """Return the newest week with a value then, by walking over all lines."""
    best = {}
    for row in sorted(rows, key=lambda r: (r["date"], r["vintage"])):
        if row["knowable_at"] <= decided and row["date"] <= day:
            best[row["date"]] = row["value"]
    return best


def _step(rows, day, decided):
    best = _last_known(rows, day, decided)
    there = [d for d, v in best.items() if v is not None and (day - d).days <= 90]
    if not there:
        return None
    newest = max(there)
    before = best.get(newest - timedelta(days=7))
    if before is None or before <= 0 or best[newest] <= 0:
        return None
    return math.log(best[newest]) - math.log(before)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_between_two_weeks_that_were_out(registry, long, weeks, name):
    """A walk over every line finds the same step: last versions known, none later."""
    grid = _grid(registry, long[0])
    decided = dict(grid.select("date", "decision_time").rows())
    lines = weeks.filter(pl.col("series") == STEPS[name]).to_dicts()
    found = _made(registry, long[0], weeks)
    values = dict(found.select("date", name).rows())
    days = [d for i, d in enumerate(values) if i % 3 == 0]
    wrong = [
        (d, values[d])
        for d in days
        if not _same(_step(lines, d, decided[d]), values[d])
    ]
    assert wrong == []
    assert 50 < sum(values[d] is None for d in days) < 250


def test_a_week_that_is_told_later_changes_nothing_before(registry, long, weeks):
    """Other prices in lines that come after a session leave its row as it is."""
    full = _made(registry, long[0], weeks)
    cut = _grid(registry, long[0])["decision_time"][800]
    later = pl.col("knowable_at") > cut
    other = weeks.with_columns(value=pl.when(later).then(9.9).otherwise("value"))
    moved = _made(registry, long[0], other)
    assert _differing(full[:801], moved[:801]) == []
    assert _differing(full[801:], moved[801:]) == [*STEPS]


def test_the_probe_finds_it_pure(registry):
    """The engine's own probe passes the family, bit for bit."""
    graph = discover(registry)
    assert probe.check(graph, graph.node(TABLE)).window_pure


def test_a_late_slice_equals_the_long_one(registry, long, weeks):
    """Rows computed from a slice that begins later are the same to the bit."""
    panel = long[1]
    back = biofuel.reads["features.panel"].back
    full = _made(registry, panel, weeks)
    late = _made(registry, panel[97:], weeks)
    assert _differing(full[97 + back :], late[back:]) == []
    for feature in registry.feature_registry.of_table(TABLE):
        start = 1399 - feature.window_sessions + 1
        alone = _made(registry, panel[start:], weeks)
        assert _same(alone[feature.name][-1], full[feature.name][-1]), feature.name


def test_registered_and_computed_are_the_same(registry, long, weeks):
    """Every registered column is computed and has a definition, all as doubles."""
    found = biofuel(panel=long[0], sessions=_grid(registry, long[0]), epa_rin=weeks)
    names = {f.name for f in registry.feature_registry.of_table(TABLE)}
    assert set(found.columns) == {"date", *names}
    assert names == {*BIOFUEL, *STEPS}
    assert {t for n, t in found.schema.items() if n != "date"} == {pl.Float64}
    values = _made(registry, long[0], weeks)[505:].drop("date", *STEPS)
    assert values.null_count().sum_horizontal().item() == 0


def test_sources_are_what_a_feature_draws_on(registry, long, weeks):
    """Other values of a series move exactly the features that name it."""
    panel = long[0]
    full = _made(registry, panel, weeks)
    drawn = {name: set() for name in full.columns}
    for column, joined in registry.join_spec.observations.items():
        other = panel.with_columns(
            pl.col(column) * 1.37 + 0.01 * pl.int_range(pl.len())
        )
        found = _made(registry, other, weeks)
        for name in _differing(full, found):
            drawn[name].add(f"{joined.source}.{joined.series}")
    for feature in registry.feature_registry.of_table(TABLE):
        if feature.name in STEPS:
            assert feature.sources == (f"epa_rin.{STEPS[feature.name]}",)
        else:
            assert drawn[feature.name] == set(feature.sources), feature.name


def test_a_lake_without_the_files_has_nulls(registry, long, weeks):
    """Without prices of credits everything that needs one is null, the rest stays."""
    columns = [c for c in long[0].columns if c.startswith("rin_")]
    bare = long[0].with_columns(
        pl.lit(None, dtype=long[0].schema[c]).alias(c) for c in columns
    )
    found = _made(registry, bare, weeks.clear())
    full = _made(registry, long[0], weeks)
    for feature in registry.feature_registry.of_table(TABLE):
        needs = any(each.startswith("epa_rin") for each in feature.sources)
        if needs:
            assert found[feature.name].null_count() == found.height, feature.name
        else:
            assert found[feature.name].eq_missing(full[feature.name]).all()


def test_five_years_are_ranked_from_two_years_on(registry, long, weeks):
    """The rank begins with the 504th value and looks at 1,260 sessions at most."""
    found = _made(registry, long[0], weeks)["boho_rank_1260"]
    assert found.is_null().arg_min() == 503
    moved = long[0].with_columns(
        close=pl.when(pl.col("date") == date(2010, 6, 1)).then(900.0).otherwise("close")
    )
    other = _made(registry, moved, weeks)["boho_rank_1260"]
    changed = (found != other).fill_null(value=False).arg_true().to_list()
    assert changed
    assert max(changed) <= 1259
