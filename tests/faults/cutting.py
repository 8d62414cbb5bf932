"""Power cuts: a model that drops what was not synced, and a real volume that is copied.

The model knows what the disk was told: a file holds what its last fsync saw, a name
stands where its folder was synced after it. All else is lost, or, drawn by chance, any
part of it survives in any order. It never runs a lake, and leaves no mount behind.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cbi_stream.doors import receipts
from cbi_stream.lake import tail
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import CbiError
from tests.faults import shimming
from tests.faults.shimming import GRAPH, NAME, Call, Scene

RAW = "raw.yahoo"
_IMAGE_BYTES = 96 * 1024 * 1024


@dataclass(eq=False, slots=True)
class Inode:
    """A file whatever its names are: what the disk holds of it, and what was written."""

    synced: bytes = b""
    latest: bytes = b""
    """What was written by the next sync; where none came, by the end."""
    is_dirty: bool = False
    is_folder: bool = False


Entry = tuple[Path, Inode | None]
"""A name, and what it leads to; nothing where it was removed."""


@dataclass(slots=True)
class Disk:
    """What a lake's volume was told, call by call."""

    names: dict[Path, Inode]
    """What a process sees."""
    stored: dict[Path, Inode]
    """What a power cut leaves at least."""
    pending: dict[Path, list[list[Entry]]] = field(default_factory=dict)
    """By folder: what was done to its names since it was synced, each step whole."""

    @classmethod
    def of(cls, lake: Path) -> Disk:
        """Return a disk on which a lake stands, every byte of it synced."""
        names = {Path(): Inode(is_folder=True)}
        for path in sorted(lake.rglob("*")):
            data = b"" if path.is_dir() else path.read_bytes()
            names[path.relative_to(lake)] = Inode(data, data, is_folder=path.is_dir())
        return cls(dict(names), names)

    def take(self, call: Call, lake: Path, kept: Path) -> None:
        """Do what a call did; one that changed nothing, as it failed, does nothing."""
        one = call.one.relative_to(lake)
        if call.call in ("open", "mkdir") and one not in self.names:
            self._set(one, Inode(is_folder=call.call == "mkdir"))
        elif call.call in ("write", "empty", "truncate", "copy"):
            self.names[one].is_dirty = True
        elif call.call == "fsync":
            self._sync(one, kept / str(call.number))
        elif call.call in ("unlink", "rmdir") and one in self.names:
            del self.names[one]
            self._note([(one, None)])
        elif call.call == "link":
            self._set(call.two.relative_to(lake), self.names[one])
        elif call.call == "rename":
            self._rename(one, call.two.relative_to(lake))

    def _set(self, path: Path, inode: Inode) -> None:
        self.names[path] = inode
        self._note([(path, inode)])

    def _note(self, step: list[Entry]) -> None:
        self.pending.setdefault(step[0][0].parent, []).append(step)

    def _rename(self, one: Path, two: Path) -> None:
        inode = self.names[two] = self.names.pop(one)
        if one.parent == two.parent:
            self._note([(two, inode), (one, None)])
        else:
            self._note([(two, inode)])
            self._note([(one, None)])

    def _sync(self, path: Path, kept: Path) -> None:
        inode = self.names[path]
        if inode.is_folder:
            for step in self.pending.pop(path, []):
                _apply(self.stored, step)
        else:
            inode.synced, inode.is_dirty = kept.read_bytes(), False

    def left(self, chance: random.Random | None) -> dict[Path, bytes | None]:
        """Return what a cut leaves: by name the bytes, None for a folder.

        Args:
            chance: draws what survives of all that was not synced; without it, nothing.
        """
        found = dict(self.stored)
        for folder in sorted(self.pending):
            for step in self.pending[folder]:
                if chance is not None and chance.random() < 0.5:
                    _apply(found, step)
        tree: dict[Path, bytes | None] = {}
        for path, inode in sorted(found.items()):
            if path == Path() or tree.get(path.parent, b"") is None:
                tree[path] = None if inode.is_folder else _held(inode, chance)
        return tree


def _apply(names: dict[Path, Inode], step: Sequence[Entry]) -> None:
    for path, inode in step:
        if inode is None:
            names.pop(path, None)
        else:
            names[path] = inode


