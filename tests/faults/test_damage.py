"""Every damage of a table's log and files ends well: harmless, mended, or refused.

A start never loses a line that was acknowledged, and says so where one was lost.
"""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from cbi_stream.cli import opening
from cbi_stream.doors.landing import take_in
from cbi_stream.engine.graph import discover
from cbi_stream.lake import durable, log, records, tail
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock
from cbi_stream.words.errors import DamagedLake
from tests.faults import damage
from tests.faults.conftest import ARRIVALS, BELOW, DEEP, NEWEST, TABLES, toy_start

RECORD, DERIVED = "raw.px", "staging.px"
LAST = len(ARRIVALS) - 1
POSITIONS = {"newest": NEWEST, "below": BELOW, "deep": DEEP}

# What becomes of a damage at the newest version, the one below it, and a deeper one:
#   aside    the torn file is moved to _torn/, and the next run makes it anew
#   redone   nothing is there to be seen, and the next run makes it anew
#   refused  the table is refused with a mend, nothing is moved, other tables go on
#   late     a start does not look there; `verify` names it, and nothing is lost
#   nothing  it harms nobody
OUTCOMES = {
    damage.cut_inside_a_line: "aside refused late",
    damage.nuls: "aside refused late",
    damage.garbage: "aside refused late",
    damage.cut_at_a_line_end: "aside refused late",
    damage.empty: "aside refused refused",
    damage.other_json: "aside refused late",
    damage.missing: "redone refused refused",
    damage.first_missing: "refused refused refused",
    damage.copied_beyond_a_gap: "refused refused refused",
    damage.copied_on_top: "aside refused refused",
    damage.another_with_its_number: "refused refused refused",
    damage.same_file_added_twice: "nothing refused late",
    damage.by_another_tool: "refused refused late",
    damage.data_missing: "aside refused refused",
    damage.data_empty: "aside refused refused",
    damage.data_cut: "aside refused refused",
    damage.data_nuls: "aside refused refused",
    damage.data_bit: "late late late",
    damage.checkpoint_cut: "aside nothing nothing",
    damage.checkpoint_empty: "aside nothing nothing",
    damage.checkpoint_missing: "aside nothing nothing",
    damage.hint_garbage: "aside aside aside",
    damage.hint_empty: "aside aside aside",
    damage.linked: "nothing nothing nothing",
    damage.strangers: "nothing nothing nothing",
}
CASES = [
    pytest.param(
        table, done, position, outcome, id=f"{table}-{done.__name__}-{position}"
    )
    for done, outcomes in OUTCOMES.items()
    for position, outcome in zip(POSITIONS, outcomes.split(), strict=True)
    for table in (RECORD, DERIVED)
]


