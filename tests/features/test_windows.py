"""Features depend on their stated window and on nothing else, bit for bit."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from cbi_stream import days, handler, sessions
from cbi_stream.engine import probe
from cbi_stream.engine.graph import Graph, build
from cbi_stream.engine.slices import plain
from cbi_stream.registry.loader import Registry
from cbi_stream.words.errors import DishonestWindow
from handlers.features.macro import macro
from handlers.features.technical import technical
from tests.features.conftest import HANDLERS, TABLES

LATE = (330, 421, 502, 540, 612, 655, 700, 759)
PRICES = ("open", "high", "low", "close", "soybeans_close", "meal_close")


@handler(reads={"raw.fred": days()}, writes="features.panel")
def nothing(fred: pl.DataFrame) -> pl.DataFrame:
    """Stand where the panel is made; the probe makes panels by itself."""
    return fred


def _graph(registry: Registry, *declared: object) -> Graph:
    given = {d.writes for d in declared}
    kept = [h for h in HANDLERS.values() if h.writes not in given]
    return build(registry, [nothing, *kept, *declared])


def _differing(left: pl.DataFrame, right: pl.DataFrame) -> list[str]:
    return [n for n in left.columns if not left[n].eq_missing(right[n]).all()]


@pytest.mark.parametrize("table", TABLES)
def test_the_probe_finds_the_family_pure(registry, table):
    """The engine's own probe passes each family, bit for bit."""
    graph = _graph(registry)
    assert probe.check(graph, graph.node(table)).window_pure


@pytest.mark.parametrize("table", TABLES)
def test_a_late_slice_equals_the_long_one(families, panel, table):
    """Rows computed from a slice that begins later are the same to the bit."""
    back = HANDLERS[table].reads["features.panel"].back
    full = families[table](panel)
    for first in (1, 97, 250, 431):
        late = families[table](panel[first:])[back:]
        assert _differing(full[first + back :], late) == []


@pytest.mark.parametrize("table", TABLES)
def test_stated_windows_hold_everything(registry, families, panel, table):
    """A row computed from its feature's window alone is the same to the bit."""
    full = families[table](panel)
    by_window: dict[int, list[str]] = {}
    for feature in registry.feature_registry.of_table(table):
        by_window.setdefault(feature.window_sessions, []).append(feature.name)
    for window, names in by_window.items():
        for t in LATE:
            alone = families[table](panel[t + 1 - window : t + 1])[-1:]
            assert _differing(full[t : t + 1].select(names), alone.select(names)) == []


@pytest.mark.parametrize("table", TABLES)
def test_stated_windows_hold_nothing_more(registry, families, whole, table):
    """The oldest row of a stated window matters: without it some value is another."""
    full = families[table](whole)
    numbers = [n for n, kind in whole.schema.items() if kind == pl.Float64]
    idle = []
    for feature in registry.feature_registry.of_table(table):
        if feature.window_sessions == 1:
            continue
        for t in (700, 701, 702, 703, 704, 705, 706, 759):
            window = whole[t + 1 - feature.window_sessions : t + 1]
            oldest = pl.int_range(pl.len()) == 0
            others = [window[1:]]
            others += [
                window.with_columns(
                    pl.when(oldest).then(pl.col(n) * by).otherwise(n).alias(n)
                    for n in numbers
                )
                for by in (5.0, 0.2)
            ]
            if any(
                families[table](o)[feature.name][-1] != full[feature.name][t]
                for o in others
            ):
                break
        else:
            idle.append(feature.name)
    assert idle == []


def test_one_row_is_computed_like_many(families, panel):
    """A session alone has the same bits as among others (decision 0010)."""
    ones = {
        "features.technical": ["oil_share"],
        "features.macro": [
            "speculators_net_share",
            "hedgers_net_share",
            "curve_10y_2y",
        ],
    }
    for table, names in ones.items():
        full = families[table](panel).select(names)
        for t in range(0, panel.height, 11):
            alone = families[table](panel[t : t + 1]).select(names)
            assert _differing(full[t : t + 1], alone) == []


@pytest.mark.parametrize("table", TABLES)
def test_how_a_column_is_held_does_not_matter(families, whole, table):
    """A column held as one value and a length gives the bits of one held in full."""
    numbers = [name for name in whole.columns if name != "date"]
    held = whole.with_columns(
        pl.lit(whole[name][0], dtype=whole[name].dtype).alias(name) for name in numbers
    )
    spelled = plain(held)
    assert _differing(families[table](held), families[table](spelled)) == []
    moving = whole.with_columns(
        open_interest=held["open_interest"], close=held["close"]
    )
    assert _differing(families[table](moving), families[table](plain(moving))) == []


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_said_about_nothing(families, whole, table):
    """No rows give no rows, and a panel of nulls gives nulls."""
    assert families[table](whole.clear()).height == 0
    empty = whole.select(
        "date",
        *(
            pl.lit(None, dtype=t).alias(n)
            for n, t in whole.schema.items()
            if n != "date"
        ),
    )
    found = families[table](empty).drop("date")
    assert found.null_count().sum_horizontal().item() == found.height * found.width


def test_a_look_ahead_is_caught(registry):
    """Tomorrow's VIX in a macro feature is refused by name."""

    @handler(reads=macro.reads, writes="features.macro")
    def liar(panel: pl.DataFrame) -> pl.DataFrame:
        ahead = pl.col("vix").shift(-1) - pl.col("vix").shift(4)
        out = macro(panel=panel)
        return out.with_columns(panel.select(vix_change_5=ahead))

    graph = _graph(registry, liar)
    with pytest.raises(DishonestWindow, match="looks ahead: vix_change_5"):
        probe.check(graph, graph.node("features.macro"))


def test_a_read_that_is_declared_too_short_is_caught(registry):
    """The technical family with a year less a day of its reach is refused."""
    short = replace(technical, reads={"features.panel": sessions(back=250)})
    graph = _graph(registry, short)
    with pytest.raises(DishonestWindow, match="reads too far back"):
        probe.check(graph, graph.node("features.technical"))
