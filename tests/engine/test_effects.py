"""Effects: published files are made once, again when their inputs move, never half."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from cbi_stream import effect
from cbi_stream.doors import landing
from cbi_stream.engine import effects
from cbi_stream.engine.graph import build
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.replay import edits, market
from tests.laws import worlds

GRAPH = worlds.discovered()
NAME = "zl_training_prod_allhistory_1m"
ALL = sorted(GRAPH.registry.exports.exports)


@pytest.fixture
def lake(tmp_path):
    """A simulated lake of two years, settled."""
    lake = Lake.create(tmp_path / "lake", GRAPH.registry, kind="simulated")
    for file in _files():
        _take(lake, file.name, file.data)
    run_wave(lake, GRAPH, probing="off")
    return lake


def _files():
    days = [d for d in GRAPH.registry.sessions.days if 2017 <= d.year <= 2018]
    return market.market(days)


def _ended(data):
    # Without its line end a last volume is not believed, and in another order another
    # line would be the last.
    return data.removesuffix(b"\n") + b"\n"


def _take(lake, name, data):
    path = lake.folder / name
    path.write_bytes(_ended(data))
    landing.drop(lake, path, landing.Hint(as_of=datetime(2019, 3, 1, tzinfo=UTC)))
    path.unlink()
    landing.take_in(lake, GRAPH)


def _export(lake):
    return lake.folder / "exports" / f"{NAME}.parquet"


def test_the_manifest_speaks_of_the_file(lake):
    """It names the file's sha256, its inputs' roots, the lake's kind and the environment."""
    manifest = effects.manifests(lake)[NAME]
    assert manifest["sha256"] == hashlib.sha256(_export(lake).read_bytes()).hexdigest()
    root = lake.table("features.master").head()[1].root
    assert manifest["inputs"]["features.master"]["root"] == root
    assert manifest["lake"]["kind"] == "simulated"
    assert manifest["environment"]["polars"] == pl.__version__


def test_an_export_holds_resolved_labels_alone(lake):
    """No open label, no unresolved one, and no row twice."""
    frame = pl.read_parquet(_export(lake))
    assert frame["target_log_return"].null_count() == 0
    assert frame["date"].is_unique().all()
    assert frame["matures_on"].max() <= frame["date"].max().replace(
        year=2018, month=12, day=31
    )
    assert frame.height > 400


def test_a_second_wave_writes_nothing(lake):
    """Present means done."""
    assert run_wave(lake, GRAPH, probing="off").written == []


def test_a_moved_input_writes_it_again(lake):
    """A corrected close makes another file, and the manifest follows."""
    before = effects.manifests(lake)[NAME]
    day = GRAPH.registry.sessions.days[-1]
    day = next(d for d in GRAPH.registry.sessions.days if d.year == 2018)
    data = _files()[0].data
    line = next(x for x in data.decode().split("\n") if x.startswith(day.isoformat()))
    # A little more: what could not be true would be turned away, or held.
    close = round(float(line.split(",")[4]), 2) + 0.5
    _take(lake, "ZL=F.csv", edits.corrected(data, day=day, close=close))
    assert run_wave(lake, GRAPH, probing="off").written == ALL
    assert effects.manifests(lake)[NAME]["sha256"] != before["sha256"]


@pytest.mark.parametrize("lost", ["parquet", "manifest.json"])
def test_a_lost_file_is_made_again(lake, lost):
    """Without the file, or without what says that it is whole, it is not done."""
    content = _export(lake).read_bytes()
    (lake.folder / "exports" / f"{NAME}.{lost}").unlink()
    assert run_wave(lake, GRAPH, probing="off").written == ALL
    assert _export(lake).read_bytes() == content


def test_equal_content_gives_equal_bytes(lake, tmp_path):
    """Another lake of the same lines publishes the same file, byte for byte."""
    other = Lake.create(tmp_path / "other", GRAPH.registry, kind="simulated")
    for file in reversed(_files()):
        _take(other, file.name, edits.shuffled(file.data, seed=4))
    run_wave(other, GRAPH, probing="off")
    assert _export(other).read_bytes() == _export(lake).read_bytes()
    assert json.loads(json.dumps(effects.manifests(other)))[NAME]["rows"] > 0


def test_there_are_ten_files_and_ten_manifests(lake):
    """Two surfaces, five horizons, and nothing else beside them."""
    folder = lake.folder / "exports"
    names = {f"{n}.{end}" for n in ALL for end in ("parquet", "manifest.json")}
    assert len(ALL) == 10
    assert {path.name for path in folder.iterdir()} == names


def test_a_column_says_its_unit(lake):
    """The manifest carries units as the contracts have them."""
    columns = effects.manifests(lake)[NAME]["columns"]
    assert columns["close"] == {"type": "Float64", "unit": "US cents per pound"}
    assert columns["target_log_return"]["unit"] == "log"


def test_a_half_written_set_is_made_whole(lake):
    """One file of older inputs among ten: present alone does not mean done."""
    path = lake.folder / "exports" / f"{ALL[3]}.manifest.json"
    manifest = json.loads(path.read_bytes())
    path.write_text(json.dumps({**manifest, "key": "older"}))
    assert run_wave(lake, GRAPH, probing="off").written == ALL
    assert effects.manifests(lake)[ALL[3]] == manifest


def test_what_is_made_no_more_is_taken_away(lake):
    """A file that exports.yaml names no longer is nobody's to keep fresh."""
    known = GRAPH.registry.exports
    fewer = known.model_copy(update={"exports": {NAME: known.exports[NAME]}})
    registry = replace(GRAPH.registry, exports=fewer)
    handlers = [*(node.handler for node in GRAPH.nodes), *GRAPH.rules.values()]
    other = build(registry, [*handlers, *GRAPH.effects])
    assert run_wave(lake, other, probing="off").written == [NAME]
    assert len(list((lake.folder / "exports").iterdir())) == 2


def test_an_effect_that_fails_is_reported_and_stops_nothing(lake):
    """Readers see the new tables; the old files stay as they are."""

    @effect(after=("features.master",))
    def broken(master):
        msg = "no"
        raise ValueError(msg)

    handlers = [*(node.handler for node in GRAPH.nodes), *GRAPH.rules.values()]
    other = build(GRAPH.registry, [*handlers, broken])
    before = effects.manifests(lake)
    report = run_wave(lake, other, probing="off")
    assert [why for why in report.failed.values() if "ValueError: no" in why]
    assert effects.manifests(lake) == before
