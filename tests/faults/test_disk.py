"""A disk that is full, read-only or gone for a while: the daemon waits, and goes on alone.

Nothing is lost or doubled, no empty lake stands in the place of one that is gone, and
the log says what it was. `bench/file_calls.py` does the same more often. Nothing here
reads real data.
"""

from __future__ import annotations

import errno
import shutil
import time

import pytest

from cbi_stream.doors import landing, tailing
from cbi_stream.engine.graph import discover
from cbi_stream.engine.job import Job
from cbi_stream.engine.worker import _answer
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Recipe
from tests.faults import disks, shimming

BEAT_SECONDS = 6.0
"""Longer than a heartbeat: it must not make the folder that it stands in."""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A settled lake with one file in its landing, and the shim."""
    folder = tmp_path_factory.mktemp("disk")
    shim = shimming.compiled(folder)
    if shim is None:
        pytest.skip("the shim needs Linux and a C compiler")
    return disks.base(folder, shim)


def settles(sick, quiet):
    """Wait until the daemon has published what the quiet lake holds."""
    want = disks.killing.exports(quiet)
    disks.waits_until(
        lambda: disks.killing.exports(sick.lake) == want, "the exports are equal"
    )


@pytest.mark.parametrize(
    ("act", "said", "count"), [("ENOSPC", 28, 4), ("EROFS", 30, 1)]
)
def test_a_disk_that_takes_nothing_for_a_while(base, tmp_path, act, said, count):
    """The daemon stays up, says what it was, and does what is left when it can."""
    lake = base.copy(tmp_path / "lake")
    with disks.daemon(lake, base.shim, act) as sick:
        disks.spells(sick, count=count, first=1, seed=said)
        quiet = base.quiet(tmp_path / "quiet", count)
        settles(sick, quiet)
        assert sick.ends_well()
    told = disks.events(lake, "turn.recovered")
    assert any(f"[Errno {said}]" in each["reason"] for each in told), told
    assert disks.differs(lake, quiet) == []


def test_a_volume_that_is_gone_is_not_made_anew(base, tmp_path):
    """Moved away, and an empty folder in its place: nothing is made; back, it goes on."""
    lake = base.copy(tmp_path / "lake")
    away = tmp_path / "away"
    with disks.daemon(lake, base.shim, "") as sick:
        lake.folder.rename(away)
        time.sleep(BEAT_SECONDS)
        assert not lake.folder.exists()
        lake.folder.mkdir()  # the mount point of a volume that is not there
        time.sleep(BEAT_SECONDS)
        assert list(lake.folder.iterdir()) == []
        assert sick.lives()
        away.replace(lake.folder)
        disks.hand_in(lake, 1)
        disks.waits_until(lambda: sick.took(1), "the file is taken in")
        quiet = base.quiet(tmp_path / "quiet", 1)
        settles(sick, quiet)
        assert sick.ends_well()
    told = disks.events(lake, "turn.recovered")
    assert any("is its volume gone?" in each["reason"] for each in told), told
    assert disks.differs(lake, quiet) == []


def test_nothing_is_made_where_a_lake_was(base, tmp_path):
    """No folder of a table, no heartbeat and no log; a new lake may be made there."""
    lake = base.copy(tmp_path / "lake")
    shutil.rmtree(lake.folder)
    log = tailing.Appender(lake.folder / "logs" / "cbi.log", most_bytes=1000, keep=1)
    for empty in (False, True):
        if empty:
            lake.folder.mkdir()
        for path in (lake.folder / "x.json", lake.folder / "raw" / "px" / "x.json"):
            with pytest.raises(FileNotFoundError, match="its volume is gone"):
                durable.write(path, b"{}")
        assert not log.append({"event": "x.said"})
    assert list(lake.folder.iterdir()) == []
    again = Lake.create(lake.folder, lake.registry, kind="simulated")
    assert (again.folder / "landing").is_dir()


def test_a_full_disk_is_no_fault_of_a_handler(base, tmp_path, monkeypatch):
    """A worker hands the disk's error back: it blames no handler, and lives on."""
    lake = base.copy(tmp_path / "lake")
    graph = discover(lake.registry)
    table = lake.table("staging.prices")
    version = lake.table("raw.yahoo").head()[0]
    full = OSError(errno.ENOSPC, "No space left on device")

    def refusing(*_):
        raise full

    monkeypatch.setattr("cbi_stream.engine.step.write_parquet", refusing)
    node = graph.node("staging.prices")
    versions = {name: lake.table(name).head()[0] for name in node.inputs}
    assert version >= 0
    (partition,) = table.head()[1].partitions
    job = Job("staging.prices", partition, versions, None, Recipe("x"))
    assert _answer(lake, graph, job) is full


def test_a_receipt_that_a_crash_left_open_is_completed_by_the_daemon(base, tmp_path):
    """The file was taken and its process ended: the next daemon says what became of it."""
    lake = base.copy(tmp_path / "lake")
    (told,) = landing.take_in(lake, disks.GRAPH)
    assert told.taken
    with disks.daemon(lake, base.shim, "") as sick:
        assert told.staged is None
        disks.waits_until(lambda: sick.took(0), "its receipt is completed")


def test_a_sick_disk_is_seen_by_the_daemon(base, tmp_path):
    """While it is sick nothing is taken: so a green test says something."""
    lake = base.copy(tmp_path / "lake")
    with disks.daemon(lake, base.shim, "ENOSPC") as sick:
        disks.waits_until(lambda: sick.took(0), "the first file is taken in")
        before = shimming.roots(lake.folder)
        sick.begin()
        disks.hand_in(lake, 1)
        disks.waits_until(sick.met, "work meets the sick disk")
        assert sick.lives()
        assert not sick.took(1)
        assert shimming.roots(lake.folder) == before
