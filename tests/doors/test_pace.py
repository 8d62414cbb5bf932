"""Turns at a host: shared by processes, kept over restarts, given up for a stop.

Nobody is asked anything. Times are bounded from below; a slow machine fails nothing.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from cbi_stream.doors.fetch import Fetcher, Patience
from cbi_stream.doors.pace import Turns
from cbi_stream.registry.fetching import Pace
from cbi_stream.shapes.connector import Want
from cbi_stream.words import clock
from cbi_stream.words.errors import SourceUnavailable
from tests.doors.serving import HOST, PAIR, Source, fetch_of, said

OTHER = "www.example.org"
PROCESS = """
import sys, time, pathlib
from cbi_stream.doors.pace import Turns
from cbi_stream.registry.fetching import Pace
turns = Turns(pathlib.Path(sys.argv[1]))
while time.time() < float(sys.argv[2]):
    pass
for _ in range(8):
    turns.take("api.example.org", Pace(questions=4, seconds=0.5))
    print(time.time(), flush=True)
"""


def pace(questions, seconds):
    """Return a pace."""
    return Pace(questions=questions, seconds=seconds)


@pytest.fixture
def turns(tmp_path):
    """Return the turns of a lake."""
    return Turns(tmp_path / "fetches")


def test_a_host_has_so_many_turns(turns):
    """The first ones are free, the next one waits; another host does not."""
    began = time.perf_counter()
    for _ in range(3):
        turns.take(HOST, pace(3, 1.0))
    free = time.perf_counter() - began
    waited = turns.take(HOST, pace(3, 1.0))
    assert time.perf_counter() - began >= 1.0
    assert waited > 0
    assert waited + free >= 0.9
    for _ in range(3):
        turns.take(OTHER, pace(3, 3600.0))


def test_processes_share_the_turns(turns):
    """Three processes that ask as fast as they can keep the pace of one."""
    folder, start = turns.path.parent, time.time() + 3.0
    command = [sys.executable, "-c", PROCESS, str(folder), str(start)]
    root = Path(__file__).resolve().parents[2]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
        for _ in range(3)
    ]
    told = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    times = sorted(float(line) for text in told for line in text.split())
    assert len(times) == 24
    # 24 turns, four in half a second: the last may be taken 5 half seconds later.
    assert times[-1] - times[0] >= 2.4


def test_a_restart_forgets_nothing(turns):
    """What was asked a moment ago counts for a process that begins now."""
    turns.take(HOST, pace(1, 1.0))
    began = time.perf_counter()
    Turns(turns.path.parent).take(HOST, pace(1, 1.0))
    assert time.perf_counter() - began >= 0.5


def test_two_paces_count_the_same_questions(turns):
    """A slower source of the same host counts what a faster one asked, days back too."""
    now = clock.now()
    slow = pace(2, 50_000.0)
    for hours in (12, 6):
        with clock.held_at(now - timedelta(hours=hours)):
            turns.take(HOST, pace(9, 1.0))
    turns.take(HOST, pace(9, 1.0))
    with pytest.raises(SourceUnavailable, match="may be asked at"):
        turns.take(HOST, slow)


def test_a_turn_that_is_far_away_is_not_waited_for(turns):
    """A day's quota that is spent is an error that says when the next turn is."""
    turns.take(HOST, pace(1, 86_400.0))
    hour = clock.now() + timedelta(days=1)
    with pytest.raises(SourceUnavailable, match=f"at {hour:%Y-%m-%dT%H:}"):
        turns.take(HOST, pace(1, 86_400.0))


def test_a_stop_ends_the_wait(tmp_path):
    """Who waits for a turn hears a stop at once."""
    stop = threading.Event()
    turns = Turns(tmp_path, stop=stop)
    turns.take(HOST, pace(1, 60.0))
    threading.Timer(0.2, stop.set).start()
    began = time.perf_counter()
    with pytest.raises(SourceUnavailable, match="asked to stop"):
        turns.take(HOST, pace(1, 60.0))
    assert time.perf_counter() - began < 30


def test_a_clock_that_was_set_back_stops_nobody(turns):
    """Turns that lie in the future do not count."""
    with clock.held_at(clock.now() + timedelta(days=30)):
        turns.take(HOST, pace(1, 60.0))
    assert turns.take(HOST, pace(1, 60.0)) < 30


def test_a_torn_file_is_begun_again(turns):
    """A file that is no table of turns is replaced: it held a few seconds' worth."""
    turns.path.parent.mkdir()
    turns.path.write_bytes(b"no such thing" * 1000)
    turns.take(HOST, pace(1, 1.0))
    assert turns.path.read_bytes().startswith(b"SQLite")


def test_turns_that_cannot_be_counted_are_not_taken(turns):
    """Without a place to count in nobody is asked; the message names it."""
    turns.path.mkdir(parents=True)
    with pytest.raises(SourceUnavailable, match=r"count the questions.*pace\.sqlite"):
        turns.take(HOST, pace(1, 1.0))


def test_each_try_takes_a_turn_but_none_at_a_replay_server(tmp_path, monkeypatch):
    """Repeats count as questions; a replay server on this machine has no pace."""
    taken = []

    class Noted(Turns):
        def take(self, host, pace):
            taken.append((host, pace))
            return 0.0

    (tmp_path / "pair.pem").write_text(PAIR)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "pair.pem"))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    soon = Patience(first=0.001, longest=0.01)
    turns = Noted(tmp_path)
    says = [said(b"", 503), said(b"", 302, Location="/b"), said(b"{}")]
    fetch = fetch_of(hosts=("127.0.0.1",))
    with (
        Source(*says, pair=tmp_path / "pair.pem") as source,
        Fetcher(turns=turns, patience=soon) as fetcher,
    ):
        url = f"https://127.0.0.1:{source.server_port}/a"
        fetcher.ask(Want("n", url), fetch, source="x", secret=None)
    assert taken == [("127.0.0.1", fetch.pace)] * 3
    with (
        Source(said(b"{}")) as source,
        Fetcher(turns=turns, replay=source.base) as fetcher,
    ):
        fetcher.ask(Want("n", f"https://{HOST}/"), fetch_of(), source="x", secret=None)
    assert len(taken) == 3
