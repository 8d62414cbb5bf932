"""The clock jumps by an hour, a day, a year, both ways: nothing is lost and nothing twice.

The clock is the project's own, held wherever a test wants it; the machine's is never
touched. No real data is read.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from functools import partial

import polars as pl
import pytest

from cbi_stream.doors import daemon as room
from cbi_stream.doors import dropping, heartbeat, landing, receipts
from cbi_stream.doors.backoff import Backoff
from cbi_stream.doors.daemon import RESCAN_SECONDS, Daemon
from cbi_stream.doors.logs import silent
from cbi_stream.doors.readers import Here
from cbi_stream.engine import fates
from cbi_stream.engine.executor import InProcess
from cbi_stream.engine.prove import prove
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import durable, log
from cbi_stream.lake.lake import Lake
from cbi_stream.replay.market import lay_down
from cbi_stream.replay.pull import complex_market
from cbi_stream.words import clock
from tests.faults.killing import DAYS, GRAPH, arrivals, exports, hand_in, raw_lines

START = datetime(2024, 3, 5, 12, tzinfo=UTC)
JUMPS = {
    "an hour": timedelta(hours=1),
    "a day": timedelta(days=1),
    "a year": timedelta(days=365),
}


class Nobody:
    """Gives no hint, ever."""

    def wait(self, timeout):
        """Say that no hint came."""
        return False

    def alive(self):
        """Say that hints could come."""
        return True

    def renew(self):
        """Do nothing."""


@pytest.fixture(autouse=True)
def unsynced(monkeypatch):
    """Nothing here has to reach a disk."""
    monkeypatch.setattr(durable, "sync", lambda _: None)
    monkeypatch.setattr(room, "run_wave", partial(run_wave, probing="off"))


def new_lake(folder):
    """Return an empty simulated lake."""
    return Lake.create(folder / "lake", GRAPH.registry, kind="simulated")


def daemon_on(lake):
    """Return a daemon in this process."""
    return Daemon(
        lake,
        GRAPH,
        hints=Nobody(),
        reader=Here(),
        executor=InProcess(),
        log=silent(strict=True),
    )


def walked(folder, moments, *, unstated=False):
    """Let three sessions' files arrive; the clock is set anew at each step.

    Args:
        folder: where the lake is made.
        moments: gives what the clock says: at the landing, and at the wave.
        unstated: hand the files in without saying when they were seen.
    """
    lake = new_lake(folder)
    daemon = daemon_on(lake)
    for i, files in enumerate(list(arrivals())[4:8:2]):
        with clock.held_at(moments[2 * i]):
            if unstated:
                for path in lay_down(files, folder / "desk"):
                    dropping.drop(lake, path, dropping.Hint())
            else:
                hand_in(lake, folder, files)
            landing.take_in(lake, GRAPH)
        with clock.held_at(moments[2 * i + 1]):
            daemon.turn()
            assert daemon.turn() <= RESCAN_SECONDS
    return lake


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    """A lake whose clock never jumped."""
    moments = [START + timedelta(hours=i) for i in range(4)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable, "sync", lambda _: None)
        patch.setattr(room, "run_wave", partial(run_wave, probing="off"))
        return walked(tmp_path_factory.mktemp("steady"), moments)


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("forward", [True, False], ids=["forward", "back"])
@pytest.mark.parametrize("at", [1, 2], ids=["before the wave", "before the landing"])
def test_stated_files_give_the_same_tables_whatever_the_clock_does(
    tmp_path, steady, jump, forward, at
):
    """Between landing and wave and between waves: the same lines, exports and roots."""
    by = JUMPS[jump] if forward else -JUMPS[jump]
    moments = [
        START + timedelta(hours=i) + (by if i >= at else by * 0) for i in range(4)
    ]
    lake = walked(tmp_path, moments)
    assert raw_lines(lake) == raw_lines(steady)
    assert told(lake) == told(steady)
    assert exports(lake) == exports(steady)


def test_a_clock_that_jumps_at_each_step_changes_no_table(tmp_path, steady):
    """Four moments within a year before and after, one step each."""
    chance = random.Random(2)
    moments = [START + timedelta(days=chance.uniform(-365, 365)) for _ in range(4)]
    lake = walked(tmp_path, moments)
    assert raw_lines(lake) == raw_lines(steady)
    assert told(lake) == told(steady)
    assert exports(lake) == exports(steady)
    assert prove(lake, GRAPH).identical


def told(lake):
    """Return staged prices and observations, without when this lake saw them."""
    found = {}
    for name in ("staging.prices", "staging.fred"):
        table = lake.table(name)
        rows = table.read(table.head()[1].partitions.values())
        plain = rows.sort(table.contract.key).drop("first_seen_at")
        found[name] = plain.rows()
    return found


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_set_back_keeps_the_order_of_unstated_files(tmp_path, jump):
    """Batches and the times that they carry never go back; the newer file speaks."""
    moments = [START, START, START - JUMPS[jump], START - JUMPS[jump]]
    lake = walked(tmp_path, moments, unstated=True)
    for name in ("raw.yahoo", "raw.fred"):
        notes = notes_of(lake, name)
        batches = [batch for batch, _ in notes]
        seen = [datetime.fromisoformat(note["first_seen_at"]) for _, note in notes]
        files = [file["batch"] for _, note in notes for file in note["files"]]
        assert files == sorted(set(files))
        assert batches == sorted(set(batches))
        assert seen == sorted(seen)
        assert len(notes) == 2
        assert len(files) == (2 if name == "raw.yahoo" else 4)
    assert nothing_is_missing(lake)
    assert newest_close(lake) == DAYS[295]


@pytest.mark.parametrize("jump", JUMPS)
def test_a_file_seen_while_the_clock_was_ahead_can_be_used_at_once(tmp_path, jump):
    """Its bars are staged, and so are those of the files that come when it is right again."""
    ahead = START + JUMPS[jump]
    lake = walked(tmp_path, [ahead, ahead, START, START], unstated=True)
    assert nothing_is_missing(lake)
    assert newest_close(lake) == DAYS[295]
    [corrected] = bars(lake).filter(pl.col("date") == DAYS[250])["close"].to_list()
    assert corrected == pytest.approx(before_the_correction(DAYS[250]))
    # Whatever is seen later is not seen before what came first.
    with clock.held_at(START):
        hand_over(lake, tmp_path, list(arrivals())[8])
    [corrected] = bars(lake).filter(pl.col("date") == DAYS[250])["close"].to_list()
    assert corrected == pytest.approx(before_the_correction(DAYS[250]) * 1.01, abs=0.01)


def hand_over(lake, folder, files):
    """Hand files in without a time, and bring the lake up to date."""
    for path in lay_down(files, folder / "desk"):
        dropping.drop(lake, path, dropping.Hint())
    told = landing.take_in(lake, GRAPH)
    assert {each.end for each in told} == {"archive"}
    assert not run_wave(lake, GRAPH, probing="off").failed


def before_the_correction(day):
    """Return the close that the market gave for a day at first."""
    [row] = [
        line.split(",")
        for line in complex_market(DAYS[:290], lead=60)[0].data.decode().splitlines()
        if line.startswith(str(day))
    ]
    return round(float(row[4]), 2)


def bars(lake):
    """Return the staged bars of the target."""
    table = lake.table("staging.prices")
    rows = table.read(table.head()[1].partitions.values())
    return rows.filter(pl.col("symbol") == "ZL")


def newest_close(lake):
    """Return the last day with a staged close."""
    return bars(lake).filter(pl.col("close").is_not_null())["date"].max()


def notes_of(lake, name):
    """Return batch and note of each append, in the order of versions."""
    folder = lake.table(name).folder
    newest = log.newest_version(folder)
    maps = [log.map_at(folder, version) for version in range(1, newest + 1)]
    return [(each.batch, each.note) for each in maps]


def nothing_is_missing(lake):
    """Return whether each line has one fate and nothing waits."""
    counts = fates.of_lake(lake, GRAPH).values()
    unaccounted = sum(each["unaccounted"] for each in counts)
    return not unaccounted and not landing.waiting(lake)


def test_a_future_time_that_was_stated_waits_and_no_longer_than_until_then(tmp_path):
    """The receipt says why; the clock that is right again takes the file."""
    lake, [oil, *_] = new_lake(tmp_path), next(arrivals())
    [path] = lay_down([oil], tmp_path / "desk")
    dropping.drop(lake, path, dropping.Hint(as_of=oil.as_of))
    with clock.held_at(oil.as_of - timedelta(days=365)):
        [receipt] = landing.take_in(lake, GRAPH)
    assert receipt.end == "waiting"
    assert "which is not yet" in receipt.reason
    assert landing.waiting(lake)
    with clock.held_at(oil.as_of + timedelta(seconds=1)):
        [receipt] = landing.take_in(lake, GRAPH)
    assert receipt.end == "archive"
    assert receipts.read(lake.folder / "landing" / oil.name)["as_of"].startswith("2018")


@pytest.mark.parametrize("by", [*JUMPS.values(), *(-jump for jump in JUMPS.values())])
def test_health_knows_a_living_dispatcher_by_ticks_and_not_by_the_clock(tmp_path, by):
    """No negative age, and no false silence, however far the clock went."""
    lake = new_lake(tmp_path)
    with clock.held_at(START):
        heartbeat.beat(lake, pid=1)
    with clock.held_at(START + by):
        found = heartbeat.pulse(lake, late_seconds=90.0)
    assert found["state"] == "alive"
    assert 0 <= found["age_s"] < 60


def test_of_another_start_of_the_machine_the_clock_decides(tmp_path):
    """Ticks begin anew then; an age that would be negative is not told."""
    lake = new_lake(tmp_path)
    with clock.held_at(START):
        heartbeat.beat(lake, pid=1)
    path = lake.folder / heartbeat.HEARTBEAT
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "boot": "another"}))
    ages = {}
    for seconds in (10, 600, -600):
        with clock.held_at(START + timedelta(seconds=seconds)):
            ages[seconds] = heartbeat.pulse(lake, late_seconds=90.0)
    assert (ages[10]["state"], ages[10]["age_s"]) == ("alive", 10.0)
    assert (ages[600]["state"], ages[600]["age_s"]) == ("silent", 600.0)
    assert ages[-600]["state"] == "silent"
    assert "age_s" not in ages[-600]


@pytest.mark.parametrize("by", [*JUMPS.values(), *(-jump for jump in JUMPS.values())])
def test_waits_are_counted_in_ticks(tmp_path, by):
    """A failed place is due after its seconds, and the daemon beats, wherever the clock is."""
    lake = new_lake(tmp_path)
    daemon = daemon_on(lake)
    ticks = [0.0]
    daemon._backoff = Backoff(clock=lambda: ticks[0])
    with clock.held_at(START):
        wait = daemon._backoff.failed("place")
    with clock.held_at(START + by):
        assert not daemon._backoff.due("place")
        assert 0 < daemon._until_next([]) <= max(wait, 1.0)
        ticks[0] += wait
        assert daemon._backoff.due("place")
        daemon._beaten = float("-inf")
        daemon._beat()
        said = json.loads((lake.folder / heartbeat.HEARTBEAT).read_bytes())
    assert said["at"] == (START + by).isoformat()


@pytest.mark.parametrize("by", [*JUMPS.values(), *(-jump for jump in JUMPS.values())])
def test_a_file_that_still_grows_is_told_by_ticks_when_its_time_lies_ahead(
    tmp_path, by, monkeypatch
):
    """It is not taken at once, nor left for ever."""
    lake = new_lake(tmp_path)
    [oil, *_] = next(arrivals())
    path = lake.folder / "landing" / oil.name
    path.write_bytes(oil.data)
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    ticks = [100.0]
    monkeypatch.setattr("cbi_stream.doors.settling.time.perf_counter", lambda: ticks[0])
    daemon = daemon_on(lake)
    taken = []
    for _ in range(8):
        with clock.held_at(written + by):
            daemon.turn()
        taken.append(not path.exists())
        ticks[0] += 0.5
    assert taken[-1]
    # Set ahead, its age looks large: then it counts as whole. Set back, it is watched.
    assert taken.index(True) == (0 if by > timedelta() else 4)
