"""`cbi doctor`: faults planted in a lake are told, with the mend, and nothing is changed.

The verb is called as a function: what the volume can do is `tests/doors/test_volume`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from cbi_stream.cli import doctoring
from cbi_stream.cli.doctoring import doctor, examined
from cbi_stream.doors import volume
from cbi_stream.lake import durable, log

HOLDS = """
import sys
from pathlib import Path
from cbi_stream.lake import durable
with durable.locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _local_disk(tmp_path, monkeypatch):
    """Say that the tests run on a plain disk, whatever they run on."""
    (tmp_path / "mounts").write_text("/dev/vda / ext4 rw 0 0\n")
    monkeypatch.setattr(volume, "_MOUNTS", tmp_path / "mounts")


@pytest.fixture
def bare(tmp_path):
    """Return a folder that names itself a lake and holds one log of three commits."""
    folder = tmp_path / "bare"
    (folder / "raw" / "fred" / "_delta_log").mkdir(parents=True)
    (folder / "lake.json").write_text('{"id": "1", "kind": "simulated"}')
    for version in range(3):
        log.commit_path(folder / "raw" / "fred", version).write_text("{}\n")
    return folder


def told(folder, what):
    """Return the one finding about something."""
    [finding] = [each for each in examined(folder) if each.what == what]
    return finding


def faults(folder):
    """Return what is at fault."""
    return [each.what for each in examined(folder) if each.level == "fault"]


