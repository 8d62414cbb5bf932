"""Health says what is wrong and leaves with 3; retry asks for what was set aside."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cbi_stream.lake import durable
from cbi_stream.words import clock

Cbi = Callable[..., Any]


def _beat(lake: Path, *, ago: float, **more: object) -> None:
    at = clock.now() - timedelta(seconds=ago)
    plain = {"pid": os.getpid(), "at": at.isoformat(), **more}
    (lake / "heartbeat.json").write_text(json.dumps(plain))


@pytest.fixture
def held(lake: Path) -> Iterator[None]:
    """Hold the lake as a dispatcher of this process would."""
    with durable.locked(lake / "dispatch.lock", wait=False):
        yield


def test_a_lake_without_a_dispatcher_is_not_healthy(cbi: Cbi, lake: Path) -> None:
    """Nobody takes files in: that is said, with exit 3."""
    said = cbi("health", "--lake", lake)
    assert (said.code, said.out.splitlines()[0]) == (3, "dispatcher: never seen")


@pytest.mark.usefixtures("held")
def test_a_heartbeat_of_now_is_healthy_and_an_old_one_is_not(
    cbi: Cbi, lake: Path
) -> None:
    """Three missed looks mean that it is silent."""
    _beat(lake, ago=5)
    said = cbi("health", "--lake", lake, "--json")
    assert said.code == 0
    assert json.loads(said.out)["dispatcher"]["state"] == "alive"
    _beat(lake, ago=600)
    said = cbi("health", "--lake", lake)
    assert said.code == 3
    assert "silent" in said.out


def test_without_its_lock_no_dispatcher_lives(cbi: Cbi, lake: Path) -> None:
    """However fresh its last sign is: it was asked to end, or it was killed."""
    _beat(lake, ago=1, leaving=True)
    said = cbi("health", "--lake", lake)
    assert (said.code, said.out.split(",")[0]) == (
        3,
        "dispatcher: stopped (it was asked to)",
    )
    _beat(lake, ago=1, leaving=False)
    assert "dispatcher: ended (it was killed" in cbi("health", "--lake", lake).out


@pytest.mark.usefixtures("held")
def test_another_process_that_holds_the_lake_is_no_dispatcher(
    cbi: Cbi, lake: Path
) -> None:
    """A rebuild holds it too: the dispatcher's last sign says nothing then."""
    _beat(lake, ago=1)
    (lake / "heartbeat.json").write_text(
        (lake / "heartbeat.json").read_text().replace(str(os.getpid()), "1")
    )
    said = cbi("health", "--lake", lake, "--json")
    assert said.code == 3
    found = json.loads(said.out)["dispatcher"]
    assert (found["state"], found["holder"]) == ("busy", os.getpid())


@pytest.mark.usefixtures("held")
def test_code_that_cannot_be_loaded_is_said(cbi: Cbi, lake: Path) -> None:
    """The dispatcher goes on with what it has, and somebody must mend the file."""
    _beat(lake, ago=1, code="SyntaxError: forward.py")
    said = cbi("health", "--lake", lake)
    assert said.code == 3
    assert "SyntaxError: forward.py" in said.out


def test_a_broken_heartbeat_is_said(cbi: Cbi, lake: Path) -> None:
    """What cannot be read is no sign of life."""
    (lake / "heartbeat.json").write_text("{")
    assert "unreadable" in cbi("health", "--lake", lake).out


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("table", ["staging.fred", "raw.fred"])
def test_a_damaged_table_is_named_and_the_rest_is_judged(
    cbi: Cbi, lake: Path, table: str
) -> None:
    """A commit that cannot be read is what is wrong, with exit 3; it hides nothing else."""
    _beat(lake, ago=5)
    newest = max((lake / table.replace(".", "/") / "_delta_log").glob("*.json"))
    newest.write_bytes(newest.read_bytes()[:50])
    said = cbi("health", "--lake", lake)
    assert said.code == 3, said.err
    assert said.out.startswith("dispatcher: alive")
    assert f"failed: {table}: " in said.out
    assert newest.name in said.out


def test_whoever_drops_a_file_is_told_who_takes_it_in(
    cbi: Cbi, lake: Path, tmp_path: Path
) -> None:
    """The dispatcher where one lives, else whoever runs it."""
    file = tmp_path / "stranger.csv"
    file.write_text("# SIMULATED\na,b\n1,2\n")
    assert "cbi run --until-idle" in cbi("drop", file, "--lake", lake).err
    _beat(lake, ago=1)
    with durable.locked(lake / "dispatch.lock", wait=False):
        said = cbi("drop", file, "--lake", lake)
    assert "the dispatcher takes them in" in said.err


def test_files_that_wait_are_shown_with_their_reason(cbi: Cbi, lake: Path) -> None:
    """A person sees what is asked of them."""
    _beat(lake, ago=1)
    (lake / "landing" / "stranger.csv").write_text("# SIMULATED\na,b\n1,2\n")
    cbi("run", "--until-idle", "--lake", lake)
    said = cbi("health", "--lake", lake)
    assert "waiting: stranger.csv" in said.out


def test_retry_is_heard_once(cbi: Cbi, lake: Path) -> None:
    """The next run takes the word and forgets it."""
    assert cbi("retry", "--lake", lake).code == 0
    assert (lake / "again").exists()
    cbi("run", "--until-idle", "--lake", lake)
    assert not (lake / "again").exists()
