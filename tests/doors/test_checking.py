"""The check in the background: a flipped bit is found, refused, shown, and mended.

Every fault is planted by hand in a copy of one simulated lake. No real data is read.
"""

from __future__ import annotations

import json
import random
import shutil
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from cbi_stream.doors import checking as room
from cbi_stream.doors import daemon as daemon_room
from cbi_stream.doors import damage, landing
from cbi_stream.doors.checking import Checking, progress
from cbi_stream.doors.daemon import Daemon
from cbi_stream.doors.damage import listed, standing
from cbi_stream.doors.readers import Here
from cbi_stream.engine import effects
from cbi_stream.engine.executor import InProcess
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.replay.market import lay_down
from cbi_stream.replay.pull import complex_market
from cbi_stream.words import clock
from tests.faults.killing import DAYS, GRAPH

KINDS = {
    "raw": "raw/fred/*=*/*.parquet",
    "staging": "staging/prices/*=*/*.parquet",
    "quarantine": "quarantine/prices/*=*/*.parquet",
    "features": "features/technical/*=*/*.parquet",
    "labels": "labels/forward/*=*/*.parquet",
    "archive": "archive/??/*",
    "export": "exports/*_3m.parquet",
    "manifest": "exports/*_3m.manifest.json",
}
ROUNDS_LOOKS = 4000


class Heard:
    """A log that keeps what was said."""

    def __init__(self):
        self.said = []

    def _take(self, event, **values):
        self.said.append((event, values))

    debug = info = warning = error = _take

    def of(self, event):
        """Return what was said of an event."""
        return [values for name, values in self.said if name == event]


class Nobody:
    """Gives no hint, ever."""

    def wait(self, timeout):
        """Say that no hint came."""
        return False

    def alive(self):
        """Say that hints could come."""
        return True

    def renew(self):
        """Do nothing."""


@pytest.fixture(scope="module", autouse=True)
def unsynced():
    """Nothing here has to reach a disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable, "sync", lambda _: None)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A settled lake of every source, with lines that cannot be read."""
    folder = tmp_path_factory.mktemp("made")
    lake = Lake.create(folder / "lake", GRAPH.registry, kind="simulated")
    files = complex_market(DAYS[:290], lead=60)
    for path, file in zip(lay_down(files, folder / "desk"), files, strict=True):
        if file.name == "ZL=F.csv":
            lines = file.data.decode().splitlines()
            lines[40] = lines[40].split(",")[0] + ",not a number,1,1,1,1,1"
            path.write_text("\n".join(lines) + "\n")
        landing.drop(lake, path, landing.Hint(as_of=file.as_of))
    landing.take_in(lake, GRAPH)
    report = run_wave(lake, GRAPH, probing="off")
    assert report.written
    assert not report.failed
    return lake.folder


@pytest.fixture
def lake(made, tmp_path, monkeypatch):
    """A copy of it to damage; looks may follow each other at once."""
    monkeypatch.setattr(room, "_APART_SECONDS", 0.0)
    monkeypatch.setattr(room, "_REST", 0)
    shutil.copytree(made, tmp_path / "lake")
    return Lake(tmp_path / "lake", GRAPH.registry)


@pytest.fixture
def daemon(monkeypatch):
    """Return a function that gives a daemon on a lake, and what it logs."""
    monkeypatch.setattr(daemon_room, "run_wave", partial(run_wave, probing="off"))

    def on(lake):
        heard = Heard()
        return (
            Daemon(
                lake,
                GRAPH,
                hints=Nobody(),
                reader=Here(),
                executor=InProcess(),
                log=heard,
            ),
            heard,
        )

    return on


def round_of(checking):
    """Let it look until it has read everything once."""
    before = checking.progress.whole_at
    for _ in range(ROUNDS_LOOKS):
        checking.look()
        if checking.progress.whole_at != before:
            return
    pytest.fail("the round never ends")


def until(daemon, done):
    """Let the daemon take turns until something is so."""
    for _ in range(ROUNDS_LOOKS):
        if done():
            return
        daemon.turn()
    pytest.fail("it never comes to be so")


