"""Hundreds of files come while the daemon is stopped: each ends in exactly one place.

A bounded part runs here; `bench/flood.py` does it with more files than the kernel's queue
holds events. It stops only its own process, and reads no real data.
"""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from cbi_stream.doors import heartbeat, landing, receipts
from cbi_stream.doors.readers import Here
from cbi_stream.engine import fates
from cbi_stream.engine.prove import prove
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from tests.faults.flooding import flood, peak_mb, put, taken, wrong
from tests.faults.killing import GRAPH, beats, daemon

FILES = 300
MOST_MB = 1000


@pytest.fixture
def lake(tmp_path):
    """An empty lake that knows its handlers."""
    lake = Lake.create(tmp_path / "lake", GRAPH.registry, kind="real")
    run_wave(lake, GRAPH)
    return lake


def test_a_flood_while_the_daemon_is_stopped_is_taken_whole(lake):
    """No file is lost or doubled, each has its receipt, and memory stays bounded."""
    drops = flood(FILES)
    with daemon(lake) as process:
        beats(lake, after=0)
        process.send_signal(signal.SIGSTOP)
        put(lake, drops)
        process.send_signal(signal.SIGCONT)
        taken(lake, drops, most_seconds=400)
        peak = peak_mb(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert wrong(lake, drops) == []
    assert max(peak.values()) < MOST_MB, peak
    counts = fates.of_lake(lake, GRAPH)
    assert all(each["unaccounted"] == 0 for each in counts.values()), counts
    assert prove(lake, GRAPH).identical


def test_what_is_lost_doubled_or_elsewhere_is_seen(lake, monkeypatch):
    """The judge of a flood sees each fault that is planted."""
    monkeypatch.setattr(durable, "sync", lambda _: None)
    drops = flood(40)
    put(lake, drops)
    settled = landing.take_in(lake, GRAPH, reader=Here(), settling=_Whole())
    assert len(settled) == len(drops)
    assert wrong(lake, drops) == []
    good = next(d for d in drops if d.end == "archive")
    bad = next(d for d in drops if d.end == "quarantine")
    assert wrong(lake, [*drops, replace(good, name="other.csv")])
    assert wrong(lake, [d for d in drops if d != good])
    assert wrong(lake, [d for d in drops if d != bad])
    assert wrong(lake, [replace(d, end="waiting") if d == bad else d for d in drops])
    assert wrong(lake, [replace(d, lines=2) if d == good else d for d in drops])
    (lake.folder / "landing" / f"{good.name}{receipts.RECEIPT}").unlink()
    assert len(wrong(lake, drops)) == 1


def test_a_look_ends_in_time_and_the_rest_is_taken_at_the_next(lake, monkeypatch):
    """Tables are brought up to date in between, and the oldest come first."""
    monkeypatch.setattr(durable, "sync", lambda _: None)
    monkeypatch.setattr(landing, "_MOST_TOGETHER", 1)
    drops = [d for d in flood(38) if d.end == "archive"]
    put(lake, drops)
    asked = []
    first = landing.take_in(
        lake,
        GRAPH,
        settling=_Whole(),
        seconds=0.0,
        stopping=lambda: bool(asked.append(1)),
    )
    assert len(first) == 1
    assert len(asked) >= len(drops)
    left = landing.waiting(lake)
    assert len(left) == len(drops) - 1
    assert first[0].as_of == min(
        r.as_of for r in [*first, *landing.take_in(lake, GRAPH, settling=_Whole())]
    )
    assert wrong(lake, drops) == []


def test_a_long_intake_hears_a_stop_and_gives_signs_of_life(lake, monkeypatch):
    """It ends after the files at hand, and whoever asks meanwhile finds it alive."""
    monkeypatch.setattr(durable, "sync", lambda _: None)
    monkeypatch.setattr(landing, "_MOST_TOGETHER", 1)
    drops = flood(30)
    put(lake, drops)
    seen = []

    def stopping():
        heartbeat.beat(lake, pid=1)
        seen.append(heartbeat.pulse(lake, late_seconds=90.0)["state"])
        return len(seen) > len(drops) + 5

    told = landing.take_in(lake, GRAPH, settling=_Whole(), stopping=stopping)
    assert set(seen) == {"alive"}
    assert sum(each.taken for each in told) == 5
    landing.take_in(lake, GRAPH, settling=_Whole())
    assert wrong(lake, drops) == []


def test_a_late_file_makes_no_commit_for_those_that_say_nothing_of_its_dates(
    lake, monkeypatch
):
    """Files of one look are one commit, and so is a backlog that comes late."""
    monkeypatch.setattr(durable, "sync", lambda _: None)
    drops = [d for d in flood(700) if d.name.startswith("ZL=F_") and "asof" in d.name]
    late, *later = drops[:10]
    put(lake, later)
    landing.take_in(lake, GRAPH, settling=_Whole())
    version = lake.table("raw.yahoo").head()[0]
    assert version < len(later) // 2
    put(lake, [late])
    landing.take_in(lake, GRAPH, settling=_Whole())
    assert lake.table("raw.yahoo").head()[0] == version + 1
    assert wrong(lake, [late, *later]) == []


class _Whole:
    """Takes every file for whole."""

    def is_whole(self, path, seen):
        """Say so."""
        return True
