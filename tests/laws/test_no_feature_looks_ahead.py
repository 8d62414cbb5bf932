"""P6: no feature knows what came after its evening; fifteen planted leaks are caught.

Three eyes look: the probe, which changes the future on simulated frames; the world's
evenings, which cut the lake at what was knowable; and the lake's evenings, which cut it
at the files that had been seen. A planted leak names its column and its first date.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.doors import landing
from cbi_stream.engine import foresight, probe
from cbi_stream.engine.asof import View
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.tampering import probed_span
from cbi_stream.lake.lake import Lake
from cbi_stream.registry.features import PANEL
from cbi_stream.replay import edits
from cbi_stream.replay.market import SimulatedFile, lay_down
from cbi_stream.replay.pull import complex_market
from cbi_stream.words.errors import DishonestWindow, LooksAhead
from cbi_stream.words.span import Span
from tests.laws import leaks, worlds

GRAPH = worlds.discovered()
TABLES = (PANEL, *(f"features.{n}" for n in GRAPH.registry.feature_registry.families))
SESSIONS = GRAPH.registry.sessions.between(Span(date(2022, 7, 1), date(2023, 12, 30)))
PULLS = (date(2023, 6, 14), date(2023, 9, 20), date(2023, 12, 29))
TRADED = 39.01
UNFINISHED = date(2023, 7, 12)
RESTATED, RESTATED_TO = date(2023, 5, 15), 14.98
WORLD = (date(2022, 9, 9), date(2023, 6, 15), date(2023, 9, 21), date(2023, 11, 22))
LAKE = (date(2023, 6, 15), UNFINISHED, date(2023, 9, 21))
"""Evenings on which the newest pull is a day old at most, or less: then a file is
as new as the world."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Return a lake whose files came as they were published; no wave has run.

    Three pulls of everything; in between a bar of 14:00 in Chicago that is not final,
    and with the second pull one VIX of four months before restated.
    """
    folder = tmp_path_factory.mktemp("evenings")
    made = Lake.create(folder / "lake", GRAPH.registry, kind="simulated")
    for end in PULLS:
        files = complex_market([d for d in SESSIONS if d <= end], lead=0)
        if end > PULLS[0]:
            files = [_restated(file) for file in files]
        if end == PULLS[1]:
            _hand_in(made, folder, _unfinished())
        _hand_in(made, folder, files)
    return made


def _hand_in(lake: Lake, folder: Path, files: list[SimulatedFile]) -> None:
    paths = lay_down(files, folder / "in")
    for path, file in zip(paths, files, strict=True):
        landing.drop(lake, path, landing.Hint(as_of=file.as_of))
    assert all(told.taken for told in landing.take_in(lake, GRAPH))


def _restated(file: SimulatedFile) -> SimulatedFile:
    if file.name != "VIXCLS.csv":
        return file
    data = edits.corrected(file.data, day=RESTATED, close=RESTATED_TO)
    return SimulatedFile(file.name, data, file.as_of)


def _unfinished() -> list[SimulatedFile]:
    """Return the files of 14:00; the oil's newest bar goes on to trade."""
    seen = datetime(2023, 7, 12, 19, tzinfo=UTC)
    days = [d for d in SESSIONS if d <= UNFINISHED]
    files = {file.name: file for file in complex_market(days, lead=0, as_of=seen)}
    oil = files["ZL=F.csv"]
    data = edits.corrected(oil.data, day=UNFINISHED, close=TRADED)
    return [*({**files, oil.name: SimulatedFile(oil.name, data, seen)}.values())]


def _check(
    lake: Lake, graph: Graph, *tables: str, whose: foresight.Whose = "world"
) -> None:
    evenings = WORLD if whose == "world" else LAKE
    foresight.check(lake, graph, tables, evenings=evenings, whose=whose)


# -- the law -------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["world", "lake"])
def test_every_feature_is_what_its_evening_had(lake, whose):
    """Every row up to an evening, from what was there by then, is the later row."""
    evenings = WORLD if whose == "world" else LAKE
    found = foresight.leaks(lake, GRAPH, TABLES, evenings=evenings, whose=whose)
    assert [str(leak) for leak in found] == []