def listing(folder):
    """Return every file of a folder with its bytes, locks left out."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".write.lock"
    }


def is_as_if_nothing_happened(lake, whole_roots):
    """Take the last file again, run, and compare with the lake that was never hurt."""
    lake.arrive(LAST)
    lake.wave()
    assert lake.roots() == whole_roots
    assert lake.proven()


def is_whole_for_others(lake):
    """Compare what we read with what a reader finds that knows nothing of us."""
    for name in (RECORD, DERIVED):
        table = lake.lake.table(name)
        rows = table.read(table.head()[1].partitions.values()).height
        others = pl.scan_delta(str(table.folder)).collect()
        assert others.height == rows, name


@pytest.mark.parametrize(("name", "done", "position", "outcome"), CASES)
def test_each_damage_has_its_end(
    small, made, whole_roots, name, done, position, outcome
):
    """Set aside and made anew to the same roots, or refused by name, or harmless."""
    # What nobody was told of is the newest commit of raw: its file is still there.
    fresh = name == RECORD and position == "newest" and outcome != "late"
    lake = small("appended" if fresh else "settled")
    folder = lake.folder(name)
    done(folder, POSITIONS[position])
    hurt = listing(folder)
    tails = lake.check()
    assert [t for t, each in tails.items() if each.damage and t != name] == []
    mine = tails[name]
    if outcome == "refused":
        assert str(folder) in mine.damage
        assert mine.damage.startswith(f"{name}: ")
        assert listing(folder) == hurt
        _mended_as_told(lake, made, name, whole_roots)
        return
    assert mine.damage == ""
    assert bool(mine.moved) == bool(mine.found) == (outcome == "aside")
    assert listing(folder).keys() >= {p for p in hurt if p.suffix == ".parquet"} - {
        fault.path.relative_to(folder) for fault in mine.found
    }
    if outcome == "late":
        assert any(
            str(folder) in str(each) for each in tail.verify(lake.lake.table(name))
        )
        return
    is_as_if_nothing_happened(lake, whole_roots)
    is_whole_for_others(lake)
    if outcome != "nothing":
        assert lake.check()[name].found == ()
        assert tail.verify(lake.lake.table(name)) == []


def _mended_as_told(lake, made, name, whole_roots):
    """Do what the message says: put a backup back, or let the table be made anew."""
    folder = lake.folder(name)
    folder.rename(lake.world.folder / "moved-away")
    if name == RECORD:
        shutil.copytree(made["settled"].folder(name), folder)
    assert not any(each.damage for each in lake.check().values())
    lake.arrive(LAST)
    lake.wave()
    assert lake.roots() == whole_roots


@pytest.mark.parametrize("name", [RECORD, DERIVED])
def test_a_commit_cut_at_any_byte_is_the_old_state_or_the_whole_one(small, name):
    """However much of the newest commit is left, nothing in between is ever seen."""
    table = small("appended").lake.table(name)
    newest = table.head()[0]
    path = log.commit_path(table.folder, newest)
    data = path.read_bytes()
    states = {v: log.map_at(table.folder, v) for v in (newest - 1, newest)}
    ends = {newest - 1: 0, newest: 0}
    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        seen = tail.check(table)
        version, current = table.head()
        assert (version, current) == (seen.version, states[version])
        assert [moved.read_bytes() for moved in seen.moved] == [data[:length]] * (
            version < newest
        )
        ends[version] += 1
    assert ends == {newest - 1: len(data), newest: 1}


def test_a_lost_version_that_was_consumed_is_refused(small, made, whole_roots):
    """A derived table names what it was made from: raw without it has lost lines."""
    for done in (damage.missing, damage.cut_at_a_line_end, damage.data_missing):
        lake = small()
        done(lake.folder(RECORD), NEWEST)
        seen = lake.check()[RECORD]
        assert "expected version 5 with root " in seen.damage
        assert "found version 4 with root " in seen.damage
        assert seen.moved == ()
        _mended_as_told(lake, made, RECORD, whole_roots)
        shutil.rmtree(lake.world.folder)


def test_a_lost_record_as_a_whole_is_refused(small):
    """A folder that is gone is no table that was never begun."""
    lake = small()
    shutil.rmtree(lake.folder(RECORD))
    assert "found version -1" in lake.check()[RECORD].damage
    assert not lake.folder(RECORD).exists()


def test_a_version_that_was_taken_by_another_file_is_refused(small):
    """The number alone proves nothing: another content under it is a lost one."""
    lake = small()
    damage.missing(lake.folder(RECORD), NEWEST)
    lake.world.restart()
    lake.arrive(0)
    lake.arrive(1)
    assert lake.lake.table(RECORD).head()[0] > NEWEST
    assert "expected version 5 with root " in lake.check()[RECORD].damage


def test_a_lost_version_that_nothing_was_made_from_is_not_seen(small, whole_roots):
    """What only the log knew cannot be missed: its file has to be handed in again."""
    lake = small("appended")
    damage.missing(lake.folder(RECORD), NEWEST)
    assert lake.check()[RECORD] == tail.Tail(RECORD, BELOW)
    found = tail.leftovers(lake.lake.table(RECORD))
    assert [path.suffix for path in found.paths] == [".parquet"]
    is_as_if_nothing_happened(lake, whole_roots)


def test_a_lost_compaction_takes_no_line_along(small, whole_roots):
    """It moved lines between files only: the version before it has them all."""
    lake = small()
    assert records.compact(lake.lake.table(RECORD), work=lake.lake.work) == 1
    version = lake.lake.table(RECORD).head()[0]
    lake.wave()
    assert lake.lake.published()[RECORD].version == version
    damage.cut_inside_a_line(lake.folder(RECORD), version)
    seen = lake.check()[RECORD]
    assert (seen.damage, len(seen.moved)) == ("", 1)
    is_as_if_nothing_happened(lake, whole_roots)


def test_a_checkpoint_beyond_the_log_shows_a_loss(small, whole_roots):
    """It is made when its commit is durable: raw is refused, a derived table is not."""
    lake = small("appended")
    for name in (RECORD, DERIVED):
        table = lake.lake.table(name)
        table.checkpoint()
        damage.missing(table.folder, table.head()[0])
    seen = lake.check()
    assert "checkpoint.parquet: expected none above version 4" in seen[RECORD].damage
    assert [p.name.partition("-")[2] for p in seen[DERIVED].moved] == [
        f"{4:020d}.checkpoint.parquet",
        "_last_checkpoint",
    ]


@pytest.mark.parametrize("name", [RECORD, DERIVED])
def test_a_torn_beginning_of_a_table_is_set_aside_whole(small, made, whole_roots, name):
    """The commit that makes a table and its first content are not told of before both."""
    lake = small()
    for each in TABLES:
        shutil.rmtree(lake.folder(each))
    (lake.world.folder / "current.json").unlink()
    first = Path(made["settled"].folder(name))
    shutil.copytree(first, lake.folder(name))
    for version in range(2, NEWEST + 1):
        damage.missing(lake.folder(name), version)
    damage.empty(lake.folder(name), 0)
    damage.empty(lake.folder(name), 1)
    seen = lake.check()[name]
    assert (seen.version, len(seen.moved), seen.damage) == (-1, 2, "")
    for number in range(len(ARRIVALS)):
        lake.arrive(number)
    lake.wave()
    assert lake.roots() == whole_roots
    assert lake.proven()


def test_a_creation_without_content_is_whole(small):
    """A process may end between the commit that makes a table and the next."""
    lake = small()
    for version in range(1, NEWEST + 1):
        damage.missing(lake.folder(DERIVED), version)
    assert lake.check()[DERIVED] == tail.Tail(DERIVED, 0)
    lake.wave()
    assert lake.proven()


def test_a_record_made_anew_by_another_tool_is_refused(small):
    """A table that is created over a record would hide all its lines."""
    lake = small()
    table = lake.lake.table(RECORD)
    DeltaTable.create(table.folder, schema=table.open().schema(), mode="overwrite")
    assert "found a commit of another tool" in lake.check()[RECORD].damage
    assert "a table made anew" in str(tail.verify(lake.lake.table(RECORD))[0])


def test_a_flipped_bit_is_found_by_verify_in_every_file(small):
    """Each data file that the newest map names is read to its last byte."""
    lake = small()
    for name in ("raw.px", "staging.px", "features.expanding"):
        table = lake.lake.table(name)
        files = [f for p in table.head()[1].partitions.values() for f in p.files]
        assert len(files) >= 4
        for stored in files:
            path = table.folder / stored.path
            data = path.read_bytes()
            damaged = bytearray(data)
            damaged[len(data) // 3] ^= 1
            path.write_bytes(damaged)
            assert [fault.path for fault in tail.verify(table)] == [path]
            path.write_bytes(data)
        assert tail.verify(table) == []


@pytest.mark.parametrize("name", ["raw.px", "staging.px", "features.expanding"])
def test_a_flipped_bit_is_found_by_prove(small, name):
    """The proof names the table whose stored bytes are others."""
    lake = small()
    damage.data_bit(lake.folder(name), BELOW)
    assert not any(each.damage for each in lake.check().values())
    assert not lake.proven()


def test_what_failed_commits_left_is_listed_and_stays(small, whole_roots):
    """Nothing reads it, nothing trips over it, and nothing removes it."""
    lake = small()
    table = lake.lake.table(RECORD)
    assert tail.leftovers(table) == tail.Leftovers((), 0)
    damage.strangers(table.folder, NEWEST)
    found = tail.leftovers(table)
    names = {path.name for path in found.paths}
    assert names == {"orphan.parquet", "part-x.parquet#1", f"{6:020d}.json#1"}
    assert found.bytes == len("nobody names it") + len("PA") + len('{"par')
    assert lake.check()[RECORD] == tail.Tail(RECORD, NEWEST)
    lake.wave()
    assert lake.roots() == whole_roots
    assert all(path.exists() for path in found.paths)


def test_a_start_reads_the_end_of_a_log_only(small, monkeypatch):
    """Two commits are read, however many there are, and no data file as a whole."""
    table = small().lake.table(RECORD)
    seen = set()
    read = Path.read_bytes

    def watching(path):
        seen.add(path)
        return read(path)

    log._map_of.cache_clear()
    monkeypatch.setattr(Path, "read_bytes", watching)
    tail.check(table)
    ends = {log.commit_path(table.folder, v) for v in (NEWEST, BELOW)}
    assert seen - {damage.hint(table.folder)} == ends


def test_a_whole_commit_is_on_the_disk_afterwards(small, monkeypatch):
    """Its writer may have been killed between the commit and its sync."""
    table = small().lake.table(DERIVED)
    synced = []
    monkeypatch.setattr(durable, "sync", synced.append)
    tail.check(table)
    assert log.commit_path(table.folder, NEWEST) in synced
    assert table.folder / "_delta_log" in synced


def test_a_check_waits_for_a_commit_at_hand(small):
    """What another process is writing is not judged before it is done."""
    table = small().lake.table(DERIVED)
    other = threading.Thread(target=tail.check, args=(table,))
    with durable.locked(table.folder / ".write.lock"):
        other.start()
        other.join(0.2)
        assert other.is_alive()
    other.join(10)
    assert not other.is_alive()


def test_a_torn_file_never_takes_the_place_of_another(small, whole_roots):
    """Two that were torn at the same instant both stay."""
    lake = small()
    table = lake.lake.table(DERIVED)
    for _ in range(2):
        damage.cut_inside_a_line(table.folder, NEWEST)
        with clock.held_at(toy_start(20)):
            assert lake.check()[DERIVED].version == BELOW
        lake.wave()
    assert len(list((table.folder / "_torn").iterdir())) == 2
    assert lake.roots() == whole_roots


def test_a_disk_that_does_not_answer_is_no_torn_commit(small):
    """A commit that cannot be read now may be whole: nothing is moved."""
    lake = small()
    path = damage.commit(lake.folder(DERIVED), NEWEST)
    path.rename(path.with_suffix(".kept"))
    path.symlink_to(path.with_name("nowhere"))
    with pytest.raises(DamagedLake, match="expected a commit that can be read"):
        tail.check(lake.lake.table(DERIVED))
    assert path.is_symlink()


def test_a_file_whose_append_was_torn_is_taken_from_the_landing_again(tmp_path):
    """It stays in the landing until its append was acknowledged: no line is lost."""
    registry = opening.registry()
    graph = discover(registry)
    roots = []
    for torn in (False, True):
        lake = Lake.create(tmp_path / str(torn), registry, kind="real")
        for number, day in enumerate(("2024-05-01", "2024-05-02")):
            place = lake.folder / "landing" / "VIXCLS.csv"
            place.write_text(f"observation_date,VIXCLS\n{day},15.39\n")
            os.utime(place, (1e9, 1e9))
            bytes_ = place.read_bytes()
            with clock.held_at(toy_start(2000 + number)):
                assert [each.end for each in take_in(lake, graph)] == ["archive"]
        if torn:
            # As the power cut left it: the commit torn, the file not let go of yet.
            damage.cut_inside_a_line(lake.table("raw.fred").folder, 2)
            place.write_bytes(bytes_)
            os.utime(place, (1e9, 1e9))
            (seen,) = tail.check_lake(lake, ["raw.fred"])
            assert (seen.version, len(seen.moved), seen.damage) == (1, 1, "")
            with clock.held_at(toy_start(2001)):
                assert [each.stored for each in take_in(lake, graph)] == [1]
        roots.append(lake.table("raw.fred").head()[1].root)
        assert tail.verify(lake.table("raw.fred")) == []
    assert roots[0] == roots[1]


def test_two_torn_commits_are_more_than_a_power_cut_does_to_raw(small, whole_roots):
    """The lower one was acknowledged: raw is refused, a derived table is made anew."""
    lake = small()
    for name in (RECORD, DERIVED):
        for version in (NEWEST, BELOW):
            damage.cut_inside_a_line(lake.folder(name), version)
    # Also where nothing was made from it, so that nobody bears witness.
    with pytest.raises(DamagedLake, match=f"{BELOW:020d}.json: expected a whole"):
        tail.check(lake.lake.table(RECORD))
    assert len(tail.check(lake.lake.table(DERIVED)).moved) == 2
    shutil.rmtree(lake.world.folder)
    lake = small()
    for version in (NEWEST, BELOW):
        damage.cut_inside_a_line(lake.folder(DERIVED), version)
    assert len(lake.check()[DERIVED].moved) == 2
    lake.wave()
    assert lake.roots() == whole_roots


def test_a_creation_that_lost_its_last_line_is_torn(small):
    """Without the table's columns it makes no table."""
    lake = small()
    for version in range(1, NEWEST + 1):
        damage.missing(lake.folder(DERIVED), version)
    damage.cut_at_a_line_end(lake.folder(DERIVED), 0)
    seen = lake.check()[DERIVED]
    assert (seen.version, len(seen.moved)) == (-1, 1)
    lake.wave()
    assert lake.proven()


def test_a_warm_handle_is_dropped_with_the_torn_commit(small, whole_roots):
    """Who had the table open goes on from what stands there now."""
    lake = small()
    table = lake.lake.table(DERIVED)
    assert table.open().version() == NEWEST
    damage.cut_inside_a_line(table.folder, NEWEST)
    assert tail.check(table).version == BELOW == table.open().version()
    lake.wave()
    assert lake.roots() == whole_roots
