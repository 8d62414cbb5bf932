"""P2 on the reference tables: what is committed is what brute force finds changed.

Twenty-two simulated years go the real road. Single lines are then changed, and every
table is rebuilt in memory before and after.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from cbi_stream.doors import landing
from cbi_stream.engine.preview import preview
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.replay import edits, market
from tests.laws import oracle, worlds

GRAPH = worlds.discovered()
SEEN = datetime(2026, 1, 5, tzinfo=UTC)


def _files():
    sessions = GRAPH.registry.sessions.days
    days = [d for d in sessions if date(2000, 3, 15) <= d <= date(2021, 6, 9)]
    return {f.name: f for f in market.market(days)}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A settled lake of 22 simulated years."""
    lake = Lake.create(
        tmp_path_factory.mktemp("p2") / "lake", GRAPH.registry, kind="simulated"
    )
    for file in _files().values():
        _take(lake, file.name, file.data, file.as_of)
    run_wave(lake, GRAPH, probing="off")
    return lake


def _take(lake, name, data, as_of):
    path = lake.folder / name
    path.write_bytes(data)
    landing.drop(lake, path, landing.Hint(as_of=as_of))
    path.unlink()
    assert all(receipt.taken for receipt in landing.take_in(lake, GRAPH))


def _prices(day):
    # Corrections add up, as they do in a lake: no file takes an earlier one back.
    data = _files()["ZL=F.csv"].data
    # A little more: what could not be true would be turned away, and reach nothing.
    CORRECTED[day] = round(_cell(data, day, 4), 2) + 0.5
    for each, close in CORRECTED.items():
        data = edits.corrected(data, day=each, close=close)
    return "ZL=F.csv", data


CORRECTED: dict[date, float] = {}


def _cell(data, day, column):
    """Return the number in a column of a day's line."""
    lines = data.decode().split("\n")
    line = next(each for each in lines if each.startswith(day.isoformat()))
    return float(line.split(",")[column])


def _vix(day, until=date.max):
    data = _files()["VIXCLS.csv"].data
    data = edits.corrected(data, day=day, close=_cell(data, day, 1) + 1.0)
    lines = data.decode().splitlines(keepends=True)
    kept = [
        line for line in lines if line[:1] in "#o" or line[:10] <= until.isoformat()
    ]
    return "VIXCLS.csv", "".join(kept).encode()


def _longer():
    sessions = GRAPH.registry.sessions.days
    days = [d for d in sessions if date(2000, 3, 15) <= d <= date(2021, 6, 14)]
    data = market.market(days)[0].data
    for each, close in CORRECTED.items():
        data = edits.corrected(data, day=each, close=close)
    return "ZL=F.csv", data


CHANGES = {
    "a price in the middle of a year": (lambda: _prices(date(2012, 7, 10)), SEEN),
    "a price on the last session of a year": (
        lambda: _prices(date(2008, 12, 31)),
        SEEN,
    ),
    "a price on the first session of a year": (lambda: _prices(date(2009, 1, 2)), SEEN),
    "an old price": (lambda: _prices(date(2000, 6, 1)), SEEN),
    "a restated VIX, known today": (lambda: _vix(date(2015, 5, 5)), SEEN),
    "a restated VIX, known two days later": (
        lambda: _vix(date(2016, 5, 3), until=date(2016, 5, 4)),
        datetime(2016, 5, 5, 20, tzinfo=UTC),
    ),
    "new sessions": (_longer, SEEN),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_committed_is_what_differs(lake, name):
    """A change commits exactly the partitions that differ, within the plan."""
    make, as_of = CHANGES[name]
    before = oracle.digests(oracle.rebuilt(lake, GRAPH))
    _take(lake, *make(), as_of)
    promised = {(task.table, task.partition) for task in preview(lake, GRAPH)}
    report = run_wave(lake, GRAPH, probing="off")
    after = oracle.digests(oracle.rebuilt(lake, GRAPH))
    differ = {
        (table, partition)
        for table, parts in after.items()
        for partition in parts.keys() | before[table].keys()
        if parts.get(partition) != before[table].get(partition)
    }
    # A conform step is computed once for its two tables (engine/step.py).
    planned = sum(
        table.planned
        for name, table in report.tables.items()
        if not name.startswith("quarantine.")
    )
    assert sum(table.changed for table in report.tables.values()) == len(differ)
    assert oracle.stored(lake, GRAPH) == after
    assert differ <= promised
    RATIOS[name] = (planned, len(promised), len(differ))


RATIOS: dict[str, tuple[int, int, int]] = {}


def test_the_plans_are_tight():
    """Over all these changes at most 1.25 partitions are computed per changed one."""
    assert len(RATIOS) == len(CHANGES), "run the whole file"
    planned, promised, differ = (
        sum(column) for column in zip(*RATIOS.values(), strict=True)
    )
    assert differ <= planned <= 1.25 * differ, RATIOS
    assert planned <= promised, RATIOS