def test_the_law_is_about_values(lake):
    """Nearly all of the panel and the first families have values on those evenings."""
    view = View(lake, GRAPH, as_of=None, as_seen=datetime(9999, 1, 1, tzinfo=UTC))
    held = 0
    for table in TABLES:
        rows = view.rows(table, Span(SESSIONS[0], WORLD[-1]))
        assert rows.height > 340, table
        held += sum(rows[name].count() > 60 for name in rows.columns)
    assert held > 80


def test_the_evenings_saw_other_things(lake):
    """The lake does hold a restated value and a bar that was not final."""
    fear = foresight.View(lake, GRAPH, as_of=None, as_seen=_at(2024, 2, 1))
    rows = fear.rows("staging.fred", Span.day(RESTATED))
    values = rows.filter(pl.col("series") == "VIXCLS")["value"].to_list()
    assert len(values) == 2
    assert values[1] == RESTATED_TO
    bars = fear.rows("raw.yahoo", Span.day(UNFINISHED)).filter(pl.col("symbol") == "ZL")
    assert bars["close"].n_unique() == 2


# -- what the probe sees -------------------------------------------------------


def _first_probed(graph: Graph, table: str) -> date:
    """Return the first day that the probe looks at."""
    node = graph.node(table)
    span = probed_span(graph, node)
    frames = probe.frames_for_probe(graph, node, span)
    return probe._days_to_probe(probe._run(node, frames, span))[0]


def _z(column: str) -> pl.Expr:
    value = pl.col(column)
    return (value - value.mean()) / value.std()


def _month_end(_: pl.DataFrame) -> pl.Expr:
    return pl.col("close").last().over(pl.col("date").dt.truncate("1mo"))


def test_the_probe_looks_at_every_observed_column():
    """The frames hold the series that the panel joins: a column of nulls shows no leak."""
    node = GRAPH.node(PANEL)
    span = probed_span(GRAPH, node)
    made = probe._run(node, probe.frames_for_probe(GRAPH, node, span), span)
    joins = GRAPH.registry.join_spec
    names = [*joins.observations, *joins.prices]
    assert [name for name in names if made[name].count() == 0] == []


IN_A_FEATURE = {
    "future shift": lambda _: pl.col("close").shift(-1),
    "full-sample quantile": lambda _: pl.col("close") - pl.col("close").quantile(0.9),
    "back-fill": lambda _: pl.col("close").backward_fill(),
    "centred window": lambda _: pl.col("close").rolling_mean(5, center=True),
    "scaler on all rows": lambda _: _z("close"),
    "resample to the period's end": _month_end,
}


@pytest.mark.parametrize("kind", IN_A_FEATURE)
def test_a_leak_inside_a_feature_is_probed(kind):
    """A formula that looks ahead is refused with its column, on the first day it shows."""
    graph = leaks.in_technical(GRAPH, "return_5", IN_A_FEATURE[kind])
    with pytest.raises(DishonestWindow, match="looks ahead: return_5 on") as caught:
        probe.check(graph, graph.node(leaks.TECHNICAL))
    if kind != "back-fill":  # that one shows where a value is missing
        first = _first_probed(graph, leaks.TECHNICAL)
        assert f"return_5 on {first} " in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("revised value", leaks.newest_everywhere),
        ("release-date join", leaks.known_on_its_date),
    ],
)
def test_a_leak_inside_a_join_is_probed(kind, wrong):
    """A panel that takes what was not released yet is refused with the column."""
    graph = leaks.in_joins(GRAPH, wrong, "fred")
    with pytest.raises(DishonestWindow, match=r"looks ahead: \w+ on \d{4}-") as caught:
        probe.check(graph, graph.node(PANEL))
    column, day = _named(caught.value)
    observed = GRAPH.registry.join_spec.observations
    assert observed[column.removesuffix("_age_days")].source == "fred", kind
    assert day >= _first_probed(graph, PANEL)


def test_the_probe_names_the_first_day_of_a_leak_that_begins_late():
    """A leak from one day on is named with the first of the probe's days that has it."""
    node = GRAPH.node(leaks.TECHNICAL)
    span = probed_span(GRAPH, node)
    made = probe._run(node, probe.frames_for_probe(GRAPH, node, span), span)
    probed = probe._days_to_probe(made)
    late = pl.col("date") >= probed[2]
    ahead, now = pl.col("close").shift(-1), pl.col("close")
    graph = leaks.in_technical(
        GRAPH, "rank_252", lambda _: pl.when(late).then(ahead).otherwise(now)
    )
    with pytest.raises(DishonestWindow) as caught:
        probe.check(graph, graph.node(leaks.TECHNICAL))
    assert _named(caught.value) == ("rank_252", probed[2])


