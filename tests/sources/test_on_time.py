"""A daemon that is started with nothing but a registry asks the source that is due.

The real process, a real socket, and the replay server behind it: from the clock to the
staged number. No host outside this machine is asked.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cbi_stream.doors.journal import Journals
from cbi_stream.lake.lake import Lake
from cbi_stream.registry import loader
from cbi_stream.replay.server import Replay
from tests.sources.conftest import WORLD

ROOT = Path(__file__).resolve().parents[2]
RUN = "from cbi_stream.cli.app import main; main()"
SOURCE = "bcb"
PATIENCE = 240.0


def _only(folder: Path, source: str, *, base: str) -> None:
    """Leave one source to be asked, of this server, since the beginning of 2024."""
    path = folder / "data_sources.yaml"
    lines, inside, entry = [f"replay: {base}\n"], False, ""
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        named = re.fullmatch(r"  ([a-z_]+):\n", line)
        entry = named[1] if named else entry
        inside = line.startswith("    fetch:") or (inside and line.startswith("     "))
        if inside and entry != source:
            continue
        lines.append(
            re.sub(r"history_from: \S+", "history_from: 2024-01-01", line)
            if inside
            else line
        )
    path.write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return a copy of the registry's folder."""
    return Path(shutil.copytree(ROOT / "registry", tmp_path / "registry"))


@pytest.fixture
def replay() -> Iterator[Replay]:
    """Return a server of the simulated world."""
    with Replay(WORLD) as server:
        yield server


@pytest.mark.parametrize("offline", [False, True])
def test_what_is_due_is_asked_without_a_word(
    tmp_path: Path, registry: Path, replay: Replay, *, offline: bool
) -> None:
    """Asked, appended, staged; and with --offline nobody is asked."""
    _only(registry, SOURCE, base=replay.base)
    lake = Lake.create(tmp_path / "lake", loader.load(registry), kind="simulated")
    environment = {**os.environ, "CBI_REGISTRY": str(registry)}
    del environment["CBI_OFFLINE"]
    words = ["run", "--lake", str(lake.folder), *(["--offline"] if offline else [])]
    process = subprocess.Popen([sys.executable, "-c", RUN, *words], env=environment)
    try:
        staged = lake.table(f"staging.{SOURCE}")
        until = time.monotonic() + (20.0 if offline else PATIENCE)
        while staged.head()[0] < 0 and time.monotonic() < until:
            assert process.poll() is None, "the daemon ended"
            time.sleep(0.2)
        rows = staged.read(staged.head()[1].partitions.values())
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
    assert code == 0
    if offline:
        assert replay.asked == []
        assert rows.height == 0
        return
    assert rows.height > 0
    assert set(rows["series"]) <= set(lake.registry.data_sources.sources[SOURCE].series)
    assert Journals(lake).read(SOURCE).last_success is not None