def _held(inode: Inode, chance: random.Random | None) -> bytes:
    if not inode.is_dirty or chance is None:
        return inode.synced
    latest = inode.latest
    return chance.choice([inode.synced, b"", latest[: len(latest) // 2], latest])


def disk_after(scene: Scene, at: int, *, calls: Sequence[Call] | None = None) -> Disk:
    """Return the disk when the call of that number had come back.

    Args:
        scene: the lake, and what its wave did.
        at: the number of the last call before the cut.
        calls: these calls instead of all that the wave made.
    """
    disk = Disk.of(scene.before)
    done = [c for c in scene.calls if c.number <= at] if calls is None else calls
    for call in done:
        disk.take(call, scene.after, scene.kept)
    for path, inode in disk.names.items():
        if inode.is_dirty:
            inode.latest = _by_the_next_sync(scene, path, at)
    return disk


def _by_the_next_sync(scene: Scene, path: Path, at: int) -> bytes:
    for call in scene.calls:
        same = call.call == "fsync" and call.one.relative_to(scene.after) == path
        if same and call.number > at:
            return (scene.kept / str(call.number)).read_bytes()
    return b""


def laid_out(tree: dict[Path, bytes | None], folder: Path) -> Path:
    """Write what a cut left into a folder."""
    for path, data in tree.items():
        if data is None:
            (folder / path).mkdir(parents=True)
        else:
            (folder / path).write_bytes(data)
    return folder


def acknowledged_at(scene: Scene) -> int:
    """Return the number of the first call after the append was acknowledged."""
    name = f".{NAME}{receipts.RECEIPT}."
    return next(c.number for c in scene.calls if c.one.name.startswith(name))


def restarted(
    scene: Scene, place: Path, *, acknowledged: bool, proving: bool = True
) -> list[str]:
    """Start on what a cut left, without a hand; return what is wrong, in words."""
    try:
        lake = Lake(place, GRAPH.registry)
        found = tail.check_lake(lake, lake.registry.contracts)
        bad = [each.damage for each in found if each.damage]
        root = shimming.roots(place)[RAW]
        if acknowledged and root != shimming.roots(scene.after)[RAW]:
            bad.append("lines that were acknowledged are not there")
        ran = scene.runner.run(place)
        if ran.code != 0:
            bad.append(f"the next run ended with {ran.code}: {ran.said[-1500:]}")
        return bad + shimming.converged(place, scene.after, proving=proving)
    except (AssertionError, CbiError, OSError) as error:
        return [f"{type(error).__name__}: {error}"]


def cut(scene: Scene, at: int, seed: int | None, *, proving: bool = True) -> list[str]:
    """Cut the power after a call, by the model; return what was wrong afterwards."""
    chance = None if seed is None else random.Random(seed * 1000 + at)
    tree = disk_after(scene, at).left(chance)
    place = laid_out(tree, scene.folder / f"cut-{at}-{seed}")
    try:
        known = at >= acknowledged_at(scene)
        return restarted(scene, place, acknowledged=known, proving=proving)
    finally:
        shutil.rmtree(place)


# -- a real volume ---------------------------------------------------------------------


def _ran(*words: str | Path) -> None:
    subprocess.run([str(w) for w in words], check=True, capture_output=True, timeout=60)


def image(path: Path, size: int = _IMAGE_BYTES) -> Path:
    """Make an ext4 image that fills itself at once, so that nothing is done later."""
    with path.open("wb") as file:
        file.truncate(size)
    lazy = "lazy_itable_init=0,lazy_journal_init=0"
    _ran("mkfs.ext4", "-q", "-F", "-E", lazy, path)
    return path


@contextmanager
def mounted(path: Path) -> Iterator[Path]:
    """Mount an image beside itself; it is unmounted and detached whatever happens."""
    place = path.with_suffix(".mounted")
    place.mkdir()
    _ran("mount", "-o", "loop", path, place)
    try:
        yield place
    finally:
        _unmounted(place)
        place.rmdir()


def _unmounted(place: Path) -> None:
    for _ in range(20):
        done = subprocess.run(["umount", place], capture_output=True, check=False)
        if done.returncode == 0:
            return
        time.sleep(0.1)  # a process that was killed may still let go of it
    _ran("umount", "-l", place)


def has_volumes(folder: Path) -> bool:
    """Return whether this machine lets us make a volume and mount it."""
    try:
        with mounted(image(folder / "probe.img", 16 * 1024 * 1024)):
            return True
    except (OSError, subprocess.SubprocessError):
        return False
    finally:
        (folder / "probe.img").unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class RealCut:
    """What a cut of a real volume led to."""

    wrong: list[str]
    had_ended: bool
    acknowledged: bool


def cut_volume(scene: Scene, name: str, seconds: float) -> RealCut:
    """Copy a volume while a wave writes to it, and start from the copy.

    What the kernel had not written to the image by then is lost, as in a power cut.
    """
    whole, copy = scene.folder / f"{name}.img", scene.folder / f"{name}-cut.img"
    try:
        with mounted(image(whole)) as place:
            lake = shimming.copied(scene.before, place / "lake")
            _ran("sync", "-f", place)
            pid = scene.runner.begin(lake)
            time.sleep(seconds)
            with shimming.stopped(pid):
                told = receipts.read(lake / "landing" / NAME)
                taken = told.get("sha256") == shimming.sha256_of_the_file()
                shutil.copyfile(whole, copy)
            ended = scene.runner.end().code == 0
        with mounted(copy) as place:
            bad = restarted(scene, place / "lake", acknowledged=taken)
        return RealCut(bad, ended, taken)
    finally:
        whole.unlink(missing_ok=True)
        copy.unlink(missing_ok=True)