def one(lake, pattern):
    """Return one file of a kind, always the same."""
    return sorted(lake.folder.glob(pattern))[-1]


def flip(path, at=None):
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    bit = len(data) * 4 if at is None else at
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def test_an_intact_lake_is_read_once_and_nothing_is_found(lake):
    """A round reads every stored file, one a look, and says nothing."""
    heard = Heard()
    checking = Checking(lake, heard)
    files = [i for part in damage.parts(lake) for i in damage.items(lake, part)]
    assert {i.part for i in files} >= {"raw.fred", "archive", "exports"}
    round_of(checking)
    assert (heard.said, lake.refused, standing(lake)) == ([], {}, [])
    found = progress(lake)
    assert found.files == found.of == len(files)
    [(count, size)] = found.days.values()
    assert count == len(files)
    assert size > 100_000


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_found_in_every_kind_of_file(lake, kind):
    """It is logged once, with what was expected and the mend, and its table is refused."""
    path = one(lake, KINDS[kind])
    flip(path)
    heard = Heard()
    checking = Checking(lake, heard)
    round_of(checking)
    round_of(checking)
    [said] = heard.of("file.damaged")
    file = str(path.relative_to(lake.folder))
    assert said["file"] == file
    assert said["expected"] != said["found"]
    assert said["mend"]
    [known] = standing(Lake(lake.folder, GRAPH.registry))
    assert known.file == file
    table = ".".join(path.parts[-4:-2])
    inside = kind not in ("archive", "export", "manifest")
    assert list(lake.refused) == ([table] if inside else [])
    assert all(file in why for why in lake.refused.values())


def test_bits_flipped_in_sixty_files_are_all_found_in_one_round(lake):
    """Whatever bit of whatever file it is."""
    chance = random.Random(11)
    places = {
        lake.folder / item.file: item.file
        for part in damage.parts(lake)
        for item in damage.items(lake, part)
        if part != "exports"
    }
    for path in lake.folder.glob("exports/*"):
        places[path] = str(path.relative_to(lake.folder))
    # A file and its manifest count as one thing: half of them each.
    for name in lake.registry.exports.exports:
        places.pop(lake.folder / f"exports/{name}{chance.choice(ENDS)}")
    picked = chance.sample(sorted(places), min(60, len(places)))
    assert len(picked) > 40
    for path in picked:
        flip(path, chance.randrange(path.stat().st_size * 8))
    checking = Checking(lake, Heard())
    round_of(checking)
    assert {d.file for d in listed(lake)} == {places[path] for path in picked}


ENDS = (".parquet", ".manifest.json")


def test_every_byte_of_a_manifest_is_under_its_seal(lake):
    """A flip in any of its bytes shows, in whichever field or space it is."""
    data = one(lake, KINDS["manifest"]).read_bytes()
    assert effects.unsealed(data) is not None
    chance = random.Random(3)
    for at in chance.sample(range(len(data)), 300):
        other = bytearray(data)
        other[at] ^= 1 << chance.randrange(8)
        assert effects.unsealed(bytes(other)) is None, at


def test_a_refused_table_stops_with_its_readers_and_others_go_on(lake, daemon):
    """Nothing reads or trains on it; what does not read it is brought up to date."""
    flip(one(lake, KINDS["staging"]))
    running, heard = daemon(lake)
    until(running, lambda: lake.refused)
    published = lake.published()
    files = complex_market(DAYS[:291], lead=60)
    for path, file in zip(lay_down(files, lake.folder / "desk"), files, strict=True):
        landing.drop(lake, path, landing.Hint(as_of=file.as_of))
    until(running, lambda: not landing.waiting(lake))
    for _ in range(3):
        running.turn()
    assert lake.table("staging.fred").head()[0] > published["staging.fred"].version
    for name in ("staging.prices", "features.panel", "features.master"):
        assert lake.published()[name] == published[name]
    tables = [each["table"] for each in heard.of("table.damaged")]
    assert sorted(tables) == sorted(set(tables)), "each is told once"
    assert {"staging.prices", "features.panel"} <= set(tables)


