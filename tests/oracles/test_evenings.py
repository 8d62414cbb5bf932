"""P6 on real files: every feature of an evening is what that evening could compute.

Real oil, VIX and ten-year yield are cut at what was knowable; nothing is simulated, and
what has no input among them is null on both sides.
"""

from __future__ import annotations

from datetime import date

from cbi_stream.engine import foresight
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from cbi_stream.registry.features import PANEL
from tests.oracles import real_lake

EVENINGS = (date(2008, 10, 10), date(2016, 11, 9), date(2020, 3, 16))


def test_no_feature_of_an_evening_changes_later(lake: Lake, graph: Graph) -> None:
    """Twenty years up to three evenings: no cell of any family is another today."""
    families = graph.registry.feature_registry.families
    tables = (PANEL, *(f"features.{name}" for name in families))
    found = foresight.leaks(lake, graph, tables, evenings=EVENINGS, whose="world")
    assert [str(leak) for leak in found] == []


def test_what_is_compared_is_what_the_lake_stores(lake: Lake, graph: Graph) -> None:
    """The panel that is computed in memory for the check is the stored one."""
    made = foresight.View(lake, graph, as_of=None, as_seen=None)
    panel = made.rows(PANEL, graph.registry.sessions.covers)
    by_date = dict(panel.select("date", "vix").iter_rows())
    stored = real_lake.content(lake, PANEL)
    # What the check computes in memory is what the lake stores.
    assert dict(stored.select("date", "vix").iter_rows()) == by_date
    assert by_date[date(2020, 3, 16)] == 57.83  # of the Friday before
