"""One small wave under the shim: a lake, one file, and what may be true afterwards.

A run is the real `cbi run --until-idle` in a fork of a warm process that carries the
shim; its clock stands still, so that two lakes may be compared to the last byte. It
never spoils a call outside the lake that it is given.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import cbi_stream

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
from cbi_stream.cli import app, running
from cbi_stream.doors import dropping, landing, receipts
from cbi_stream.doors.readers import Child
from cbi_stream.engine import effects, fates
from cbi_stream.engine.prove import prove
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import log, tail
from cbi_stream.lake.lake import Lake
from cbi_stream.replay.market import SimulatedFile, lay_down
from cbi_stream.replay.pull import complex_market
from cbi_stream.shapes.handler import FATES
from cbi_stream.words import clock
from cbi_stream.words.errors import CbiError
from cbi_stream.words.span import Span
from tests.faults import killing

GRAPH = killing.GRAPH
DAYS = GRAPH.registry.sessions.between(Span(date(2018, 2, 1), date(2018, 8, 1)))
BEFORE = datetime(2019, 3, 1, 12, tzinfo=UTC)
MOMENT = datetime(2019, 3, 1, 13, tzinfo=UTC)
NAME = "ZL=F.csv"
KILLS = ("kill_before", "kill_after", "half_kill")
ERRORS = ("ENOSPC", "EIO", "EINTR", "done_EIO")
SPOILT = b"2018-04-05,28.1,28.9,x\n"
"""A line that cannot be read, so that the quarantine is written as well."""
_SOURCE = Path(__file__).with_name("shim.c")
_ROOT = Path(cbi_stream.__file__).resolve().parent.parent
_SERVE = "from tests.faults.shimming import serve; serve()"


def compiled(folder: Path) -> Path | None:
    """Build the shim; None where there is no Linux or no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    made = folder / "shim.so"
    words = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-o", str(made)]
    subprocess.run([*words, str(_SOURCE), "-lpthread"], check=True)
    return made


# -- the small lake ----------------------------------------------------------------


def the_file() -> SimulatedFile:
    """Return the file of the wave: some more sessions, and a line that is spoilt."""
    oil = complex_market(DAYS[:48], lead=20)[0]
    assert oil.name == NAME
    return SimulatedFile(oil.name, oil.data + SPOILT, oil.as_of)


def sha256_of_the_file() -> str:
    """Return the name of the file's bytes."""
    return hashlib.sha256(the_file().data).hexdigest()


def prepared(folder: Path) -> Lake:
    """Make a settled lake, its handlers probed, into which the file was dropped."""
    lake = Lake.create(folder / "lake", GRAPH.registry, kind="simulated")
    names = (NAME, "soybean_oil.csv", "VIXCLS.csv", "NFCI.csv")
    first = [f for f in complex_market(DAYS[:45], lead=20) if f.name in names]
    with clock.held_at(BEFORE):
        _drop(lake, folder, first)
        told = landing.take_in(lake, GRAPH)
        assert all(each.taken for each in told), told
        report = run_wave(lake, GRAPH, probing="one process")
        assert not report.failed, report.failed
        assert run_wave(lake, GRAPH).quiet
        landing.complete(lake, GRAPH, told)
    _drop(lake, folder, [the_file()])
    return lake


def _drop(lake: Lake, folder: Path, files: Sequence[SimulatedFile]) -> None:
    for path, file in zip(lay_down(files, folder / "desk"), files, strict=True):
        dropping.drop(lake, path, dropping.Hint(as_of=file.as_of))


def copied(lake: Path, to: Path) -> Path:
    """Copy a lake; its files keep their times."""
    shutil.copytree(lake, to, symlinks=True)
    return to


# -- a run --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended: its exit code, or minus the signal that ended it."""

    code: int
    said: str


class Runner:
    """A warm process with the shim, which forks for each run. Use it as a context."""

    def __init__(self, shim: Path, folder: Path) -> None:
        self._said = folder / "said.txt"
        words = [sys.executable, "-c", _SERVE]
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            env={**os.environ, "LD_PRELOAD": str(shim)},
            text=True,
        )
        assert self._read() == {"ready": True}

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=30)  # it ends with its stdin

    def run(
        self,
        lake: Path,
        *,
        at: int = -1,
        act: str = "",
        log_to: Path | None = None,
        keep_in: Path | None = None,
    ) -> Ran:
        """Run the wave on a lake, spoiling the call of that number."""
        self.begin(lake, at=at, act=act, log_to=log_to, keep_in=keep_in)
        return self.end()

    def begin(
        self,
        lake: Path,
        *,
        at: int = -1,
        act: str = "",
        log_to: Path | None = None,
        keep_in: Path | None = None,
    ) -> int:
        """Begin a run; return the id of its process."""
        assert self._process.stdin is not None
        task = {
            "lake": str(lake),
            "at": at,
            "act": act,
            "log": str(log_to or ""),
            "keep": str(keep_in or ""),
            "said": str(self._said),
        }
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return int(self._read()["pid"])

    def end(self) -> Ran:
        """Wait until the run that was begun has ended; until then its id is its own."""
        assert self._process.stdin is not None
        self._process.stdin.write("end\n")
        self._process.stdin.flush()
        return Ran(int(self._read()["code"]), self._said.read_text())

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


