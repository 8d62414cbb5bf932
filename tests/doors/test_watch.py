"""The watch: what wakes the dispatcher, what must not, and what it survives.

Each test waits for real events in a real folder, and never for longer than it must.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time

import pytest

from cbi_stream.doors import watch as room
from cbi_stream.doors.watch import Watch, is_hint

SOON = 1.0
QUIET = 0.7  # the move of a name out of sight is told half a second late
COMMIT = f"{7:020d}.json"


@pytest.fixture
def lake(tmp_path):
    """Return a folder with a landing and one raw table's log."""
    folder = tmp_path / "lake"
    make(folder)
    return folder


def make(folder):
    """Lay out what is watched."""
    (folder / "landing").mkdir(parents=True)
    (folder / "raw" / "yahoo" / "_delta_log").mkdir(parents=True)
    (folder / "raw" / "yahoo" / "decade=2020").mkdir()


@pytest.fixture
def watch(lake):
    """Return a watch on that folder that has told its first hint."""
    with Watch(lake) as watching:
        assert watching.alive(), watching.why
        assert watching.wait(0)
        yield watching


def rename_in(lake, name="a.csv"):
    """Put a whole file into the landing, as `cbi drop` does."""
    outside = lake.parent / "outside.csv"
    outside.write_text("x")
    outside.rename(lake / "landing" / name)


def log_of(lake):
    """Return the folder of the one raw table's commits."""
    return lake / "raw" / "yahoo" / "_delta_log"


def test_a_file_renamed_in_is_told_within_a_second(lake, watch):
    """A file that comes whole, by rename, gives a hint; the hint is told once."""
    rename_in(lake)
    assert watch.wait(SOON)
    assert not watch.wait(0.1)


def test_a_commit_by_link_is_told_within_a_second(lake, watch):
    """A commit stands there by a hard link, as delta-rs makes it: that is a hint."""
    temporary = log_of(lake) / f"{COMMIT}#1"
    temporary.write_text("{}")
    assert not watch.wait(QUIET)
    os.link(temporary, log_of(lake) / COMMIT)
    assert watch.wait(SOON)


def test_a_table_that_comes_into_being_is_told(lake, watch):
    """The first commit of a table that was not there before gives a hint."""
    folder = lake / "raw" / "fred" / "_delta_log"
    folder.mkdir(parents=True)
    assert watch.wait(SOON)
    until = time.perf_counter() + SOON
    while not watch.alive() and time.perf_counter() < until:
        assert watch.renew()
        assert watch.wait(SOON)
    (folder / COMMIT).write_text("{}")
    assert watch.wait(SOON)


def test_own_reads_and_own_papers_are_not_told(lake, watch):
    """Reading, listing, receipts and unfinished files give no hint."""
    rename_in(lake)
    assert watch.wait(SOON)
    assert not watch.wait(QUIET)
    for _ in range(20):
        (lake / "landing" / "a.csv").read_bytes()
        list((lake / "landing").iterdir())
        list(log_of(lake).iterdir())
    for name in ("a.csv.receipt.json", "a.csv.hint.json", ".a.csv.1f.tmp", "b.part"):
        (lake / "landing" / name).write_text("{}")
    for name in (f"{COMMIT}#1", f"{8:020d}.checkpoint.parquet", "_last_checkpoint"):
        (log_of(lake) / name).write_text("{}")
    (lake / "raw" / "yahoo" / "decade=2020" / "part-1.parquet").write_text("x")
    for folder in (
        ".work/12",
        ".proof-1/raw/yahoo/_delta_log",
        "logs",
        "features/panel",
    ):
        (lake / folder).mkdir(parents=True)
        (lake / folder / COMMIT).write_text("x")
    (lake / "current.json").write_text("{}")
    assert not watch.wait(QUIET)
    assert watch.alive()


def test_each_name_is_judged():
    """What may mean work is told from what never does, name by name."""
    for part, *below in (
        ("lake", "landing"),
        ("lake", "raw"),
        ("landing",),
        ("landing", "ZL=F.csv"),
        ("landing", "ZL=F.csv.asof"),
        ("landing", "line\nfeed\udcff.csv"),
        ("raw", "yahoo"),
        ("table", "_delta_log"),
        ("log", COMMIT),
    ):
        assert is_hint(part, tuple(below)), (part, below)
    for part, *below in (
        ("lake", "current.json"),
        ("lake", ".work"),
        ("lake", ".proof-abc"),
        ("lake", "dispatch.lock"),
        ("lake", "logs"),
        ("lake", "logs", "landing"),
        ("landing", "ZL=F.csv.receipt.json"),
        ("landing", "ZL=F.csv.hint.json"),
        ("landing", ".ZL=F.csv.0a.tmp"),
        ("landing", "folder", "ZL=F.csv"),
        ("raw", ".yahoo"),
        ("table", "decade=2020"),
        ("table", ".write.lock"),
        ("log", f"{COMMIT}#1"),
        ("log", f"{8:020d}.checkpoint.parquet"),
        ("log", "_last_checkpoint"),
    ):
        assert not is_hint(part, tuple(below)), (part, below)


def test_the_root_renamed_and_made_again_is_noticed(lake, watch):
    """Another folder in its place: not alive; renewed, a file in it is told."""
    lake.rename(lake.with_name("before"))
    make(lake)
    assert not watch.alive()
    assert "are others" in watch.why
    assert watch.renew()
    assert watch.wait(0), "nobody saw what came in between"
    rename_in(lake)
    assert watch.wait(SOON)


