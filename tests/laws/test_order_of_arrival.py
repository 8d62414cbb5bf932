"""Files that say when they were seen may come in any order: staging is the same.

Random files about a few days, each stated as seen at its own time, taken one by one in
two orders. The clock is held, so that when this lake saw them is the same too.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbi_stream.doors import dropping, landing
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import arrivals
from cbi_stream.lake.lake import Lake
from cbi_stream.replay.market import MARK, YAHOO_HEADER
from cbi_stream.words import clock
from tests.laws import worlds

GRAPH = worlds.discovered()
NOW = datetime(2018, 6, 1, tzinfo=UTC)
DAYS = [date(2018, 3, 5) + timedelta(days=i) for i in range(4)]
TABLES = ("staging.prices", "staging.fred", "quarantine.prices", "quarantine.fred")

cells = st.lists(
    st.tuples(st.sampled_from(DAYS), st.sampled_from(["1", "2", "3", "x"])),
    min_size=1,
    max_size=5,
)
series = st.lists(cells, min_size=2, max_size=5)


def _level(value):
    """Return a number that can be an index, and the price of oil; `x` is none."""
    return value if value == "x" else f"1{value}"


def _observations(rows):
    lines = [f"{day},{_level(value)}" for day, value in rows]
    return "\n".join([MARK, "observation_date,VIXCLS", *lines, ""])


def _bars(rows):
    lines = [f"{day},{','.join([_level(value)] * 5)},7" for day, value in rows]
    return "\n".join([MARK, YAHOO_HEADER, *lines])


def _files(kinds):
    """Give each file its text and its own time, hours to weeks after the days."""
    found = []
    for name, text, series in kinds:
        for i, rows in enumerate(series):
            seen = datetime(2018, 3, 6, 3, tzinfo=UTC) + timedelta(hours=19 * i)
            found.append((f"{name[:-4]}_asof_{i}.csv", text(rows), seen, name))
    return found


def _roots(files):
    folder = Path(tempfile.mkdtemp())
    try:
        lake = Lake.create(folder / "lake", GRAPH.registry, kind="simulated")
        _hand_in(lake, folder, files)
        return {table: lake.table(table).head()[1].root for table in TABLES}
    finally:
        shutil.rmtree(folder)


def _hand_in(lake, folder, files):
    for _, text, seen, name in files:
        path = folder / name
        path.write_text(text)
        with clock.held_at(NOW):
            dropping.drop(lake, path, dropping.Hint(as_of=seen))
            (receipt,) = landing.take_in(lake, GRAPH)
        assert receipt.taken or receipt.end == "quarantine", receipt
    with clock.held_at(NOW):
        report = run_wave(lake, GRAPH, probing="off")
    assert not report.failed, report.failed


@settings(max_examples=12, deadline=None)
@given(series, series, st.integers(0, 2**20))
def test_any_order_gives_the_same_staging(fear, oil, seed):
    """Versions, corrections and quarantines depend on what files state, not on turns."""
    files = _files([("VIXCLS.csv", _observations, fear), ("ZL=F.csv", _bars, oil)])
    other = random.Random(seed).sample(files, len(files))
    assert _roots(files) == _roots(other)


A, B, LATER = DAYS[0], DAYS[1], DAYS[3]


@pytest.mark.parametrize(
    ("series", "turn"),
    [
        # One file names a day twice, unlike; the other names it once.
        ([[(A, "2"), (B, "1"), (A, "1")], [(A, "1"), (B, "1"), (B, "3")]], [1, 0]),
        (
            [
                [(A, "1"), (A, "2"), (B, "3")],
                [(B, "3")],
                [(A, "2"), (A, "x"), (B, "2"), (B, "3")],
            ],
            [1, 2, 0],
        ),
        # Lines that cannot be read borrow a day, each file from other neighbours.
        (
            [
                [(B, "3")],
                [(B, "1"), (B, "x")],
                [(B, "3"), (B, "2"), (B, "x"), (A, "2")],
                [(B, "1")],
            ],
            [3, 2, 0, 1],
        ),
        # Nobody could have seen the value when it was first named.
        (
            [[(LATER, "1")], [(A, "1")], [(A, "1")], [(A, "1"), (LATER, "1")]],
            [3, 0, 1, 2],
        ),
    ],
)
@pytest.mark.parametrize(
    ("name", "text"), [("VIXCLS.csv", _observations), ("ZL=F.csv", _bars)]
)
def test_what_contradicts_itself_hides_nothing(name, text, series, turn):
    """Cases that once gave another staging or another quarantine."""
    files = _files([(name, text, series)])
    assert _roots([files[i] for i in turn]) == _roots(files)


def test_a_value_named_too_early_stands_once_it_could_be_seen():
    """A future date is turned away; the same value later is news, not a duplicate."""
    rows = [[(LATER, "1")], [(A, "1")], [(A, "1")], [(A, "1")], [(LATER, "1")]]
    files = _files([("VIXCLS.csv", _observations, rows)])
    folder = Path(tempfile.mkdtemp())
    lake = Lake.create(folder / "lake", GRAPH.registry, kind="simulated")
    _hand_in(lake, folder, files)
    rows = [
        lake.table(t).read(lake.table(t).head()[1].partitions.values())
        for t in TABLES[1::2]
    ]
    assert [row["date"].to_list() for row in rows] == [[A, LATER], [LATER]]
    assert rows[1]["rules"].to_list() == ["future_date"]
    shutil.rmtree(folder)


def _going_back():
    """A value, another one, and the first again: taken 1, 3, 2 the third is no news."""
    rows = [[(DAYS[0], value)] for value in ("1", "2", "1")]
    one, two, three = _files([("VIXCLS.csv", _observations, rows)])
    return [one, two, three], [one, three, two]


def test_a_value_that_went_back_is_not_lost():
    """The file between comes last: without it the third said nothing new."""
    in_order, late = _going_back()
    assert _roots(in_order) == _roots(late)


def test_without_looking_at_later_files_a_version_is_lost(monkeypatch):
    """The guard is needed: a late file alone gives another history."""
    in_order, late = _going_back()
    expected = _roots(in_order)
    monkeypatch.setattr(arrivals, "seen_later", lambda *_: [])
    monkeypatch.setattr("cbi_stream.doors.later.seen_later", lambda *_: [])
    assert _roots(late) != expected


@pytest.mark.parametrize("again", [1, 2])
def test_a_crash_before_later_files_were_looked_at_is_made_good(monkeypatch, again):
    """The file stays in the landing until they were: taken again, it mends the rest."""
    _, late = _going_back()
    folder = Path(tempfile.mkdtemp())
    lake = Lake.create(folder / "lake", GRAPH.registry, kind="simulated")

    def dies(*_, **__):
        raise KeyboardInterrupt

    for i, (_, text, seen, name) in enumerate(late):
        (folder / name).write_text(text)
        with clock.held_at(NOW):
            dropping.drop(lake, folder / name, dropping.Hint(as_of=seen))
            if i == len(late) - 1:
                with monkeypatch.context() as patched:
                    patched.setattr("cbi_stream.doors.later.append_lines", dies)
                    for _ in range(again):
                        with pytest.raises(KeyboardInterrupt):
                            landing.take_in(lake, GRAPH)
            landing.take_in(lake, GRAPH)
    with clock.held_at(NOW):
        run_wave(lake, GRAPH, probing="off")
    staged = lake.table("staging.fred")
    rows = staged.read(staged.head()[1].partitions.values()).sort("vintage")
    assert rows["value"].to_list() == [11.0, 12.0, 11.0]
    shutil.rmtree(folder)
