"""`cbi status --watch`: what it shows, look by look, and that no trouble ends it."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cbi_stream.cli import intake, state, watching
from cbi_stream.cli.opening import opened
from cbi_stream.cli.watching import Eye, in_words, painted
from cbi_stream.doors import landing
from cbi_stream.engine import fates
from cbi_stream.lake import durable
from cbi_stream.words import clock

Cbi = Callable[..., Any]
LATE = b"2024-01-02,38.0,38.5,37.5,38.0,38.0,1000\n"
COMMAND = """
import signal
from cbi_stream.cli.app import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
SIZE = os.terminal_size((40, 6))


def eye_on(lake: Path) -> Eye:
    """Return an eye on a lake."""
    return Eye(*opened(lake))


def take_in(lake: Path, files: list[Path], folder: Path) -> None:
    """Append one more session to raw, and compute nothing."""
    oil = next(path for path in files if path.name == "ZL=F.csv")
    path = folder / oil.name
    path.write_bytes(oil.read_bytes() + LATE)
    found, graph = opened(lake)
    landing.drop(found, path, landing.Hint())
    assert [receipt.end for receipt in landing.take_in(found, graph)] == ["archive"]


@pytest.fixture
def two_looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Make Ctrl-C come in the second pause; return the pauses."""
    pauses: list[float] = []

    def paused(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(watching, "pause", paused)
    return pauses


def test_rows_that_changed_are_marked(
    cbi: Cbi, lake: Path, files: list[Path], tmp_path: Path
) -> None:
    """The first look has nothing to compare, the second no news, the third its news."""
    eye = eye_on(lake)
    assert [eye.look()["changed"], eye.look()["changed"]] == [None, []]
    take_in(lake, files, tmp_path)
    look = eye.look()
    assert set(look["changed"]) >= {"raw.yahoo", "staging.prices"}
    assert not {"raw.fred", "staging.fred"} & set(look["changed"])
    text = in_words(look)
    assert "changed: " in text.splitlines()[0]
    assert "raw.yahoo *" in text
    assert "raw.fred *" not in text
    assert cbi("run", "--until-idle", "--lake", lake).code == 0
    assert "features.master" in eye.look()["changed"]
    assert eye.look()["changed"] == []


def test_a_look_says_what_status_says(cbi: Cbi, made: Path) -> None:
    """Tables, lines and files are those of `cbi status --json`."""
    plain = json.loads(cbi("status", "--lake", made, "--json").out)
    look = json.loads(json.dumps(eye_on(made).look(), default=str))
    assert {name: look[name] for name in plain} == plain


def test_the_dispatcher_is_judged_as_health_judges_it(lake: Path) -> None:
    """It lives, falls silent, and each of these is news once."""
    eye, beat = eye_on(lake), lake / "heartbeat.json"
    assert eye.look()["dispatcher"]["state"] == "never seen"
    with durable.locked(lake / "dispatch.lock", wait=False):
        for ago, word in ((1, "alive"), (600, "silent")):
            at = clock.now() - timedelta(seconds=ago)
            beat.write_text(json.dumps({"pid": os.getpid(), "at": at.isoformat()}))
            look = eye.look()
            assert look["changed"] == ["dispatcher"]
            assert f"dispatcher: {word}" in in_words(look).splitlines()[0]
        assert eye.look()["changed"] == []
    assert "dispatcher: ended" in in_words(eye.look()).splitlines()[0]


def test_a_damaged_table_is_said_and_the_others_are_shown(lake: Path) -> None:
    """Its row is empty, the others stand; once it is mended nothing is wrong."""
    eye = eye_on(lake)
    eye.look()
    newest = max((lake / "staging" / "fred" / "_delta_log").glob("*.json"))
    whole = newest.read_bytes()
    newest.write_bytes(whole[:50])
    look = eye.look()
    assert look["changed"] == ["staging.fred"]
    assert [newest.name in why for why in look["trouble"]] == [True]
    rows = {row["table"]: row for row in look["tables"]}
    assert rows["staging.fred"]["rows"] is None
    assert rows["staging.prices"]["rows"]
    assert "TROUBLE: " in in_words(look)
    newest.write_bytes(whole)
    look = eye.look()
    assert (look["trouble"], look["changed"]) == ([], ["staging.fred"])


def test_a_lake_that_vanishes_is_said_and_comes_back(lake: Path) -> None:
    """Nothing is made where it stood; its return is no change."""
    eye = eye_on(lake)
    eye.look()
    away = lake.rename(lake.with_name("away"))
    for _ in range(2):
        look = eye.look()
        assert (look["changed"], look["tables"]) == ([], [])
        assert "no lake at" in look["trouble"][0]
        assert "no lake at" in in_words(look)
    assert not lake.exists()
    away.rename(lake)
    look = eye.look()
    assert (look["trouble"], look["changed"]) == ([], [])


def test_a_landing_that_is_gone_is_not_made(lake: Path) -> None:
    """Who only looks makes no folder."""
    shutil.rmtree(lake / "landing")
    look = eye_on(lake).look()
    assert "landing" in look["trouble"][0]
    assert look["tables"]
    assert not (lake / "landing").exists()


def test_another_lake_in_its_place_is_said(lake: Path) -> None:
    """The same folder with another identity is another lake."""
    eye = eye_on(lake)
    (lake / "lake.json").write_text('{"id": "other", "kind": "simulated"}')
    assert "another lake" in eye.look()["trouble"][0]


def test_lines_that_move_while_it_looks_are_not_lost(
    lake: Path, files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is taken in between plan and count is looked at again."""
    honest = state.preview
    planned = []

    def overtaken(*args: Any) -> Any:
        tasks = honest(*args)
        if not planned:
            take_in(lake, files, tmp_path)
        planned.append(tasks)
        return tasks

    monkeypatch.setattr(state, "preview", overtaken)
    plain = state.looked_at(*opened(lake))
    assert [bool(tasks) for tasks in planned] == [False, True]
    assert plain["lines"]["raw.yahoo"]["unaccounted"] > 0
    assert plain["lost"] == {}