# -- what only an earlier evening sees -----------------------------------------


def _blind(graph: Graph, *tables: str) -> None:
    """Assert that the probe passes what the evenings catch: they are needed."""
    for table in tables:
        probe.check(graph, graph.node(table))


def _caught(lake: Lake, graph: Graph, table: str, whose: foresight.Whose) -> LooksAhead:
    with pytest.raises(LooksAhead) as caught:
        _check(lake, graph, table, whose=whose)
    return caught.value


def test_a_later_close_of_the_same_day_is_caught(lake):
    """Gold that settles the next morning stands in no row of its own day."""
    graph = leaks.in_conform(
        GRAPH, "staging.prices", lambda rows: leaks.settled_next_morning(rows, "GC")
    )
    _blind(graph, PANEL)
    found = _caught(lake, graph, PANEL, "world")
    # Of an evening only its own session's settlement is not out.
    assert _named(found) == ("gold_close", WORLD[0])


def test_an_echo_of_the_target_is_caught(lake):
    """A label among the features is null on the evening, and a number a week later."""
    graph = leaks.echo_of_the_target(GRAPH)
    _blind(graph, leaks.MACRO)
    column, day = _named(_caught(lake, graph, leaks.MACRO, "world"))
    assert column == "vix_change_5"
    assert (WORLD[0] - day).days < 7  # the first label that had not matured


def test_a_weight_of_hindsight_is_caught(lake):
    """A regime that nobody could name yet weighs nothing; one that counts late may."""
    graph = leaks.weight_of_the_regime(GRAPH)
    _blind(graph, leaks.MACRO)
    # Named on 2023-11-01, from its first session on.
    found = _caught(lake, graph, leaks.MACRO, "world")
    assert _named(found) == ("vix_change_5", date(2023, 1, 3))
    _check(lake, leaks.weight_of_the_regime(GRAPH, honest=True), leaks.MACRO)


def test_positions_of_tuesday_are_caught(lake):
    """The report of a Tuesday is not known before its Friday."""
    graph = leaks.with_release(GRAPH, "cftc")
    column, day = _named(_caught(lake, graph, PANEL, "lake"))
    assert column.startswith(("open_interest", "speculators", "hedgers"))
    assert day == date(2023, 6, 13)  # the Tuesday before the pull of Thursday


def test_the_latest_vintage_for_the_first_is_caught(lake):
    """A value restated in September is not what May saw."""
    graph = leaks.in_conform(GRAPH, "staging.fred", leaks.newest_everywhere)
    column, day = _named(_caught(lake, graph, PANEL, "lake"))
    assert (column, day) == ("vix", date(2023, 5, 16))


def test_an_unfinished_bar_is_caught(lake):
    """What traded at 14:00 is no close."""
    graph = leaks.with_release(GRAPH, "yahoo")
    found = _caught(lake, graph, PANEL, "lake")
    assert str(TRADED) in str(found)
    assert _named(found)[1] == UNFINISHED


def test_a_survey_on_its_slot_date_is_caught(lake):
    """The household survey of June is dated June 1st, and out in July."""
    graph = leaks.with_release(GRAPH, "fred", series="UNRATE")
    column, day = _named(_caught(lake, graph, PANEL, "lake"))
    assert column in ("unemployment", "unemployment_age_days")
    assert day == date(2023, 6, 1)


def test_a_leak_of_staging_reaches_the_families(lake):
    """What a release rule lets in is caught in the families as well."""
    graph = leaks.with_release(GRAPH, "cftc")
    column, _ = _named(_caught(lake, graph, leaks.MACRO, "lake"))
    assert column in ("speculators_net_share", "hedgers_net_share", "wti_basis") or (
        "open_interest" in column
    )


def _named(error: Exception) -> tuple[str, date]:
    """Return the column and the day of a message."""
    found = re.search(r": (\S+) on (\d{4}-\d\d-\d\d)", str(error))
    assert found, error
    return found[1], date.fromisoformat(found[2])


def _at(*day: int) -> datetime:
    return datetime(*day, tzinfo=UTC)