def test_a_file_that_is_put_back_is_taken_again(lake, daemon):
    """The refusal, the list and the word of it go away by themselves."""
    path = one(lake, KINDS["raw"])
    data = path.read_bytes()
    flip(path)
    running, heard = daemon(lake)
    until(running, lambda: lake.refused)
    path.write_bytes(data)
    running.turn()
    assert (lake.refused, listed(lake)) == ({}, [])
    assert not (lake.folder / damage.LIST).exists()
    assert heard.of("file.mended")
    running.turn()
    assert {each["table"] for each in heard.of("table.mended")} >= {"raw.fred"}


def test_a_rebuild_mends_what_is_derived(lake):
    """What no version names any more counts no longer, in any process."""
    roots = {n.table: lake.table(n.table).head()[1].root for n in GRAPH.nodes}
    for kind in ("staging", "quarantine", "features", "labels"):
        flip(one(lake, KINDS[kind]))
    round_of(Checking(lake, Heard()))
    assert len(standing(lake)) == len(lake.refused) == 4
    other = Lake(lake.folder, GRAPH.registry)
    Checking(other, Heard())
    assert other.refused.keys() == lake.refused.keys(), "another process refuses them"
    report = run_wave(other, GRAPH, asked=True, probing="off")
    assert not report.failed
    assert standing(lake) == []
    heard = Heard()
    after = Lake(lake.folder, GRAPH.registry)
    Checking(after, heard).look()
    assert (after.refused, listed(after)) == ({}, [])
    assert len(heard.of("file.mended")) == 4
    assert roots == {n.table: after.table(n.table).head()[1].root for n in GRAPH.nodes}


def test_a_derived_table_that_is_moved_away_is_computed_anew(lake, daemon):
    """The mend for a daemon that shall not stop."""
    flip(one(lake, KINDS["labels"]))
    root = lake.table("labels.forward").head()[1].root
    running, _ = daemon(lake)
    until(running, lambda: lake.refused)
    (lake.folder / "labels" / "forward").rename(lake.folder / "moved")

    def is_back():
        return not lake.refused and lake.table("labels.forward").head()[1].root == root

    until(running, is_back)
    assert listed(lake) == []


def test_a_damaged_archive_file_is_mended_by_the_same_file(lake):
    """It refuses no table, and its bytes are written again when they come again."""
    files = complex_market(DAYS[:290], lead=60)
    vix = next(file for file in files if file.name == "VIXCLS.csv")
    [path] = lay_down([vix], lake.folder / "desk")
    kept = lake.archive.folder.rglob(lake.archive.keep(path.read_bytes()))
    flip(next(kept))
    checking = Checking(lake, Heard())
    round_of(checking)
    assert lake.refused == {}
    [known] = standing(lake)
    assert "hand the same file in again" in known.mend
    landing.drop(lake, path, landing.Hint(as_of=vix.as_of))
    [receipt] = landing.take_in(lake, GRAPH)
    assert receipt.end == "archive"
    assert checking.look()
    assert listed(lake) == []


@pytest.mark.parametrize("kind", ["export", "manifest"])
def test_a_damaged_training_file_is_set_aside_and_written_again(lake, daemon, kind):
    """Nobody can train on it meanwhile; the new file has the same bytes."""
    path = one(lake, KINDS[kind])
    before = path.read_bytes()
    # A bit of a digit: what it says can still be read, and is wrong.
    flip(path, before.index(b'"rows": ') * 8 + 64 if kind == "manifest" else None)
    running, heard = daemon(lake)
    until(running, lambda: heard.of("file.damaged"))
    assert not path.exists()
    assert [each.file for each in standing(lake)] == [
        str(path.relative_to(lake.folder))
    ]
    until(running, lambda: not listed(lake))
    assert path.read_bytes() == before
    assert len(list((lake.folder / "exports" / "_torn").iterdir())) == 1
    assert len(effects.manifests(lake)) == 10


def test_a_manifest_that_cannot_be_read_is_written_again_at_once(lake):
    """No look is needed: without what says that it is whole a file is not done."""
    path = one(lake, KINDS["manifest"])
    before = path.read_bytes()
    path.write_bytes(b"{" + before)
    report = run_wave(lake, GRAPH, probing="off")
    assert (len(report.written), report.effects) == (10, {})
    assert path.read_bytes() == before


