"""Mutation: with any one guard taken out, a law fails. So no guard is decoration.

A fixed history plays every kind of event once. It is green as the code stands, and
must turn red under each mutation.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from cbi_stream.engine import fingerprint, plan, slices, step, wave
from cbi_stream.lake import canonical, commit
from cbi_stream.lake.news import News
from cbi_stream.words.errors import CbiError, CommitConflict
from cbi_stream.words.sessions import Sessions
from tests.laws import worlds
from tests.laws.histories import World

GUARDED = (AssertionError, CbiError)


def history(world: World) -> None:
    """Play one of everything, checking P1, P2 and P4 after each event."""
    chance = random.Random(0)
    prices, other = world.feeds
    first = [(prices.first + timedelta(days=3 * i), 30.0 + i % 17) for i in range(260)]
    world.arrive(prices, first)
    world.arrive(
        other, [(other.first + timedelta(days=7 * i), 5.0 + i % 3) for i in range(90)]
    )
    world.settle()
    world.duplicate(chance)
    world.settle(silent=True)
    world.noise(chance)
    world.settle(silent=True)
    for day, value in _around_new_year(first):
        world.arrive(prices, [(day, value + 100.0)])
        world.settle()
    world.arrive(
        other, [(date(2016, 12, 27), 99.0)], as_of=datetime(2016, 12, 30, tzinfo=UTC)
    )
    world.settle()
    world.change_code(random.Random(1))
    world.settle()
    world.change_rule(random.Random(2))
    world.settle()
    world.compact(chance)
    world.settle(silent=True)
    world.prove()


def _around_new_year(rows):
    """Return rows whose windows end exactly at, and just over, a partition's border."""
    turn = next(i for i, (day, _) in enumerate(rows) if day.year == 2017)
    return [
        rows[turn - 20],
        rows[turn - 19],
        rows[turn - 1],
        rows[turn],
        rows[turn + 1],
    ]


def test_the_history_is_green():
    """Nothing is wrong with the fixed history as the code stands."""
    world = worlds.toy_world()
    history(world)
    world.close()
    assert world.changed > 40


def _turns_red():
    world = worlds.toy_world()
    with pytest.raises(GUARDED) as caught:
        history(world)
    world.close()
    return str(caught.value)


def test_without_the_cutoff_silence_breaks(monkeypatch):
    """Committing unchanged content wakes everything below."""
    honest = step._compared

    def always(lake, node, job, **made):
        stored = job.stored and replace(job.stored, hash="another")
        return honest(lake, node, replace(job, stored=stored), **made)

    monkeypatch.setattr(step, "_compared", always)
    assert "P2" in _turns_red() or "P4" in _turns_red()


def test_without_the_fingerprint_changed_code_is_missed(monkeypatch):
    """One fingerprint for all code leaves old results standing."""
    monkeypatch.setattr(fingerprint, "of_node", lambda graph, node: node.table)
    assert "P1" in _turns_red()


@pytest.mark.parametrize("guard", ["slice", "reach"])
def test_with_a_window_one_session_short_rows_go_stale(monkeypatch, guard):
    """A slice or a reach that is one session short gives another number somewhere."""
    honest = getattr(Sessions, "slice_for" if guard == "slice" else "reach_of")

    def short(self, span, *, back, ahead):
        return honest(self, span, back=max(back - 1, 0), ahead=ahead)

    if guard == "slice":
        # The naive rebuild uses the same bound: only the planner's copy is cut.
        monkeypatch.setattr(slices, "slice_of", _short_slice)
    else:
        monkeypatch.setattr(Sessions, "reach_of", short)
    assert "P1" in _turns_red() or "P2" in _turns_red()


def _short_slice(read, span, sessions):
    days = plan_slice(read, span, sessions)
    if days.start > date.min and days.start < span.start:
        return replace(days, start=days.start + timedelta(days=1))
    return days


plan_slice = slices.slice_of


