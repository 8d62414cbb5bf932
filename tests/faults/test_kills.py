"""The real daemon, killed at random instants while files arrive: as if nothing had been.

A bounded part runs here; `bench/faults.py` does the same hundreds of times.
"""

from __future__ import annotations

import random
import signal
import time
from datetime import timedelta

import pytest

from cbi_stream.doors import dropping, landing
from cbi_stream.engine import effects, fates
from cbi_stream.engine.prove import prove
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.replay.market import lay_down
from cbi_stream.replay.pull import complex_market
from tests.faults.killing import (
    DAYS,
    GRAPH,
    arrivals,
    beats,
    daemon,
    exports,
    hand_in,
    hand_in_some,
    prepared,
    raw_lines,
    settled,
)

KILLS = 20


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A lake that took in the same files in one quiet process."""
    folder = tmp_path_factory.mktemp("quiet")
    lake = Lake.create(folder / "lake", GRAPH.registry, kind="simulated")
    for files in arrivals():
        hand_in(lake, folder, files)
        landing.take_in(lake, GRAPH)
        run_wave(lake, GRAPH, probing="off")
    return lake


def test_killed_at_random_instants_nothing_is_lost_or_doubled(tmp_path, undisturbed):
    """Exports equal an unkilled lake's, each line is there once, prove says identical."""
    chance = random.Random(5)
    lake = prepared(tmp_path)
    coming = list(arrivals())[1:]
    kills = 0
    while kills < KILLS:
        with daemon(lake) as process:
            time.sleep(chance.uniform(0.0, 2.5))
            if coming:
                hand_in_some(lake, tmp_path, coming.pop(0))
            time.sleep(chance.uniform(0.0, 1.5))
            process.send_signal(signal.SIGKILL)
            process.wait()
        kills += 1
    began = time.time()
    with daemon(lake) as process:
        beats(lake, after=began)
        for files in coming:
            hand_in(lake, tmp_path, files)
        assert settled(lake, exports(undisturbed)), effects.manifests(lake)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert raw_lines(lake) == raw_lines(undisturbed)
    found = fates.of_lake(lake, GRAPH)
    assert all(counts["unaccounted"] == 0 for counts in found.values()), found
    certificate = prove(lake, GRAPH)
    assert certificate.identical, certificate.differences


def test_a_second_daemon_leaves_at_once(tmp_path):
    """One dispatcher works on a lake: the other says so and ends with code 5."""
    lake = Lake.create(tmp_path / "lake", GRAPH.registry, kind="simulated")
    with daemon(lake) as first:
        beats(lake, after=0)
        with daemon(lake) as second:
            _, said = second.communicate(timeout=20)
            assert second.returncode == 5
            assert f"another process ({first.pid}) holds" in said


def test_without_any_event_it_converges(tmp_path):
    """With the observer off a file is found by looking, within half a minute."""
    lake = prepared(tmp_path)
    version = lake.table("staging.prices").head()[0]
    began = time.time()
    with daemon(lake, "--no-watch") as process:
        beats(lake, after=began)
        oil = complex_market(DAYS[:300], lead=60)[0]
        (path,) = lay_down([oil], tmp_path / "desk")
        dropping.drop(lake, path, dropping.Hint(as_of=oil.as_of + timedelta(days=9)))
        start = time.monotonic()
        while lake.table("staging.prices").head()[0] == version:
            assert time.monotonic() - start < 35
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