def test_no_export_is_written_from_a_damaged_table(lake):
    """The effect reads its inputs against their sha256: one bit, and no file is written."""
    flip(one(lake, "features/master/*=*/*.parquet"))
    path = one(lake, KINDS["export"])
    path.unlink()
    left = {p.name: p.read_bytes() for p in path.parent.iterdir()}
    report = run_wave(Lake(lake.folder, GRAPH.registry), GRAPH, probing="off")
    assert report.written == []
    [why] = report.effects.values()
    assert "DamagedLake" in why
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == left


def test_a_restart_goes_on_where_the_round_stood(lake):
    """No file is read twice in a round, whoever reads, and a lost state costs no more."""
    first = Checking(lake, Heard())
    for _ in range(30):
        first.look()
    stood = progress(lake)
    assert stood.files == 30
    second = Checking(lake, Heard())
    round_of(second)
    assert second.progress.files == stood.of
    (lake.folder / room.STATE).write_text("{")
    third = Checking(lake, Heard())
    round_of(third)
    assert third.progress.files == stood.of


def test_a_look_is_short_and_looks_that_read_lie_apart(lake, monkeypatch):
    """A large file is read over several looks; looks in a row read nothing more."""
    monkeypatch.setattr(room, "LOOK_BYTES", 4096)
    monkeypatch.setattr(damage, "_CHUNK", 4096)
    path = one(lake, KINDS["archive"])
    checking = Checking(lake, Heard())
    checking.progress.after = ("archive", str(path.parent.relative_to(lake.folder)))
    looks = 0
    while not checking.progress.files:
        checking.look()
        looks += 1
    assert looks >= path.stat().st_size // 4096 > 1
    monkeypatch.setattr(room, "_APART_SECONDS", 600.0)
    checking.look()
    files = checking.progress.files
    for _ in range(5):
        checking.look()
    assert checking.progress.files == files


def test_a_folder_that_cannot_be_listed_is_told_and_ends_nothing(lake, monkeypatch):
    """It is an error of the disk, and no round is called whole for it."""
    heard = Heard()
    checking = Checking(lake, heard)
    checking.look()

    def refused(*_):
        raise PermissionError(13, "refused", str(lake.archive.folder))

    with monkeypatch.context() as patch:
        patch.setattr(damage, "items", refused)
        for each in (checking, Checking(lake, heard)):
            for _ in range(80):
                each.look()
            assert each.progress.whole_at is None
    assert heard.of("check.stopped")
    assert heard.of("file.damaged") == []
    round_of(checking)
    assert standing(lake) == []


def test_a_refusal_by_a_check_of_the_log_stays(lake):
    """The background check takes back its own refusals only."""
    lake.refused["staging.prices"] = "its log is torn"
    path = one(lake, KINDS["staging"])
    data = path.read_bytes()
    flip(path)
    checking = Checking(lake, Heard())
    round_of(checking)
    path.write_bytes(data)
    checking.look()
    assert lake.refused == {"staging.prices": "its log is torn"}


def test_days_are_forgotten_whichever_way_the_clock_jumps(lake):
    """What was read is counted by day; days that are not yet are none."""
    checking = Checking(lake, Heard())
    now = datetime(2024, 5, 1, 12, tzinfo=UTC)
    for moved in (timedelta(), timedelta(365), timedelta(1), timedelta(-400)):
        with clock.held_at(now + moved):
            checking.look()
            days = list(progress(lake).days)
            assert days[-1] == (now + moved).date().isoformat()
            assert len(days) <= 2
    assert progress(lake).days.keys() == {"2023-03-28"}


def test_a_list_that_cannot_be_read_is_made_anew(lake):
    """A torn list hides nothing for longer than a round."""
    path = one(lake, KINDS["features"])
    flip(path)
    round_of(Checking(lake, Heard()))
    (lake.folder / damage.LIST).write_text('{"damage": [{"item"')
    assert listed(lake) == []
    round_of(Checking(lake, Heard()))
    found = json.loads((lake.folder / damage.LIST).read_bytes())["damage"]
    assert [each["file"] for each in found] == [str(path.relative_to(lake.folder))]
