"""P4 and P5 on the real road: silence where nothing changed, and no line lost.

Every line that was archived has exactly one fate, counted by (sha256, line).
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from cbi_stream.doors import landing
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.decisions import decide
from cbi_stream.lake.lake import Lake
from cbi_stream.replay import edits, market
from cbi_stream.words import clock
from tests.laws import worlds

GRAPH = worlds.discovered()


@pytest.fixture
def lake(tmp_path):
    """A simulated lake of two years, settled."""
    lake = Lake.create(tmp_path / "lake", GRAPH.registry, kind="simulated")
    _take(lake, _files())
    return lake


def _files():
    days = [d for d in GRAPH.registry.sessions.days if 2017 <= d.year <= 2018]
    # Each last line has its end: without it a last volume is not believed, and in
    # another order another line would be the last.
    return [
        _edited(file, lambda data: data.removesuffix(b"\n") + b"\n")
        for file in market.market(days)
    ]


def _take(lake, files):
    folder = lake.folder / "incoming"
    folder.mkdir(exist_ok=True)
    for file in files:
        (folder / file.name).write_bytes(file.data)
        with clock.held_at(file.as_of + timedelta(days=1)):
            landing.drop(lake, folder / file.name, landing.Hint(as_of=file.as_of))
            receipts = landing.take_in(lake, GRAPH)
        assert all(r.taken and r.lines == r.stored + r.duplicate for r in receipts)
    return run_wave(lake, GRAPH, probing="off")


def _edited(file, change):
    return market.SimulatedFile(file.name, change(file.data), file.as_of)


def _derived_versions(lake):
    return {node.table: lake.table(node.table).head()[0] for node in GRAPH.nodes}


def _manifests(lake):
    return {p.name: p.stat().st_mtime_ns for p in (lake.folder / "exports").iterdir()}


@pytest.mark.parametrize(
    "change",
    [lambda d: d, lambda d: edits.shuffled(d, seed=3)],
    ids=["same", "shuffled"],
)
def test_the_same_files_again_commit_nothing(lake, change):
    """Known lines in any order add no raw line and no commit to the right of raw."""
    versions, exports = _derived_versions(lake), _manifests(lake)
    report = _take(lake, [_edited(f, change) for f in _files()])
    assert report.quiet
    assert _derived_versions(lake) == versions
    assert _manifests(lake) == exports


def test_thirty_noisy_pulls_change_no_content(lake):
    """Noise below the tick is stored in raw and moves nothing to the right of it."""
    prices = _files()[0]
    roots = {t: lake.table(t).head()[1].root for t in _derived_versions(lake)}
    raw = lake.table("raw.yahoo").head()[1].root
    for seed in range(30):
        noisy = _edited(prices, lambda d, s=seed: edits.noisy(d, seed=s))
        report = _take(lake, [noisy])
        assert not any(t.changed for t in report.tables.values())
        assert not report.written
    assert {t: lake.table(t).head()[1].root for t in roots} == roots
    assert lake.table("raw.yahoo").head()[1].root != raw


def test_every_line_has_exactly_one_fate(lake):
    """Lines = staged + superseded + rejected + provisional + unused, by (sha256, line)."""
    prices = _files()[0]
    chance = random.Random(1)
    days = [d for d in GRAPH.registry.sessions.days if d.year == 2017]
    for day in chance.sample(days, 5):
        late = market.SimulatedFile(
            prices.name,
            edits.corrected(prices.data, day=day, close=33.33),
            prices.as_of + timedelta(days=chance.randint(1, 9)),
        )
        _take(lake, [late])
    raw = _all(lake, "raw.yahoo")
    for row in raw.sample(4, seed=2).iter_rows(named=True):
        decide(
            lake,
            sha256=row["sha256"],
            line=row["line"],
            verdict="reject",
            author="a",
            note="n",
        )
    run_wave(lake, GRAPH, probing="off")
    fates = _fates(lake)
    assert sum(fates.values()) == raw.height
    assert fates["rejected"] == 4
    assert fates["superseded"] >= 1
    assert fates["lost"] == 0
    assert fates["staged"] == _all(lake, "staging.prices").height


def _all(lake, name):
    table = lake.table(name)
    return table.read(table.head()[1].partitions.values())


def _fates(lake, staging=None):
    """Give each stored line its one fate, from the tables alone."""
    staging = _all(lake, "staging.prices") if staging is None else staging
    rejected = set(_all(lake, "raw.decisions").select("sha256", "line").iter_rows())
    staged = {row["date"]: row for row in staging.iter_rows(named=True)}
    fates: Counter[str] = Counter()
    seen = set()
    rows = _all(lake, "raw.yahoo").sort(
        "date",
        "as_of",
        "batch",
        "sha256",
        "line",
        descending=[False, True, True, True, True],
    )
    for row in rows.iter_rows(named=True):
        if (row["sha256"], row["line"]) in rejected:
            fates["rejected"] += 1
        elif row["symbol"] != "ZL":
            fates["unused"] += 1
        elif row["date"] not in staged:
            released = datetime.combine(
                row["date"], time(15), ZoneInfo("America/Chicago")
            )
            fates["provisional" if row["as_of"] < released else "lost"] += 1
        elif row["date"] in seen:
            fates["superseded"] += 1
        else:
            seen.add(row["date"])
            close = None if row["close"] == "null" else round(float(row["close"]), 2)
            assert close == staged[row["date"]]["close"]
            fates["staged"] += 1
    return fates


def test_a_line_that_vanishes_is_found(lake):
    """A conform step that drops a line without a word shows as a lost line."""
    staged = _all(lake, "staging.prices").sort("date")
    assert _fates(lake)["lost"] == 0
    assert _fates(lake, staged.filter(pl.col("date") != staged["date"][7]))["lost"] == 1


def test_an_unfinished_bar_is_pending(lake):
    """A bar that was seen before its release is kept in raw and staged later."""
    prices = _files()[0]
    early = datetime(2018, 12, 31, 18, tzinfo=UTC)
    day = early.date()
    fresh = Lake.create(lake.folder / "fresh", GRAPH.registry, kind="simulated")
    _take(fresh, [market.SimulatedFile(prices.name, prices.data, early)])
    assert _fates(fresh)["provisional"] == 1
    assert day not in _all(fresh, "staging.prices")["date"]
    settled = edits.corrected(prices.data, day=day, close=44.44)
    _take(fresh, [market.SimulatedFile(prices.name, settled, prices.as_of)])
    assert _fates(fresh)["provisional"] == 0
    assert _all(fresh, "staging.prices").filter(date=day)["close"].item() == 44.44