def every_file(folder):
    """Return every file with its time and bytes."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_settled_lake_is_healthy(lake, capsys):
    """A lake that a run has settled: no fault, exit 0, and not a byte is changed."""
    before = every_file(lake)
    assert doctor(lake=lake) == 0
    assert "nothing is wrong (faults 0, warnings 0" in capsys.readouterr().out
    assert doctor(lake=lake, every=True) == 0
    out = capsys.readouterr().out
    for what in ("hard link", "raw.fred commits", "features.master checkpoints"):
        assert what in out
    assert every_file(lake) == before


def test_three_faults_come_first_with_their_mends(lake, capsys):
    """A zero-length commit, a torn checkpoint, a lost identity: exit 3, each mended."""
    table = lake / "features" / "panel"
    log.commit_path(table, log.newest_version(table)).write_bytes(b"")
    torn = lake / "raw" / "fred" / "_delta_log" / f"{1:020d}.checkpoint.parquet"
    torn.write_bytes(b"PAR1 and then the power was cut")
    (lake / "lake.json").write_text("{")
    (lake / ".proof-1").mkdir()
    assert doctor(lake=lake, every=True) == 3
    out = capsys.readouterr().out
    assert "faults 3, warnings 1" in out
    places = [
        out.index(what)
        for what in ("features.panel commits", "raw.fred checkpoints", "leftovers")
    ]
    assert max(places[:2]) < places[2] < out.index("dispatcher")
    for what in ("lake.json", "features.panel commits", "raw.fred checkpoints"):
        assert f"mend {what}: " in out


def test_a_machine_reads_everything(bare, capsys):
    """One JSON object holds the counts and all findings, fine ones too."""
    (bare / "lake.json").unlink()
    assert doctor(lake=bare, json=True) == 3
    plain = json.loads(capsys.readouterr().out)
    assert plain["fault"] == 1
    assert plain["findings"][0]["what"] == "lake.json"
    keys = {"what", "level", "found", "expected", "mend"}
    assert all(each.keys() == keys for each in plain["findings"])
    assert {each["level"] for each in plain["findings"]} >= {"ok", "fault"}


def test_a_missing_lake_is_told(tmp_path, capsys):
    """No folder at all: told with the mend, exit 3, and no folder is made."""
    assert doctor(lake=tmp_path / "none") == 3
    assert "cbi init" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"id": "1"}', '{"id": "1", "kind": "big"}', "\x00"]
)
def test_a_lake_that_does_not_say_what_it_is(bare, text):
    """Whatever stands in lake.json, it is a finding that says where the answer is."""
    (bare / "lake.json").write_text(text)
    finding = told(bare, "lake.json")
    assert finding.level == "fault"
    assert "current.json" in finding.mend


def test_a_broken_registry_is_told(bare, tmp_path, monkeypatch):
    """A registry that cannot be loaded is a fault, and the rest is looked at."""
    monkeypatch.setenv("CBI_REGISTRY", str(tmp_path / "none"))
    assert faults(bare) == ["registry and handlers"]


def test_whoever_dispatches_is_named(bare):
    """A running dispatcher is told with its process; it goes on, and is no fault."""
    lock = bare / "dispatch.lock"
    assert "none runs" in told(bare, "dispatcher").found
    assert not lock.exists()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    (bare / ".proof-1").mkdir()
    named = told(bare, "dispatcher")
    assert named.level == "ok"
    assert "not named" in named.found
    assert told(bare, "leftovers").level == "ok", "a proof is being made"
    lock.write_text(f"{holder.pid}\n")
    assert f"process {holder.pid} holds it" in told(bare, "dispatcher").found
    lock.write_text("999999999")
    orphan = told(bare, "dispatcher")
    assert orphan.level == "warning"
    assert "lsof" in orphan.mend
    holder.communicate("")
    assert "none runs" in told(bare, "dispatcher").found
    with durable.locked(lock, wait=False):
        pass


def test_leftovers_are_told(bare):
    """Unfinished files of ended processes and proofs; those of a living one are not."""
    for name in ("999999999", str(os.getpid()), "odd"):
        (bare / ".work" / name / "probe").mkdir(parents=True)
    assert told(bare, "leftovers").level == "ok", "empty folders are no sign of a kill"
    for folder in (bare / ".work").iterdir():
        (folder / "part.parquet").touch()
    (bare / ".proof-1").mkdir()
    finding = told(bare, "leftovers")
    assert finding.level == "warning"
    assert finding.found == ".proof-1, .work/999999999, .work/odd"
    assert "cbi run" in finding.mend


def test_a_zero_length_commit_is_told(bare):
    """An empty commit is read as one that did nothing: its rows are gone, unsaid."""
    log.commit_path(bare / "raw" / "fred", 1).write_bytes(b"")
    finding = told(bare, "raw.fred commits")
    assert finding.level == "fault"
    assert f"{1:020d}.json" in finding.found
    assert "backup" in finding.mend


def test_a_missing_commit_is_told(bare):
    """A gap between versions is named."""
    log.commit_path(bare / "raw" / "fred", 1).unlink()
    assert told(bare, "raw.fred commits").found == "missing: version 1"


@pytest.mark.parametrize("text", [b"", b"PA", b"PAR1....PAR", b"no parquet at all"])
def test_a_torn_checkpoint_is_told(bare, text):
    """A checkpoint that does not end as a Parquet file does; a whole one is fine."""
    place = bare / "raw" / "fred" / "_delta_log" / f"{2:020d}.checkpoint.parquet"
    place.write_bytes(b"PAR1....PAR1")
    assert faults(bare) == []
    place.write_bytes(text)
    assert faults(bare) == ["raw.fred checkpoints"]
    assert "_torn" in told(bare, "raw.fred checkpoints").mend


def test_a_checkpoint_that_is_named_and_gone_is_told(bare):
    """The pointer to the newest checkpoint must find it; an unreadable one is fine."""
    last = bare / "raw" / "fred" / "_delta_log" / "_last_checkpoint"
    last.write_text('{"version": 2}')
    assert "_last_checkpoint" in told(bare, "raw.fred checkpoints").found
    last.with_name(f"{2:020d}.checkpoint.parquet").write_bytes(b"PAR1PAR1")
    assert faults(bare) == []
    last.write_text("{")
    assert faults(bare) == []


def test_temporary_files_are_told_once_they_are_old(bare):
    """What a killed commit left behind is told; one that is being made is not."""
    left = bare / "raw" / "fred" / "_delta_log" / f"{3:020d}.json#1"
    left.touch()
    assert told(bare, "raw.fred #1 files").level == "ok"
    os.utime(left, (time.time() - 3600,) * 2)
    assert told(bare, "raw.fred #1 files").level == "warning"
    assert faults(bare) == []


def test_a_look_that_fails_is_a_finding(bare, monkeypatch):
    """What cannot be looked at is told, and the rest is looked at."""

    def _gone(folder):
        raise FileNotFoundError(folder)
        yield

    monkeypatch.setattr(doctoring, "_LOOKS", (_gone, doctoring._identity))
    assert told(bare, "gone").level == "warning"
    assert told(bare, "lake.json").level == "ok"