class _Kept(Child):
    """A reader that outlives the run: a kill never meets it amid an answer."""

    def close(self) -> None:
        """Leave it for the next run."""


def serve() -> None:
    """Answer tasks from stdin, each in a fork; called in the runner's process."""
    shim = ctypes.CDLL(None)
    reader = _Kept()
    reader.ready()
    child = reader._process
    assert child is not None
    running.Child = lambda _graph: reader  # type: ignore[misc,assignment]
    _answer({"ready": True})
    try:
        for line in sys.stdin:
            task = json.loads(line)
            pid = os.fork()
            if pid == 0:
                _work(shim, task)
            _answer({"pid": pid})
            sys.stdin.readline()
            _answer({"code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])})
    finally:
        child.kill()
        child.communicate()


def _answer(plain: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(plain) + "\n")
    sys.stdout.flush()


def _work(shim: ctypes.CDLL, task: dict[str, Any]) -> None:
    """Be the one process of a run, and end with it."""
    said = os.open(task["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number in (1, 2):
        os.dup2(said, number)
    sys.argv = ["cbi", "run", "--until-idle", "--lake", task["lake"]]
    words = [task["act"], task["log"], task["keep"]]
    code = 1
    try:
        with clock.held_at(MOMENT):
            encoded = [word.encode() for word in words]
            shim.shim_arm(task["lake"].encode(), task["at"], *encoded)
            app.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - whatever it is, it is this process's end
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)


# -- what is true of a lake --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class State:
    """What a reader sees of a lake, by content."""

    published: dict[str, str]
    """By table: the root that `current.json` names."""
    files: dict[str, str]
    """By name: the sha256 of each training file."""
    manifests: dict[str, dict[str, Any]]


def state(folder: Path) -> State:
    """Read everything that is published, as a reader would; fail where it cannot be."""
    lake = Lake(folder, GRAPH.registry)
    roots = {}
    for name, seen in lake.published().items():
        if seen.version < 0:
            continue  # nothing ever arrived there
        table = lake.table(name)
        current = log.map_at(table.folder, seen.version)
        assert current.root == seen.root, f"{name}: another root than was published"
        rows = table.read(current.partitions.values()).height
        assert rows == sum(p.rows for p in current.partitions.values()), name
        assert table.open().version() >= seen.version, name
        roots[name] = seen.root
    return State(roots, _files(folder), _manifests(lake))


def _files(folder: Path) -> dict[str, str]:
    found = sorted((folder / "exports").glob("*.parquet"))
    return {p.stem: hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def _manifests(lake: Lake) -> dict[str, dict[str, Any]]:
    """Return the manifests, without the versions: a file taken twice makes one more."""
    found = effects.manifests(lake)
    for each in found.values():
        each.pop("seal", None)  # it is over the versions as well
        each["inputs"] = {t: i["root"] for t, i in each["inputs"].items()}
    return found


def roots(folder: Path) -> dict[str, str]:
    """Return the root of the newest version of every table."""
    lake = Lake(folder, GRAPH.registry)
    return {name: lake.table(name).head()[1].root for name in GRAPH.registry.contracts}


def is_mixed(now: State, old: State, new: State) -> bool:
    """Whether training files of both states stand beside each other, each of them whole."""
    pairs = [(now.files, old.files, new.files)]
    pairs += [(now.manifests, old.manifests, new.manifests)]  # type: ignore[list-item]
    return any(mine not in (a, b) for mine, a, b in pairs)


def after_the_fault(now: State, old: State, new: State) -> list[str]:
    """Return what of the published state is neither the old one nor the new one."""
    bad = []
    if now.published not in (old.published, new.published):
        bad.append(f"current.json names a state that never was: {now.published}")
    for name in old.files.keys() | new.files.keys():
        file, manifest = now.files.get(name), now.manifests.get(name)
        if file not in (old.files.get(name), new.files[name]):
            bad.append(f"{name}: neither the old file nor the new one")
        if manifest not in (old.manifests.get(name), new.manifests[name]):
            bad.append(f"{name}: neither the old manifest nor the new one")
        if manifest == new.manifests[name] and file != new.files[name]:
            bad.append(f"{name}: a manifest of a file that is not there yet")
        if file != old.files.get(name) and now.published != new.published:
            bad.append(f"{name}: written before its tables were published")
    return bad


def converged(folder: Path, want: Path, *, proving: bool = True) -> list[str]:
    """Return how a lake differs from one that nothing happened to, in words.

    Without the proof its content is still compared, to the last byte, with that lake's.
    """
    lake, other = (Lake(each, GRAPH.registry) for each in (folder, want))
    bad = []
    if state(folder) != state(want):
        bad.append("another published state")
    if killing.exports(lake) != killing.exports(other):
        bad.append("the exports differ")
    if killing.raw_lines(lake) != killing.raw_lines(other):
        bad.append("lines were lost or doubled")
    if (mine := roots(folder)) != (its := roots(want)):
        bad.append(f"other roots: {[t for t in its if mine[t] != its[t]]}")
    told = fates.of_lake(lake, GRAPH)
    if any(counts["unaccounted"] for counts in told.values()):
        bad.append(f"lines are unaccounted for: {told}")
    for name in sorted(GRAPH.registry.contracts):
        bad += [str(fault) for fault in tail.verify(lake.table(name))]
    if proving and not (certificate := prove(lake, GRAPH)).identical:
        bad.append(f"prove: {certificate.differences}")
    return bad + _end_of_the_file(lake)


def _end_of_the_file(lake: Lake) -> list[str]:
    """Return what is wrong with the one end that a file has."""
    place = lake.folder / "landing" / NAME
    told = receipts.read(place)
    sha256 = sha256_of_the_file()
    aside = list((lake.folder / "quarantine" / "files").glob(f"{sha256[:16]}-*"))
    if told.get("sha256") != sha256:
        return [f"no receipt of the file: {told}"]
    # Named by the hash of its bytes: `read` fails where they are others.
    ends = {
        "archive": bool(lake.archive.read(sha256)) and not place.exists(),
        "waiting": place.exists(),
        "quarantine": bool(aside),
    }
    bad = []
    if told["end"] != "archive" or [e for e, is_so in ends.items() if is_so] != [
        "archive"
    ]:
        bad.append(f"its receipt says {told['end']}, its place {ends}")
    lines = sum(told[fate] or 0 for fate in FATES)
    if told["staged"] is None or lines != told["lines"]:
        bad.append(f"its receipt counts {lines} of {told['lines']} lines")
    return bad


@dataclass(frozen=True, slots=True)
class Call:
    """One call that the shim counted."""

    number: int
    call: str
    one: Path
    two: Path

    def kind(self, lake: Path) -> str:
        """Return what is done, and to what kind of file."""
        path = self.one if self.two == Path() else self.two
        below = path.relative_to(lake)
        if self.call == "rename":
            # Where the name comes to stand is what others see.
            return f"rename {below.parts[0]} {below.suffix}"
        if path.suffix == "":
            return f"{self.call} folder"
        return (
            f"{self.call} {'log' if '_delta_log' in below.parts else ''}{path.suffix}"
        )


def calls(path: Path) -> list[Call]:
    """Return the calls that the shim counted, in order."""
    found = []
    for line in path.read_text().splitlines():
        number, call, one, two = line.split("\t")
        found.append(Call(int(number), call, Path(one), Path(two)))
    return found


# -- every call ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scene:
    """A lake before the wave, one after it that nothing happened to, and the calls."""

    folder: Path
    runner: Runner
    before: Path
    after: Path
    old: State
    new: State
    calls: list[Call]
    kept: Path
    """What each file held when it was synced, by the number of that call."""

    @property
    def kinds(self) -> dict[str, list[int]]:
        """The numbers of the calls of each kind."""
        found: dict[str, list[int]] = {}
        for each in self.calls:
            found.setdefault(each.kind(self.after), []).append(each.number)
        return found


@contextmanager
def scene(folder: Path, shim: Path) -> Iterator[Scene]:
    """Make a lake, run its wave undisturbed, and count the calls."""
    folder = folder.resolve()
    kept = folder / "kept"
    kept.mkdir()
    before = prepared(folder).folder
    after = copied(before, folder / "after")
    with Runner(shim, folder) as runner:
        ran = runner.run(after, log_to=folder / "calls.txt", keep_in=kept)
        assert ran.code == 0, ran.said
        found = calls(folder / "calls.txt")
        old, new = state(before), state(after)
        assert old != new
        yield Scene(folder, runner, before, after, old, new, found, kept)


@dataclass(frozen=True, slots=True)
class Spoilt:
    """What one fault led to."""

    wrong: tuple[str, ...]
    is_mixed: bool
    """Whether training files of both states stood beside each other in between."""
    code: int


def spoilt(scene: Scene, at: int, act: str, *, proving: bool = True) -> Spoilt:
    """Spoil one call, look at what is published, run once more, and compare."""
    place = copied(scene.before, scene.folder / f"{act}-{at}")
    try:
        ran = scene.runner.run(place, at=at, act=act)
        if ran.code == 0 and act in KILLS:
            return Spoilt(
                (f"call {at} never came: the wave is not the same",), False, 0
            )
        now = state(place)
        wrong = after_the_fault(now, scene.old, scene.new)
        again = scene.runner.run(place)
        if again.code != 0:
            wrong.append(f"the next run ended with {again.code}: {again.said[-1500:]}")
        wrong += converged(place, scene.after, proving=proving)
        mixed = is_mixed(now, scene.old, scene.new)
    except (AssertionError, CbiError, OSError) as error:
        return Spoilt((f"{type(error).__name__}: {error}",), False, 0)
    finally:
        shutil.rmtree(place)
    return Spoilt(tuple(wrong), mixed, ran.code)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Hold a process still; it is killed afterwards, by its own id."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
