"""The probe of a volume: each thing that may be missing is taken away, and told.

Tests may run as root, whom no permission stops: there the system's call is replaced.
"""

from __future__ import annotations

import errno
import fcntl
import os
from datetime import UTC, datetime, timedelta

import pytest

from cbi_stream.doors import volume
from cbi_stream.lake import log
from cbi_stream.lake.partition_map import PartitionMap
from cbi_stream.words import clock

ABILITIES = {
    "writing",
    "hard link",
    "rename",
    "fsync of a file",
    "fsync of a folder",
    "flock",
    "case of names",
    "file events",
}


@pytest.fixture
def lake(tmp_path, monkeypatch):
    """Return a folder on a local disk, whatever disk the tests run on."""
    mounts_say(tmp_path, monkeypatch, "/dev/vda / ext4 rw 0 0")
    folder = tmp_path / "lake"
    folder.mkdir()
    (folder / "lake.json").write_text('{"id": "1", "kind": "real"}')
    return folder


def mounts_say(tmp_path, monkeypatch, *lines):
    """Replace what the system says is mounted."""
    (tmp_path / "mounts").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(volume, "_MOUNTS", tmp_path / "mounts")


def found(folder, what):
    """Return the one finding about something."""
    [finding] = [each for each in volume.probe(folder) if each.what == what]
    return finding


def refusing(number):
    """Return a system call that always fails."""

    def refused(*_args, **_more):
        raise OSError(number, os.strerror(number))

    return refused


def test_a_sound_volume_has_no_fault(lake):
    """Everything is tried, nothing is wrong, and nothing stays behind."""
    findings = volume.probe(lake)
    assert {each.what for each in findings} >= ABILITIES
    assert [each for each in findings if each.level == "fault"] == []
    assert [each for each in findings if each.level != "ok" and not each.mend] == []
    assert [path.name for path in lake.iterdir()] == ["lake.json"]


def test_it_leaves_the_unfinished_files_of_others(lake):
    """The hidden folder is removed, and no other process's."""
    other = lake / ".work" / "1" / "part.parquet"
    other.parent.mkdir(parents=True)
    other.touch()
    volume.probe(lake)
    assert [path for path in lake.rglob("*") if path.is_file()] == [
        lake / "lake.json",
        other,
    ]


def test_a_missing_folder_is_told(tmp_path):
    """No folder, or a file in its place: one fault that says what to do."""
    [finding] = volume.probe(tmp_path / "none")
    assert (finding.level, finding.what) == ("fault", "folder")
    assert "cbi init" in finding.mend
    (tmp_path / "file").touch()
    assert "a file" in found(tmp_path / "file", "folder").found


def test_a_refused_hard_link_is_told(lake, monkeypatch):
    """A volume without hard links cannot hold a lake: each commit would fail."""
    monkeypatch.setattr(os, "link", refusing(errno.EPERM))
    finding = found(lake, "hard link")
    assert finding.level == "fault"
    assert "not permitted" in finding.found
    assert "exFAT" in finding.mend
    assert found(lake, "rename").level == "ok"
    assert not (lake / ".work").exists()


def test_a_link_that_is_a_copy_is_told(lake, monkeypatch):
    """A mount that copies instead of linking is told apart."""
    monkeypatch.setattr(os, "link", lambda a, b: b.write_bytes(a.read_bytes()))
    assert "copy" in found(lake, "hard link").found


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_refused_fsync_is_told(lake, monkeypatch, is_folder):
    """Fsync of files and of folders are tried apart."""
    synced = os.fsync

    def refused(descriptor):
        if os.path.isdir(f"/dev/fd/{descriptor}") == is_folder:  # noqa: PTH112
            raise OSError(errno.EINVAL, "Invalid argument")
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", refused)
    monkeypatch.setattr(volume.sys, "platform", "linux")
    levels = {each.what: each.level for each in volume.probe(lake)}
    assert levels["fsync of a folder"] == ("fault" if is_folder else "ok")
    assert levels["fsync of a file"] == ("ok" if is_folder else "fault")