def test_without_the_knowable_bound_old_restatements_leak(monkeypatch):
    """Taking a restatement as known from its date on replans what it cannot reach."""
    honest = plan.reached_by

    def forgetful(read, change, sessions):
        return honest(read, replace(change, known_from=None), sessions)

    monkeypatch.setattr(plan, "reached_by", forgetful)
    world = worlds.toy_world()
    _, other = world.feeds
    history(world)
    before = world.planned
    world.arrive(other, [(date(2016, 3, 1), 77.0)])
    world.settle()
    planned = world.planned - before
    world.close()
    monkeypatch.undo()
    world = worlds.toy_world()
    history(world)
    before = world.planned
    world.arrive(world.feeds[1], [(date(2016, 3, 1), 77.0)])
    world.settle()
    world.close()
    assert world.planned - before < planned


def test_without_the_canonical_order_equal_rows_differ(monkeypatch):
    """Hashing rows in the order of their arrival makes equal content differ."""
    honest = canonical.canonical

    def unsorted(frame, contract):
        shuffled = frame.sample(fraction=1.0, shuffle=True, seed=frame.height)
        honest(frame, contract)
        return shuffled.select(list(contract.columns))

    monkeypatch.setattr(step, "canonical", unsorted)
    assert "P1" in _turns_red()


def test_without_rounding_minus_zero_differs():
    """-0.0 and 0.0 are one value in canonical form, and two without it."""
    contract = worlds.toy.registry().contracts["features.right"]
    frames = [
        pl.DataFrame({"date": [date(2020, 1, 1)], "scaled": [zero]})
        for zero in (0.0, -0.0)
    ]
    forms = [canonical.digest(canonical.canonical(f, contract)) for f in frames]
    assert forms[0] == forms[1]
    assert canonical.digest(frames[0]) != canonical.digest(frames[1])


def test_without_the_fence_an_update_is_lost(monkeypatch):
    """Two appends from one version: the second is refused, or a line goes missing."""
    world = worlds.toy_world()
    prices = world.feeds[0]
    world.arrive(prices, [(prices.first, 30.0)])
    table = world.lake.table("raw.px")
    version, current = table.head()
    world.arrive(prices, [(prices.first, 31.0)])
    with pytest.raises(CommitConflict):
        commit.commit(table, {}, expected=version, written=current)
    # Taken out: the stale writer's map overwrites the newer one, and its rows are gone.
    newest = table.head()[0]
    monkeypatch.setattr(commit, "_refuse_stale", lambda *_: None)
    commit.commit(table, {}, expected=version, written=current)
    lost = table.read(table.head()[1].partitions.values()).height
    world.close()
    assert table.folder.name == "px"
    assert newest > version
    assert lost == 1


@pytest.mark.parametrize("guarded", [True, False])
def test_without_the_root_check_a_restored_backup_is_missed(monkeypatch, guarded):
    """A record put back to an older state is planned anew; without the check it is not."""
    world = worlds.toy_world()
    prices = world.feeds[0]
    world.arrive(prices, [(prices.first, 30.0), (date(2017, 5, 1), 31.0)])
    world.settle()
    folder, kept = world.folder / "raw" / "px", world.folder / "backup"
    shutil.copytree(folder, kept)
    world.arrive(prices, [(prices.first, 99.0)])
    world.settle()
    shutil.rmtree(folder)
    kept.rename(folder)
    # Another line takes the number of the version that the derived tables consumed.
    world.restart()
    world.arrive(prices, [(date(2018, 3, 1), 40.0)])
    if not guarded:
        monkeypatch.setattr(wave, "_map", lambda *_: _Forgiving())
    if guarded:
        world.settle()
    else:
        with pytest.raises(GUARDED):
            world.settle()
    world.close()
    assert world.changed > 0


class _Forgiving:
    """Claims every root, as a planner that compares version numbers alone does."""

    extent = None

    @property
    def root(self):
        return _Anything()


class _Anything(str):
    __slots__ = ()

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


def test_without_the_duplicate_check_a_file_counts_twice(monkeypatch):
    """Storing known lines again is found as a breach of silence."""
    monkeypatch.setattr(News, "of", lambda _, lines, *__, **___: lines)
    assert "P4" in _turns_red()