def test_a_root_that_is_missing_for_a_while_is_survived(lake, watch):
    """Without a folder it is not alive, gives no hint by itself, and comes back."""
    shutil.rmtree(lake)
    time.sleep(0.2)
    watch.wait(QUIET)
    assert not watch.alive()
    assert not watch.renew()
    assert "cannot be watched" in watch.why
    assert not watch.wait(0), "a caller's loop would spin"
    make(lake)
    assert watch.renew()
    assert watch.wait(0)
    rename_in(lake)
    assert watch.wait(SOON)


def test_the_landing_alone_made_again_is_noticed(lake, watch):
    """Not only the lake's folder: its landing may be replaced as well."""
    (lake / "landing").rename(lake / "landed")
    (lake / "landing").mkdir()
    assert not watch.alive()
    assert watch.renew()
    rename_in(lake)
    assert watch.wait(SOON)


def test_a_folder_deleted_and_made_again_at_once_is_noticed(lake, watch):
    """The same inode number may be given again: then the ended thread tells it."""
    shutil.rmtree(lake / "landing")
    (lake / "landing").mkdir()
    until = time.perf_counter() + SOON
    while watch.alive() and time.perf_counter() < until:
        time.sleep(0.02)
    assert not watch.alive()
    assert watch.renew()
    rename_in(lake)
    assert watch.wait(SOON)


def test_a_lake_that_has_no_raw_yet(tmp_path):
    """The first table of all: the folder `raw` is told, and watched from `renew` on."""
    (tmp_path / "landing").mkdir()
    with Watch(tmp_path) as watch:
        assert watch.wait(0)
        (tmp_path / "raw").mkdir()
        assert watch.wait(SOON)
        assert not watch.alive()
        assert watch.renew()
        assert watch.wait(0)
        (tmp_path / "raw" / "fred").mkdir()
        assert watch.wait(SOON)


def test_a_lake_behind_a_symbolic_link(lake):
    """A link to the lake is followed; turned to another folder, that is noticed."""
    link, other = lake.with_name("link"), lake.with_name("other")
    link.symlink_to(lake)
    make(other)
    with Watch(link) as watch:
        assert watch.wait(0)
        rename_in(lake)
        assert watch.wait(SOON)
        link.unlink()
        link.symlink_to(other)
        assert not watch.alive()


def test_a_folder_that_comes_late(tmp_path):
    """A watch may begin before its lake is there."""
    with Watch(tmp_path / "lake") as watch:
        assert not watch.alive()
        assert not watch.wait(0)
        make(tmp_path / "lake")
        assert watch.renew()


def test_an_exception_in_the_callback_kills_nothing(lake, watch, monkeypatch):
    """What goes wrong while an event is judged counts as a hint; the next one too."""

    def broken(part, below):
        raise RuntimeError

    monkeypatch.setattr(room, "is_hint", broken)
    rename_in(lake)
    assert watch.wait(SOON)
    assert watch.alive()
    rename_in(lake, "b.csv")
    assert watch.wait(SOON)


def test_a_thread_that_ended_is_noticed(lake, watch):
    """One of watchdog's threads ends: not alive, and renewed it tells again."""
    for which in ("emitter", "observer", "reader"):
        observer = watch._observer
        emitter = next(iter(observer.emitters))
        reader = getattr(observer, "_inotify_fd", emitter)
        thread = {"emitter": emitter, "observer": observer, "reader": reader}[which]
        thread.stop()
        thread.join(SOON)
        assert not watch.alive()
        assert "thread" in watch.why
        assert watch.renew()
        assert watch.wait(0)
    rename_in(lake)
    assert watch.wait(SOON)


def test_a_system_without_watches_is_survived(lake, monkeypatch):
    """Where the kernel grants no watch the reason is told, and nothing raises."""

    def refused():
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    monkeypatch.setattr(room, "Observer", refused)
    with Watch(lake) as watch:
        assert not watch.alive()
        assert "is not watched" in watch.why
        assert not watch.renew()
        assert "limit reached" in watch.why
        assert not watch.wait(0.01)


def test_a_burst_of_files_is_one_hint(lake, watch):
    """Five thousand files: a hint, and nothing that is kept per file."""
    for number in range(5000):
        (lake / "landing" / f"{number}.csv").touch()
    assert watch.wait(SOON)
    until = time.perf_counter() + 20
    while watch._observer.event_queue.qsize() and time.perf_counter() < until:
        time.sleep(0.05)
    assert watch._observer.event_queue.qsize() == 0
    assert watch.alive()
    watch.wait(QUIET)
    rename_in(lake)
    assert watch.wait(SOON)


def test_it_stops_within_a_second_and_leaves_no_thread(lake):
    """Closing ends every thread that the watch began."""
    before = set(threading.enumerate())
    with Watch(lake) as watch:
        assert set(threading.enumerate()) > before
        began = time.perf_counter()
    assert time.perf_counter() - began < 1.0
    assert set(threading.enumerate()) <= before
    assert not watch.alive()
    watch.close()


def test_it_idles(lake, watch):
    """Waiting costs next to nothing, and ends on time."""
    watch.wait(QUIET)
    began, spent = time.perf_counter(), time.process_time()
    assert not watch.wait(1.0)
    assert 0.9 < time.perf_counter() - began < 2.0
    assert time.process_time() - spent < 0.05


def test_another_thread_ends_a_wait(watch):
    """Whoever stops the daemon can end its wait."""
    threading.Timer(0.1, watch.wake).start()
    assert watch.wait(5.0)


def test_off_it_only_waits(lake):
    """Off, no thread is begun and no hint comes, except by `wake`."""
    before = threading.active_count()
    with Watch(lake, off=True) as watch:
        assert threading.active_count() == before
        rename_in(lake)
        assert not watch.wait(0.2)
        assert watch.alive()
        assert watch.renew()
        watch.wake()
        assert watch.wait(0)
