"""The real daemon, killed at random instants while files arrive: as if nothing had been.

A bounded part runs here; `bench/faults.py` does the same hundreds of times.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import date, timedelta

import pytest

from cbi_stream.doors import dropping, landing
from cbi_stream.engine import effects, fates
from cbi_stream.engine.prove import prove
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.replay import edits
from cbi_stream.replay.market import SimulatedFile, lay_down
from cbi_stream.replay.pull import complex_market
from cbi_stream.words.span import Span
from tests.laws import worlds

GRAPH = worlds.discovered()
DAYS = GRAPH.registry.sessions.between(Span(date(2017, 9, 1), date(2018, 12, 1)))
KILLS = 20
COMMAND = "from cbi_stream.cli.app import main; main()"
SETTLED_SECONDS = 60


def arrivals():
    """Give the files of ten sessions, with a late row and a correction among them."""
    for i in range(10):
        now = DAYS[: 290 + i]
        files = {f.name: f for f in complex_market(now, lead=60)}
        oil = files["ZL=F.csv"]
        data = edits.without_row(oil.data, day=DAYS[285]) if i < 5 else oil.data
        if i >= 7:
            data = edits.corrected(data, day=DAYS[250], close=44.44)
        files["ZL=F.csv"] = SimulatedFile(oil.name, data, oil.as_of)
        names = ("ZL=F.csv", "soybean_oil.csv", "VIXCLS.csv", "NFCI.csv")
        yield [files[name] for name in names]


def prepared(folder):
    """Make a lake that knows its handlers, so that no kill meets a probe."""
    lake = Lake.create(folder / "lake", GRAPH.registry, kind="simulated")
    hand_in(lake, folder, next(arrivals()))
    landing.take_in(lake, GRAPH)
    run_wave(lake, GRAPH)
    return lake


def hand_in(lake, folder, files):
    """Drop files as a person would, without waiting for anybody."""
    for path, file in zip(lay_down(files, folder / "desk"), files, strict=True):
        while (lake.folder / "landing" / path.name).exists():
            time.sleep(0.05)  # the file of the session before was not taken yet
        dropping.drop(lake, path, dropping.Hint(as_of=file.as_of))


@contextmanager
def daemon(lake, *options):
    """Run the real daemon in a process of its own; end it by its own id."""
    words = [sys.executable, "-c", COMMAND, "run", "--lake", str(lake.folder), *options]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def exports(lake):
    """Return the bytes of each training file."""
    folder = lake.folder / "exports"
    return {p.name: p.read_bytes() for p in sorted(folder.glob("*.parquet"))}


def raw_lines(lake):
    """Return every stored line by file, line and when it was seen, in order."""
    found = []
    for name, contract in sorted(lake.registry.contracts.items()):
        if contract.provenance:
            table = lake.table(name)
            rows = table.read(table.head()[1].partitions.values())
            names = ["sha256", "line", "as_of"]
            found += rows.select(names).sort(names).rows()
    return found


def settled(lake, folder, want):
    """Wait until the daemon has published what `want` holds."""
    deadline = time.monotonic() + SETTLED_SECONDS
    while time.monotonic() < deadline:
        if not landing.waiting(lake) and exports(lake) == want:
            return True
        time.sleep(0.2)
    return False


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
        assert settled(lake, tmp_path, exports(undisturbed)), effects.manifests(lake)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert raw_lines(lake) == raw_lines(undisturbed)
    found = fates.of_lake(lake, GRAPH)
    assert all(counts["unaccounted"] == 0 for counts in found.values()), found
    certificate = prove(lake, GRAPH)
    assert certificate.identical, certificate.differences


def hand_in_some(lake, folder, files):
    """Drop files while the daemon may die: one that still waits is dropped later."""
    for path, file in zip(lay_down(files, folder / "desk"), files, strict=True):
        deadline = time.monotonic() + 20
        while (lake.folder / "landing" / path.name).exists():
            if time.monotonic() > deadline:
                pytest.fail(f"{path.name} was not taken in")
            time.sleep(0.05)
        dropping.drop(lake, path, dropping.Hint(as_of=file.as_of))


def test_a_second_daemon_leaves_at_once(tmp_path):
    """One dispatcher works on a lake: the other says so and ends with code 5."""
    lake = Lake.create(tmp_path / "lake", GRAPH.registry, kind="simulated")
    with daemon(lake):
        beats(lake, after=0)
        with daemon(lake) as second:
            _, said = second.communicate(timeout=20)
            assert second.returncode == 5
            assert "another process holds" in said


def beats(lake, *, after):
    """Wait until the daemon has looked once."""
    path = lake.folder / "heartbeat.json"
    deadline = time.monotonic() + 30
    while not path.exists() or path.stat().st_mtime < after:
        assert time.monotonic() < deadline, "no heartbeat"
        time.sleep(0.1)


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