def test_a_rename_that_does_not_replace_is_told(lake, monkeypatch):
    """A volume that refuses to rename over a file is told."""
    refused = refusing(errno.EEXIST)
    monkeypatch.setattr(volume.Path, "replace", refused)
    assert found(lake, "rename").level == "fault"


def test_a_lock_that_binds_nobody_is_told(lake, monkeypatch):
    """Where two get one exclusive lock, or none gets any, that is a fault."""
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    assert "two hold" in found(lake, "flock").found
    monkeypatch.setattr(fcntl, "flock", refusing(errno.ENOLCK))
    assert found(lake, "flock").level == "fault"


def test_names_that_fall_together_are_told(lake, monkeypatch):
    """A volume that does not tell A from a gets a warning."""
    exists = volume.Path.exists
    monkeypatch.setattr(volume.sys, "platform", "linux")
    monkeypatch.setattr(
        volume.Path, "exists", lambda self: exists(self.with_name(self.name.lower()))
    )
    assert found(lake, "case of names").level == "warning"


def test_events_that_never_come_are_told(lake, monkeypatch):
    """Where a file that comes is not told there is a warning, no fault."""
    monkeypatch.setattr(volume.Watch, "wait", lambda *_: False)
    finding = found(lake, "file events")
    assert finding.level == "warning"
    assert "30 s" in finding.mend


def test_a_folder_that_takes_no_file_is_one_fault(lake, monkeypatch):
    """Read-only: the writing is told, and what hangs on it is not tried."""
    monkeypatch.setattr(volume.Path, "mkdir", refusing(errno.EROFS))
    findings = {each.what: each for each in volume.probe(lake)}
    assert findings["writing"].level == "fault"
    assert "Read-only" in findings["writing"].found
    assert not (ABILITIES - {"writing"}) & findings.keys()


def statvfs(**changed):
    """Return a system call that tells of a volume of 100 GiB, and what was changed."""
    plain = {
        "f_frsize": 4096,
        "f_blocks": 26_214_400,
        "f_bavail": 13_107_200,
        "f_files": 1_000_000,
        "f_favail": 900_000,
        "f_flag": 0,
    }

    class Seen:
        def __init__(self):
            self.__dict__ |= plain | changed

    return lambda _path: Seen()


@pytest.mark.parametrize(
    ("changed", "what", "level"),
    [
        ({}, "space", "ok"),
        ({"f_bavail": 0}, "space", "fault"),
        ({"f_bavail": 200_000}, "space", "warning"),
        ({"f_bavail": 1_200_000}, "space", "warning"),
        ({"f_favail": 0}, "inodes", "warning"),
        ({"f_files": 0, "f_favail": 0}, "inodes", "ok"),
        ({"f_flag": os.ST_RDONLY}, "mount", "fault"),
    ],
)
def test_a_volume_that_fills_up_is_told(lake, monkeypatch, changed, what, level):
    """Bytes, inodes and a read-only mount, each by what the system says."""
    monkeypatch.setattr(os, "statvfs", statvfs(**changed))
    finding = found(lake, what)
    assert finding.level == level, finding


def test_another_owner_is_told(lake, monkeypatch):
    """Who runs it as somebody else makes files that the owner cannot change."""
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert found(lake, "owner").level == "warning"


