"""Power cuts amid a wave: every acknowledged line is there, and no hand is needed.

Two ways. A model drops what was not synced, which finds a sync that is missing or stands
in the wrong order, at any call; it knows no journal. A real volume is copied while it is
written to, which has ext4's journal and the kernel's cache, at instants by chance; it
needs root. Nothing here reads real data.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults import cutting, shimming
from tests.faults.shimming import Call

SEED = 11


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A lake before and after its wave, the calls, and what each sync saw."""
    folder = tmp_path_factory.mktemp("power")
    shim = shimming.compiled(folder)
    if shim is None:
        pytest.skip("the shim needs Linux and a C compiler")
    with shimming.scene(folder, shim) as found:
        yield found


def right_before(scene, call, suffix):
    """Return the number before the first such call: what it was for is not done yet."""
    return next(
        c.number - 1 for c in scene.calls if c.call == call and suffix in str(c)
    )


def test_what_was_not_synced_is_lost_and_nothing_is_missed(scene):
    """At the acknowledgement, amid commits and exports, and by chance anywhere."""
    acked = cutting.acknowledged_at(scene)
    last = scene.calls[-1].number
    cuts = [(acked, None), (acked, 1), (last, None), (last, 2)]
    cuts.append((right_before(scene, "rename", "current.json"), 3))
    chance = random.Random(SEED)
    cuts += [(chance.randint(1, last), 4 + i) for i in range(3)]
    found = {
        (at, seed): cutting.cut(scene, at, seed, proving=i % 4 == 0)
        for i, (at, seed) in enumerate(cuts)
    }
    assert {where: wrong for where, wrong in found.items() if wrong} == {}


def test_a_volume_that_is_copied_while_written_to_starts_again(scene):
    """A journal is replayed, and the wave ends as if nothing had been."""
    if not cutting.has_volumes(scene.folder):
        pytest.skip("this machine mounts no image: that needs root and a loop device")
    for number, seconds in enumerate((0.35, 0.8)):
        found = cutting.cut_volume(scene, f"volume-{number}", seconds)
        assert found.wrong == [], (seconds, found)


def test_without_syncs_acknowledged_lines_are_lost(scene):
    """The model sees it when nobody syncs: so a green cut says something."""
    calls = [call for call in scene.calls if call.call != "fsync"]
    disk = cutting.disk_after(scene, scene.calls[-1].number, calls=calls)
    tree = disk.left(None)
    place = cutting.laid_out(tree, scene.folder / "unsynced")
    wrong = cutting.restarted(scene, place, acknowledged=True, proving=False)
    assert "lines that were acknowledged are not there" in wrong


def test_a_commit_before_its_file_is_torn_by_a_cut(scene):
    """Without the sync of the folder that holds a table's new file, a cut takes it."""
    table = scene.after / "raw" / "yahoo"
    last = cutting.acknowledged_at(scene)
    calls = [
        call
        for call in scene.calls
        if call.number <= last
        and not (
            call.call == "fsync" and call.one.parent == table and call.one.is_dir()
        )
    ]
    assert len(calls) < last
    tree = cutting.disk_after(scene, last, calls=calls).left(None)
    place = cutting.laid_out(tree, scene.folder / "unordered")
    wrong = cutting.restarted(scene, place, acknowledged=True, proving=False)
    assert "lines that were acknowledged are not there" in wrong


def made(*calls):
    """Return calls on a lake at `/lake`, numbered from 1."""
    found = []
    for number, (call, one, *two) in enumerate(calls, 1):
        names = [Path("/lake") / each for each in (one, *two)]
        found.append(Call(number, call, names[0], names[1] if two else Path()))
    return found


def played(tmp_path, *calls):
    """Return a disk with one old file on which these calls were made."""
    lake = tmp_path / "small"
    lake.mkdir()
    (lake / "x").write_bytes(b"old")
    disk = cutting.Disk.of(lake)
    for call in made(*calls):
        (tmp_path / str(call.number)).write_bytes(b"new")
        disk.take(call, Path("/lake"), tmp_path)
    return disk


WRITTEN = [("open", "t"), ("write", "t"), ("fsync", "t"), ("rename", "t", "x")]


def test_a_rename_is_lost_until_its_folder_is_synced(tmp_path):
    """The old bytes stand until then; with the sync the new ones do."""
    disk = played(tmp_path, *WRITTEN)
    assert disk.left(None) == {Path(): None, Path("x"): b"old"}
    for call in made(("fsync", "")):
        disk.take(call, Path("/lake"), tmp_path)
    assert disk.left(None) == {Path(): None, Path("x"): b"new"}


def test_a_name_may_reach_the_disk_before_its_bytes(tmp_path):
    """By chance a name is there and its bytes are not: whoever did not sync sees that."""
    calls = [call for call in WRITTEN if call[0] != "fsync"]
    disk = played(tmp_path, *calls)
    held = {disk.left(random.Random(seed)).get(Path("x")) for seed in range(40)}
    assert held == {b"old", b""}


def test_what_lies_in_a_lost_folder_is_lost(tmp_path):
    """A file that was synced is gone where nobody synced the name of its folder."""
    deep = [("mkdir", "d"), ("open", "d/t"), ("write", "d/t"), ("fsync", "d/t")]
    disk = played(tmp_path, *deep, ("fsync", "d"))
    assert Path("d/t") not in disk.left(None)
    for call in made(("fsync", "")):
        disk.take(call, Path("/lake"), tmp_path)
    assert disk.left(None)[Path("d/t")] == b"new"
