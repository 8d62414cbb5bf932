"""Whole files or none, and locks that end with their process."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cbi_stream.lake import durable
from cbi_stream.words.errors import LockHeld

HOLDER = """
import sys, time
from pathlib import Path
from cbi_stream.lake import durable
with durable.locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def _holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_written_file_is_there_with_its_folders(tmp_path: Path) -> None:
    """Folders are made on the way, and nothing else is left beside the file."""
    path = tmp_path / "a" / "b" / "file"
    durable.write(path, b"one")
    durable.write(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("step", ["sync", "replace"])
def test_a_write_that_fails_leaves_the_old_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Wherever a disk refuses, a reader sees the old file whole."""
    path = tmp_path / "file"
    durable.write(path, b"old")

    def refuse(*_: object) -> None:
        raise OSError(28, "no space left on device")

    target = (durable, "sync") if step == "sync" else (Path, "replace")
    monkeypatch.setattr(*target, refuse)
    with pytest.raises(OSError, match="no space"):
        durable.write(path, b"new and longer")
    assert path.read_bytes() == b"old"


def test_the_file_is_synced_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the bytes, then the name, then the folder: a power cut finds no hole."""
    path = tmp_path / "file"
    seen: list[tuple[bool, bool]] = []
    sync = durable.sync

    def watching(synced: Path) -> None:
        seen.append((synced.is_dir(), path.exists()))
        sync(synced)

    monkeypatch.setattr(durable, "sync", watching)
    durable.write(path, b"x")
    assert seen == [(False, False), (True, True)]


def test_syncing_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    """A missing file was not made durable."""
    with pytest.raises(FileNotFoundError):
        durable.sync(tmp_path / "nothing")


def test_a_second_holder_is_refused_and_a_kill_frees_the_lock(tmp_path: Path) -> None:
    """Another process cannot take the lock; it is free once the holder is killed.

    One that keeps the lock, and does not wait for it, is named to the other.
    """
    path = tmp_path / "folder" / "a.lock"
    with _holder(path) as process:
        with (
            pytest.raises(LockHeld, match=r"another process holds .*a\.lock"),
            durable.locked(path, wait=False),
        ):
            pass
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with (
            durable.locked(path, wait=False),
            pytest.raises(LockHeld, match=rf"\({os.getpid()}\) holds .*a\.lock"),
            durable.locked(path, wait=False),
        ):
            pass


def test_an_error_in_words_gets_its_number_back(tmp_path: Path) -> None:
    """delta-rs wraps errors of the disk; one that has a number stays as it is."""
    words = OSError("Generic error\n  No space left on device (os error 28)")
    found = durable.numbered(words, tmp_path)
    assert isinstance(found, OSError)
    assert (found.errno, found.filename) == (errno.ENOSPC, str(tmp_path))
    plain = OSError(errno.EIO, "(os error 28)")
    assert durable.numbered(plain, tmp_path) is plain
    other = ValueError("(os error 28)")
    assert durable.numbered(other, tmp_path) is other


def test_a_lock_is_free_after_an_error_inside(tmp_path: Path) -> None:
    """An exception in the block frees the lock on its way out."""
    path = tmp_path / "a.lock"
    with pytest.raises(RuntimeError), durable.locked(path):
        raise RuntimeError
    with durable.locked(path, wait=False):
        pass


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    """A worker that outlives its parent must not keep the lake locked."""
    path = tmp_path / "a.lock"
    told = "import time; print('up', flush=True); time.sleep(60)"
    with durable.locked(path):
        child = subprocess.Popen(
            [sys.executable, "-S", "-c", told],
            stdout=subprocess.PIPE,
            close_fds=False,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
    try:
        with durable.locked(path, wait=False):
            pass
    finally:
        child.kill()
        child.communicate()