def test_nothing_is_lost_while_tables_never_rest(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of tables at two moments nobody can say that lines are lost; at one, it is said."""
    honest = fates.of_lake

    def lossy(*args: Any) -> Any:
        told = honest(*args)
        told["raw.yahoo"]["unaccounted"] += 1
        return told

    monkeypatch.setattr(fates, "of_lake", lossy)
    assert state.looked_at(*opened(made))["lost"] == {"raw.yahoo": 1}
    moments = iter(range(100))
    monkeypatch.setattr(state, "_versions", lambda _: [next(moments)])
    assert state.looked_at(*opened(made))["lost"] == {}


def test_files_are_read_anew_only_where_a_folder_changed(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders that rest cost nothing; a file that comes is seen at once."""
    looks = []
    honest = intake.waiting

    def counted(found: Any) -> Any:
        looks.append(1)
        return honest(found)

    monkeypatch.setattr(intake, "waiting", counted)
    os.utime(lake / "landing", (1, 1))
    eye = eye_on(lake)
    for _ in range(3):
        eye.look()
    assert len(looks) == 1
    (lake / "landing" / "stranger.csv").write_text("a,b\n")
    look = eye.look()
    assert look["landing"] == ["stranger.csv"]
    assert look["changed"] == ["waiting"]
    # The folder changed just now: what comes within the same tick must be seen as well.
    eye.look()
    assert len(looks) == 3


def test_snapshots_follow_each_other(
    cbi: Cbi, made: Path, two_looks: list[float]
) -> None:
    """Piped, each turn is appended after an empty line, and Ctrl-C leaves with 0."""
    said = cbi("status", "--watch", "--every", "7", "--lake", made)
    assert (said.code, said.err, two_looks) == (0, "", [7.0, 7.0])
    tops = [line for line in said.out.splitlines() if "dispatcher:" in line]
    assert [top.rpartition("   ")[2] for top in tops] == [
        "first look",
        "nothing changed",
    ]
    assert f"\n\n{tops[1]}" in said.out
    assert "\x1b" not in said.out


def test_json_is_one_object_a_line(
    cbi: Cbi, made: Path, two_looks: list[float]
) -> None:
    """Each look is one line that holds all of it; two seconds lie between."""
    said = cbi("status", "--watch", "--json", "--lake", made)
    looks = [json.loads(line) for line in said.out.splitlines()]
    assert [look["changed"] for look in looks] == [None, []]
    assert looks[0]["tables"] == looks[1]["tables"]
    assert (said.code, two_looks) == (0, [2.0, 2.0])


@pytest.mark.parametrize("every", ["0", "-1", "nan", "inf"])
def test_seconds_that_make_no_sense_are_refused(
    cbi: Cbi, made: Path, every: str
) -> None:
    """It neither spins nor sleeps for ever."""
    said = cbi("status", "--watch", "--every", every, "--lake", made)
    assert (said.code, said.out) == (2, "")
    assert "expected --every" in said.err


def test_no_lake_to_begin_with_is_wrong_usage(cbi: Cbi, tmp_path: Path) -> None:
    """A slip of the pen is not watched for ever."""
    assert cbi("status", "--watch", "--lake", tmp_path / "none").code == 2


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_painted_over(
    made: Path, two_looks: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cleared once, then each look begins at its top left corner."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", _Terminal())
    assert watching.watch(made, every=1, as_json=False) == 0
    text = sys.stdout.getvalue()
    assert (text.count("\x1b[2J"), text.count("\x1b[H")) == (1, 2)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stdout", _Terminal())
    two_looks.clear()
    watching.watch(made, every=1, as_json=False)
    assert "\x1b" not in sys.stdout.getvalue()


def test_what_is_painted_never_scrolls() -> None:
    """Lines that do not fit are counted, those that wrap count twice, gaps go first."""

    def shown(text: str) -> list[str]:
        lines = painted(text, SIZE).removeprefix("\x1b[H").removesuffix("\x1b[J")
        return [line.removesuffix("\x1b[K") for line in lines.splitlines()]

    assert shown("a\n\nb") == ["a", "", "b"]
    assert shown("a\n\nb\n\nc\n\nd") == ["a", "b", "c", "d"]
    more = "({} more lines: the window is too low)"
    assert shown("a\nb\nc\nd\ne\nf") == ["a", "b", "c", "d", more.format(2)]
    wide = "x" * 41
    assert shown(f"{wide}\n{wide}\nb\nc") == [wide, wide, more.format(2)]


def _started(lake: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", COMMAND, "status", "--watch", "--every", "0.1"]
    return subprocess.Popen(
        [*command, "--lake", str(lake), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_ctrl_c_and_a_closed_pipe_end_it_quietly(made: Path) -> None:
    """A process of its own leaves with 0 and says nothing, after either."""
    with _started(made, "--json") as one, _started(made) as other:
        for child in (one, other):
            assert child.stdout.readline()
        one.send_signal(signal.SIGINT)
        other.stdout.close()
        for child in (one, other):
            assert child.wait(30) == 0
            assert child.stderr.read() == b""
