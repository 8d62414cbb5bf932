"""One fault at one file call of a whole wave: the old state or the new one, then the same.

A bounded part runs here, each kind of call at least once; `bench/file_calls.py` spoils
every call in every way. Nothing here reads real data.
"""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime

import pytest

from cbi_stream.doors import dropping, landing, receipts
from cbi_stream.lake import durable, tail
from cbi_stream.lake.lake import Lake
from tests.faults import shimming

ACTS = shimming.KILLS + shimming.ERRORS


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A lake before and after its wave, and the calls of the wave."""
    folder = tmp_path_factory.mktemp("calls")
    shim = shimming.compiled(folder)
    if shim is None:
        pytest.skip("the shim needs Linux and a C compiler")
    with shimming.scene(folder, shim) as found:
        yield found


def sample(scene):
    """Return one call of each kind with an act, so that the acts take turns."""
    for i, (kind, numbers) in enumerate(sorted(scene.kinds.items())):
        act = ACTS[i % len(ACTS)]
        if act == "half_kill" and not kind.startswith("write"):
            act = "kill_after"
        yield numbers[i % len(numbers)], act


def test_a_fault_at_any_kind_of_call_leaves_the_old_state_or_the_new(scene):
    """What is published is whole, and the next run ends as if nothing had been."""
    picked = list(sample(scene))
    kinds = {call.number: call.kind(scene.after) for call in scene.calls}
    assert {kinds[number] for number, _ in picked} == set(kinds.values())
    # A proof of each takes as long as all else: equal bytes need none but the first.
    found = {
        f"{act} at {number}, {kinds[number]}": shimming.spoilt(
            scene, number, act, proving=i % 8 == 0
        )
        for i, (number, act) in enumerate(picked)
    }
    assert {what: each.wrong for what, each in found.items() if each.wrong} == {}
    kills = [each.code for what, each in found.items() if "kill" in what]
    assert kills
    assert set(kills) == {-9}


@pytest.mark.parametrize("kind", ["write .parquet", "write log.json#1", "write .tmp"])
def test_a_half_written_file_is_never_seen(scene, kind):
    """Killed amid the write of a training file, of a commit, and of a receipt."""
    found = shimming.spoilt(scene, scene.kinds[kind][-1], "half_kill", proving=False)
    assert (found.wrong, found.code) == ((), -9)


@pytest.mark.parametrize(
    ("kind", "act"), [("unlink .csv", "done_EIO"), ("unlink .json", "EIO")]
)
def test_a_file_that_is_gone_never_waits(scene, kind, act):
    """The disk refuses when the file was let go of: its receipt still says archive."""
    at = scene.kinds[kind][0]
    found = shimming.spoilt(scene, at, act, proving=False)
    assert (found.wrong, found.code) == ((), 75)


@pytest.mark.parametrize("kind", ["write log.json#1", "rename exports .json"])
def test_a_full_disk_is_told_as_such(scene, kind):
    """Also where a library meets it: one line and exit 75, since it may pass."""
    found = shimming.spoilt(scene, scene.kinds[kind][-1], "ENOSPC", proving=False)
    assert (found.wrong, found.code) == ((), 75)


def test_the_same_number_is_the_same_call_each_time(scene):
    """The counter counts the main process only, and the wave does the same each time."""
    place = shimming.copied(scene.before, scene.folder / "again")
    log = scene.folder / "again.txt"
    assert scene.runner.run(place, log_to=log).code == 0
    again = [each.kind(place) for each in shimming.calls(log)]
    assert again == [each.kind(scene.after) for each in scene.calls]
    assert shimming.converged(place, scene.after) == []
    shutil.rmtree(place)


def test_every_kind_of_call_was_met(scene):
    """The wave makes folders and files, writes, syncs, links, renames and removes."""
    met = {each.call for each in scene.calls}
    assert met >= {"open", "write", "fsync", "rename", "link", "unlink", "mkdir"}
    zones = {part for each in scene.calls for part in each.one.parts}
    tables = {"raw", "staging", "quarantine", "features", "labels"}
    assert zones >= tables | {"exports", "archive", "landing"}


def test_the_comparison_sees_what_is_wrong(scene):
    """A line too few, an export that was cut, a receipt that is gone are each seen."""
    place = shimming.copied(scene.after, scene.folder / "planted")
    receipt = place / "landing" / f"{shimming.NAME}.receipt.json"
    kept = receipt.read_bytes()
    receipt.unlink()
    assert "no receipt" in str(shimming.converged(place, scene.after))
    receipt.write_bytes(kept.replace(b'"archive"', b'"waiting"'))
    assert "says waiting" in str(shimming.converged(place, scene.after))
    receipt.write_bytes(kept)
    export = next((place / "exports").glob("*.parquet"))
    whole = export.read_bytes()
    export.write_bytes(whole[:-1])
    assert "the exports differ" in str(shimming.converged(place, scene.after))
    export.write_bytes(whole)
    assert shimming.converged(place, scene.after) == []
    assert "lines were lost" in str(shimming.converged(scene.before, scene.after))
    shutil.rmtree(place)


def test_a_published_state_between_the_two_is_seen(scene):
    """One table too new in current.json, and a file before its tables, are each seen."""
    old, new = scene.old, scene.new
    tables = {t: new.published[t] for t in list(new.published)[:3]}
    mixed = shimming.State({**old.published, **tables}, old.files, old.manifests)
    assert mixed.published not in (old.published, new.published)
    assert "never was" in str(shimming.after_the_fault(mixed, old, new))
    early = shimming.State(old.published, new.files, old.manifests)
    assert "before its tables" in str(shimming.after_the_fault(early, old, new))
    torn = shimming.State(new.published, old.files, new.manifests)
    assert "not there yet" in str(shimming.after_the_fault(torn, old, new))
    assert shimming.after_the_fault(old, old, new) == []
    assert shimming.after_the_fault(new, old, new) == []


def test_a_disk_that_takes_nothing_at_the_start_is_no_damaged_table(
    tmp_path, monkeypatch
):
    """A wave without a table that could not be synced would publish a mixed state."""
    lake = shimming.prepared(tmp_path)

    def refusing(path):
        if "staging" in path.parts:
            raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(durable, "sync", refusing)
    with pytest.raises(OSError, match="No space left"):
        tail.check_lake(Lake(lake.folder, lake.registry), lake.registry.contracts)
    plain = json.loads((lake.folder / "current.json").read_bytes())
    assert plain["tables"]


@pytest.fixture
def stating(tmp_path):
    """Give a lake, a file in its landing, and the `.asof` file beside it."""
    lake = Lake.create(tmp_path / "lake", shimming.GRAPH.registry, kind="real")
    place = lake.folder / "landing" / "VIXCLS.csv"

    def arrive(lines, said=""):
        place.write_text(f"observation_date,VIXCLS\n{lines}")
        os.utime(place, (1e9, 1e9))
        if said:
            place.with_name("VIXCLS.csv.asof").write_text(said)
        return landing.take_in(lake, shimming.GRAPH)

    return lake, place, arrive


def test_what_was_said_of_a_file_never_outlives_it(stating, monkeypatch):
    """The disk refuses when a file was let go of: the next one of its name is its own."""
    _, place, arrive = stating

    def refusing(_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(dropping, "forget", refusing)
        with pytest.raises(OSError, match="Input/output"):
            arrive("2024-05-01,15.39\n", "2024-05-03\n")
    assert receipts.read(place)["end"] == "archive"
    (told,) = arrive("2024-05-01,15.39\n2024-06-03,16.0\n")
    assert (told.end, told.as_of_by) == ("archive", "sight")
    assert told.stored >= 1


def test_what_was_said_of_a_file_is_not_lost_before_it_is(stating):
    """Bound to the bytes, and then a crash: the file that still stands is seen as said."""
    _, place, arrive = stating
    place.write_text("observation_date,VIXCLS\n2024-05-01,15.39\n")
    seen = datetime(2024, 5, 3, 12, tzinfo=UTC)
    place.with_name("VIXCLS.csv.asof").write_text("2024-05-03T12:00+00:00\n")
    dropping.bind(place, place.read_bytes(), seen)
    assert not place.with_name("VIXCLS.csv.asof").exists()
    (told,) = arrive("2024-05-01,15.39\n")
    assert (told.end, told.as_of) == ("archive", seen)
    assert [path.name for path in place.parent.iterdir()] == ["VIXCLS.csv.receipt.json"]