def test_a_folder_that_everybody_writes_is_told(lake):
    """A world-writable parent is named; a sticky one may stay."""
    lake.parent.chmod(0o777)
    finding = found(lake, "who may write")
    assert finding.level == "warning"
    assert str(lake.parent) in finding.mend
    lake.parent.chmod(0o1777)
    assert found(lake, "who may write").level == "ok"
    lake.chmod(0o777)
    assert str(lake) in found(lake, "who may write").found


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("ext4", "ok"),
        ("fuseblk", "ok"),
        ("nfs4", "warning"),
        ("cifs", "warning"),
        ("9p", "warning"),
        ("fuse.sshfs", "warning"),
        ("tmpfs", "warning"),
        ("overlay", "warning"),
    ],
)
def test_a_file_system_that_is_no_local_disk_is_told(
    lake, tmp_path, monkeypatch, kind, level
):
    """The mount that holds the lake counts: the deepest one, and there the last."""
    place = str(lake.resolve()).replace("lake", "\\154ake")
    mounts_say(
        tmp_path,
        monkeypatch,
        "/dev/vda / ext4 rw 0 0",
        f"server:/x {place} nfs rw 0 0",
        f"server:/x {place} {kind} rw 0 0",
        f"server:/x {place}2 nfs rw 0 0",
    )
    finding = found(lake, "file system")
    assert finding.level == level, finding
    assert finding.found.startswith(kind)


def test_a_system_without_lists_says_so(lake, tmp_path, monkeypatch):
    """On a Mac there is no list of mounts and no inotify: told, and no warning."""
    monkeypatch.setattr(volume, "_MOUNTS", tmp_path / "none")
    monkeypatch.setattr(volume, "_INOTIFY", tmp_path / "none")
    for what in ("file system", "inotify"):
        finding = found(lake, what)
        assert finding.level == "ok"
        assert "not looked at" in finding.found


def test_few_watches_are_told(lake, tmp_path, monkeypatch):
    """Limits of the system below what programs need get a warning with the command."""
    for name, limit in (
        ("max_user_watches", 100),
        ("max_queued_events", 16384),
        ("max_user_instances", 1),
    ):
        (tmp_path / name).write_text(f"{limit}\n")
    monkeypatch.setattr(volume, "_INOTIFY", tmp_path)
    told = [f for f in volume.probe(lake) if f.what == "inotify"]
    assert [each.level for each in told] == ["warning", "ok", "warning"]
    assert "sysctl fs.inotify.max_user_watches=" in told[0].mend


def test_a_clock_that_went_back_is_told_by_how_much(lake):
    """The lake was made after now: the clock is wrong, and by how much is said."""
    with clock.held_at(datetime.now(UTC) - timedelta(days=3)):
        finding = found(lake, "clock")
    assert finding.level == "fault"
    assert finding.found.startswith(("2 days, 23:5", "3 days"))
    assert "before lake.json" in finding.found
    with clock.held_at(datetime.now(UTC) - timedelta(minutes=2)):
        assert found(lake, "clock").level == "warning"


def test_raw_knows_a_later_time_than_the_clock(lake, monkeypatch):
    """The newest line of raw was first seen after now; a damaged log says nothing."""
    monkeypatch.setattr(log, "newest_version", lambda _: 3)
    seen = datetime.now(UTC) + timedelta(hours=2)
    note = {"first_seen_at": seen.isoformat()}
    monkeypatch.setattr(log, "map_at", lambda *_: PartitionMap({}, note=note))
    (lake / "raw" / "fred").mkdir(parents=True)
    finding = found(lake, "clock")
    assert finding.level == "fault"
    assert "raw.fred" in finding.found
    monkeypatch.setattr(log, "map_at", lambda *_: PartitionMap({}))
    assert found(lake, "clock").level == "ok"


def test_a_clock_that_jumps_is_told(lake, monkeypatch):
    """The wall clock and the one that only counts must move together."""
    steps = iter([0.0, 60.0])
    monkeypatch.setattr(volume.time, "perf_counter", lambda: next(steps))
    monkeypatch.setattr(volume, "_LOOKS", {})
    assert found(lake, "clock's run").level == "warning"


def test_a_look_that_fails_is_a_finding(lake, monkeypatch):
    """Whatever cannot be looked at is told, and the rest is looked at."""
    monkeypatch.setattr(os, "statvfs", refusing(errno.EIO))
    findings = {each.what: each for each in volume.probe(lake)}
    assert findings["space"].level == "fault"
    assert "Input/output" in findings["space"].found
    assert findings["clock"].level == "ok"
