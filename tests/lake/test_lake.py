"""A lake is one folder: made once, told apart by kind, published all at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cbi_stream.lake.archive import Archive
from cbi_stream.lake.lake import Lake, Seen
from cbi_stream.registry.loader import Registry
from cbi_stream.words.errors import DamagedLake, WrongUsage


@pytest.fixture
def lake(tmp_path: Path, registry: Registry) -> Lake:
    """Return an empty simulated lake."""
    return Lake.create(tmp_path / "lake", registry, kind="simulated")


def test_a_lake_remembers_what_it_is(lake: Lake, registry: Registry) -> None:
    """Kind and id are written once, and found again."""
    again = Lake(lake.folder, registry)
    assert (again.kind, again.id) == ("simulated", lake.id)
    assert (lake.folder / "landing").is_dir()


def test_a_lake_is_not_made_over_anything(lake: Lake, registry: Registry) -> None:
    """A folder with something in it is left alone."""
    before = (lake.folder / "lake.json").read_bytes()
    with pytest.raises(WrongUsage, match="not empty"):
        Lake.create(lake.folder, registry, kind="real")
    assert (lake.folder / "lake.json").read_bytes() == before


def test_two_lakes_have_two_ids(lake: Lake, tmp_path: Path, registry: Registry) -> None:
    """An export names the lake that it comes from."""
    assert Lake.create(tmp_path / "other", registry, kind="real").id != lake.id


def test_no_lake_is_told_with_the_way_to_one(
    tmp_path: Path, registry: Registry
) -> None:
    """A wrong folder is not silently made a lake."""
    with pytest.raises(WrongUsage, match=r"no lake at .*nowhere.*cbi init"):
        Lake(tmp_path / "nowhere", registry)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"id": "x"}', b'{"id": "x", "kind": "simulatd"}']
)
def test_a_damaged_identity_is_named(
    lake: Lake, registry: Registry, data: bytes
) -> None:
    """A lake whose kind cannot be read is never taken for a real one."""
    (lake.folder / "lake.json").write_bytes(data)
    with pytest.raises(DamagedLake, match=r"lake\.json"):
        Lake(lake.folder, registry)


def test_an_unknown_table_is_told_with_the_known_ones(lake: Lake) -> None:
    """A misspelt table names those that there are."""
    with pytest.raises(WrongUsage, match=r"staging\.prices.*found 'staging\.price'"):
        lake.table("staging.price")
    assert lake.table("staging.prices").folder == lake.folder / "staging" / "prices"
    assert lake.table("staging.prices") is lake.table("staging.prices")


def test_what_is_published_is_what_readers_see(lake: Lake) -> None:
    """Versions and roots come back, and the kind of the lake stands beside them."""
    assert lake.published() == {}
    seen = {"staging.prices": Seen(3, "a" * 64), "staging.fred": Seen(-1, "b" * 64)}
    lake.publish(seen)
    assert lake.published() == seen
    plain = json.loads((lake.folder / "current.json").read_bytes())
    assert (plain["lake"], plain["kind"]) == (lake.id, "simulated")


def test_publishing_the_same_writes_nothing(lake: Lake) -> None:
    """A wave that changed nothing touches no file."""
    seen = {"staging.prices": Seen(3, "a" * 64)}
    lake.publish(seen)
    before = (lake.folder / "current.json").stat()
    lake.publish(dict(seen))
    after = (lake.folder / "current.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_damaged_pointer_is_named(lake: Lake) -> None:
    """A pointer that cannot be read is damage, not an empty lake."""
    (lake.folder / "current.json").write_bytes(b'{"tables": ')
    with pytest.raises(DamagedLake, match=r"current\.json"):
        lake.published()


def test_a_shadow_shares_records_and_has_tables_of_its_own(
    lake: Lake, tmp_path: Path
) -> None:
    """A proof reads the same records and never writes into the lake."""
    shadow = lake.shadow(tmp_path / "shadow")
    assert (shadow.id, shadow.kind) == (lake.id, lake.kind)
    assert shadow.table("raw.fred") is lake.table("raw.fred")
    assert shadow.archive.folder == lake.archive.folder
    for here in (shadow.table("staging.fred").folder, shadow.work):
        assert here.is_relative_to(shadow.folder)


def test_the_archive_keeps_bytes_by_their_hash(tmp_path: Path) -> None:
    """Bytes come back by name; the same bytes are kept once and not rewritten."""
    archive = Archive(tmp_path / "archive")
    name = archive.keep(b"a file")
    (path,) = [p for p in archive.folder.rglob("*") if p.is_file()]
    before = path.stat().st_mtime_ns
    assert archive.keep(b"a file") == name
    assert path.stat().st_mtime_ns == before
    assert archive.read(name) == b"a file"
    assert archive.read(archive.keep(b"")) == b""


def test_the_archive_finds_damage(tmp_path: Path) -> None:
    """Missing bytes and other bytes are named with their path."""
    archive = Archive(tmp_path / "archive")
    name = archive.keep(b"a file")
    (path,) = [p for p in archive.folder.rglob("*") if p.is_file()]
    path.write_bytes(b"a fila")
    with pytest.raises(DamagedLake, match=rf"{name}.*not those that were archived"):
        archive.read(name)
    path.unlink()
    with pytest.raises(DamagedLake, match=f"{name}.*expected an archived file"):
        archive.read(name)


def test_damaged_bytes_are_mended_when_they_come_again(tmp_path: Path) -> None:
    """A file that is handed in again must not rest on bytes that cannot be read."""
    archive = Archive(tmp_path / "archive")
    name = archive.keep(b"a file")
    (path,) = [p for p in archive.folder.rglob("*") if p.is_file()]
    path.write_bytes(b"")
    archive.keep(b"a file")
    assert archive.read(name) == b"a file"
