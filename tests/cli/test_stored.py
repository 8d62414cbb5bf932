"""Status and health show damaged files and what was read again, from another process.

The damage is planted by hand in a copy of a simulated lake. No real data is read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cbi_stream.doors import checking
from cbi_stream.doors.checking import Checking
from cbi_stream.doors.heartbeat import beat
from cbi_stream.doors.logs import silent
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from tests.cli.conftest import REGISTRY
from tests.laws import worlds

Cbi = Callable[..., Any]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks may follow each other, and nothing has to reach a disk."""
    monkeypatch.setattr(checking, "_APART_SECONDS", 0.0)
    monkeypatch.setattr(checking, "_REST", 0)
    monkeypatch.setattr(durable, "sync", lambda _: None)


def _opened(folder: Path) -> Lake:
    assert REGISTRY.is_dir()
    return Lake(folder, worlds.discovered().registry)


def _checked(folder: Path) -> None:
    """Read everything once, as an idle dispatcher does."""
    lake = _opened(folder)
    beat(lake, pid=os.getpid())
    check = Checking(lake, silent())
    while check.progress.whole_at is None:
        check.look()


def _health_beside_a_dispatcher(cbi: Cbi, folder: Path) -> int:
    with durable.locked(folder / "dispatch.lock", wait=False):
        return int(cbi("health", "--lake", folder).code)


def _flip(folder: Path) -> Path:
    path = sorted(folder.glob("staging/prices/*=*/*.parquet"))[-1]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    return path


def test_what_was_read_again_is_shown(cbi: Cbi, lake: Path) -> None:
    """Files and bytes of the last days, and when a round was last finished."""
    before = json.loads(cbi("status", "--lake", lake, "--json").out)
    assert before["checked"]["files"] == 0
    assert before["damaged"] == []
    _checked(lake)
    plain = json.loads(cbi("status", "--lake", lake, "--json").out)["checked"]
    assert plain["files"] == plain["of"] > 20
    assert plain["bytes"] > 10_000
    assert plain["whole_at"]
    said = cbi("status", "--lake", lake)
    assert f"read again in the last 7 days: {plain['files']}" in said.err
    assert _health_beside_a_dispatcher(cbi, lake) == 0


def test_damage_is_shown_until_a_rebuild_mends_it(cbi: Cbi, lake: Path) -> None:
    """Health leaves with 3 and names the file and the mend; afterwards it is healthy."""
    path = _flip(lake)
    _checked(lake)
    said = cbi("health", "--lake", lake)
    assert said.code == 3
    assert path.name in said.out
    assert "cbi rebuild" in said.out
    [known] = json.loads(cbi("health", "--lake", lake, "--json").out)["damaged"]
    assert known["table"] == "staging.prices"
    assert known["expected"] != known["found"]
    assert f"damaged: staging/prices/{path.parent.name}/{path.name}" in " ".join(
        cbi("status", "--lake", lake).err.split()
    )
    assert cbi("rebuild", "--lake", lake).code == 0
    beat(_opened(lake), pid=os.getpid())
    assert _health_beside_a_dispatcher(cbi, lake) == 0
    assert json.loads(cbi("status", "--lake", lake, "--json").out)["damaged"] == []
    assert cbi("prove", "--lake", lake).code == 0


def test_a_file_that_was_put_back_is_no_news(cbi: Cbi, lake: Path) -> None:
    """What stands on the list and is whole again is not shown."""
    path = sorted(lake.glob("raw/*/*=*/*.parquet"))[0]
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    _checked(lake)
    assert _health_beside_a_dispatcher(cbi, lake) == 3
    path.write_bytes(data)
    assert _health_beside_a_dispatcher(cbi, lake) == 0
