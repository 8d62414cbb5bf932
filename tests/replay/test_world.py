"""The world is the same everywhere and in every window, and shows only what is out.

The files of a folder are a few lines written here; a check on saved data reads it where
it lies beside the project.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import pstdev

import polars as pl
import pytest

from cbi_stream.registry import loader
from cbi_stream.replay import hills, prices, releases
from cbi_stream.replay.futures import complex_bars
from cbi_stream.replay.statistics import MARKET, Statistic, values_of
from cbi_stream.replay.walks import fear_index
from cbi_stream.replay.world import World

ROOT = Path(__file__).resolve().parents[2]
SAVED = ROOT.parent / "shared" / "data" / "real"
TODAY, FIRST = date(2020, 6, 30), date(2019, 1, 1)
WORLD = World(today=TODAY)
MONTH = timedelta(days=30)
STATISTIC = Statistic("toy", "x", low=10.0, high=30.0, restated=(MONTH, 3 * MONTH))
SCRIPT = """
import cbi_stream, hashlib
from datetime import date
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World
world = World(today=date(2020, 6, 30))
told = [
    world.bars(s, first=date(2020, 1, 1), last=date(2020, 6, 30)).rows()
    for s in ("ZL", "ZS", "GSPC", "NOSUCH")
]
statistic = Statistic("toy", "x", low=10.0, high=30.0)
told.append(world.observations(statistic, first=date(2020, 1, 1), last=world.today))
told.append(world.draws("a", "b", days=[date(2020, 1, 1)]))
print(hashlib.sha256(repr(told).encode()).hexdigest())
"""


def windowed(ask, first=FIRST, last=TODAY):
    """Return what is wrong: days whose value differs when less is asked for."""
    whole = dict(ask(first, last))
    wrong = []
    for start in range(0, (last - first).days, 41):
        day = first + timedelta(days=start)
        part = dict(ask(day, min(day + timedelta(days=60), last)))
        wrong += [at for at, value in part.items() if whole[at] != value]
    return wrong


def bars_of(symbol, **more):
    """Return a function of a window: pairs of date and the rest of the bar."""

    def ask(first, last):
        frame = WORLD.bars(symbol, first=first, last=last, **more)
        return [(row[0], row[1:]) for row in frame.rows()]

    return ask


def test_two_processes_see_the_same_world():
    """Not one bit depends on the process, whatever its hashes of strings are."""
    told = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
    assert len(told.pop().strip()) == 64


@pytest.mark.parametrize("symbol", ["ZL", "ZC", "VIX", "EURUSD", "NOSUCH"])
def test_bars_do_not_depend_on_the_window(symbol):
    """A part of the days has the bars that the whole has."""
    assert windowed(bars_of(symbol)) == []


def test_observations_and_vintages_do_not_depend_on_the_window():
    """A part of the dates has the values, and stamps, that the whole has."""
    assert windowed(lambda a, b: WORLD.observations(STATISTIC, first=a, last=b)) == []

    def told(first, last):
        found = WORLD.vintages(STATISTIC, first=first, last=last)
        return [((day, stamp), value) for day, stamp, value in found]

    assert windowed(told) == []


def test_a_walk_from_the_first_day_asked_for_is_seen():
    """The fault of a walk that begins where the window does is found by these tests."""

    def from_the_window(first, last):
        days = tuple(releases.weekdays(first, last))
        return list(zip(days, prices.walk_of("GSPC", days, seed=7), strict=True))

    assert len(windowed(from_the_window)) > 100

    def shifted(first, last):
        days = releases.every_day(first, last)
        later = [day + timedelta(days=days[0].day % 2) for day in days]
        values = hills.heights(later, seed=7, names=("toy",))
        return list(zip(days, values, strict=True))

    assert windowed(shifted)


def test_bars_of_the_market_are_the_market_s():
    """ZL, ZS and the others are those of the simulated market, from its first day."""
    days = WORLD.days(WORLD.begins, TODAY)
    whole = complex_bars(days, seed=7)
    for symbol, bars in whole.items():
        frame = WORLD.bars(symbol, first=WORLD.begins, last=TODAY, gaps=False)
        assert frame["close"].to_list() == [bar.close for bar in bars]
        assert frame["volume"].to_list() == [bar.volume for bar in bars]
    gappy = WORLD.bars("ZL", first=WORLD.begins, last=TODAY)
    assert 5 < gappy["close"].null_count() < 60
    assert gappy["volume"].null_count() == gappy["close"].null_count()


def test_market_series_of_fred_are_the_market_s():
    """VIXCLS is the fear index, and ^VIX closes at it; each series has values."""
    fear = Statistic("fred", "VIXCLS", cadence="business")
    days = releases.weekdays(WORLD.begins, TODAY)
    values = dict(zip(days, fear_index(days, seed=7), strict=True))
    told = WORLD.observations(fear, first=FIRST, last=TODAY)
    assert told == [(day, values[day]) for day, _ in told]
    assert len(told) > 300
    frame = WORLD.bars("VIX", first=FIRST, last=TODAY, gaps=False)
    closes = dict(zip(frame["date"], frame["close"], strict=True))
    assert all(closes[day] == value for day, value in told)
    for name in MARKET:
        series = Statistic("fred", name, cadence="daily")
        assert WORLD.observations(series, first=FIRST, last=TODAY), name
    other = Statistic("toy", "VIXCLS", cadence="business")
    assert WORLD.observations(other, first=FIRST, last=TODAY) != told


def test_bars_keep_order_and_levels():
    """Low is lowest, high highest; a level that the caller gives is the middle."""
    for symbol, level in (("ZW", None), ("JPYUSD", None), ("X", 250.0), ("Y", None)):
        frame = WORLD.bars(
            symbol, first=WORLD.begins, last=TODAY, level=level, gaps=False
        )
        low = pl.min_horizontal("open", "high", "close")
        high = pl.max_horizontal("open", "low", "close")
        assert frame.filter((pl.col("low") > low) | (pl.col("high") < high)).is_empty()
        if level:
            assert level / 2.5 <= frame["low"].min() <= frame["high"].max()
            assert frame["high"].max() <= level * 2.5
    rates = WORLD.bars("EURUSD", first=FIRST, last=TODAY)
    assert set(rates["volume"].drop_nulls()) == {0}


def test_seeds_names_and_sources_draw_apart():
    """Another seed, symbol, series or source is another world."""
    other = replace(WORLD, seed=8)
    for symbol in ("ZL", "GSPC", "NOSUCH"):
        asked = {"first": FIRST, "last": TODAY}
        assert not WORLD.bars(symbol, **asked).equals(other.bars(symbol, **asked))
    told = {
        tuple(w.observations(s, first=FIRST, last=TODAY))
        for w in (WORLD, other)
        for s in (STATISTIC, replace(STATISTIC, series="y"))
    }
    assert len(told) == 4
    day = [TODAY]
    assert WORLD.draws("a", "bc", days=day) != WORLD.draws("ab", "c", days=day)
    assert WORLD.draws("a", days=day) != other.draws("a", days=day)


def test_observations_are_smooth_and_within_their_bounds():
    """A day's step is a small part of the range; the values use much of it."""
    told = WORLD.observations(STATISTIC, first=date(1990, 1, 1), last=TODAY)
    values = [value for _, value in told]
    assert len(values) == (TODAY - date(1990, 1, 1)).days
    assert 10.0 <= min(values) < 18.0
    assert 22.0 < max(values) <= 30.0
    steps = [b - a for a, b in pairwise(values)]
    assert 0.005 < pstdev(steps) / 20.0 < 0.02
    assert max(map(abs, steps)) < 2.0


def test_nothing_newer_than_the_lag_is_shown():
    """A lag in days, a release rule, and the session of the day."""
    weekly = replace(STATISTIC, cadence="weekly", lag=timedelta(days=5))
    assert WORLD.observations(weekly, first=FIRST, last=TODAY)[-1][0] == date(
        2020, 6, 19
    )
    on_wednesday = replace(WORLD, today=date(2020, 7, 1))
    assert on_wednesday.observations(weekly, first=FIRST, last=TODAY)[-1][0] == date(
        2020, 6, 26
    )
    payrolls = replace(STATISTIC, cadence="monthly", lag=releases.jobs)
    for at, newest in ((time(12, 29), 5), (time(12, 30), 6)):
        then = replace(WORLD, today=date(2020, 7, 3), at=at)
        told = then.observations(payrolls, first=FIRST, last=date(2020, 12, 31))
        assert told[-1][0] == date(2020, newest, 1)
    for at, newest in ((time(19, 59), 29), (time(20, 0), 30)):
        then = replace(WORLD, at=at)
        told = then.bars("ZL", first=FIRST, last=date(2020, 12, 31))
        assert told["date"].max() == date(2020, 6, newest)


def test_a_value_is_restated_on_its_day_and_not_before():
    """Each date has its first value and the restated ones; the newest stands."""
    day = date(2020, 1, 15)
    [values] = values_of(STATISTIC, [day], seed=7)
    stamps = [day + timedelta(1), day + MONTH + timedelta(1)]
    stamps.append(day + 3 * MONTH + timedelta(1))
    told = [(day, stamp, v) for stamp, v in zip(stamps, values, strict=True)]
    assert len(set(values)) == 3
    for seen in range(4):
        on = [*stamps, TODAY][seen] - timedelta(days=seen < 3)
        then = replace(WORLD, today=on)
        found = then.vintages(STATISTIC, first=day, last=day)
        assert found == told[:seen]
        newest = then.observations(STATISTIC, first=day, last=day)
        assert newest == [(day, value) for *_, value in told[:seen]][-1:]


def test_a_revised_world_differs_before_the_day_alone():
    """Bars and values before it moved by little, stamped today; later ones did not."""
    cut = date(2020, 3, 2)
    moved = replace(WORLD, revised_before=cut)
    asked = {"first": FIRST, "last": TODAY}
    for symbol in ("ZL", "ZS", "EURUSD", "VIX"):
        one, two = WORLD.bars(symbol, **asked), moved.bars(symbol, **asked)
        for a, b in zip(one.rows(), two.rows(), strict=True):
            assert (a != b) == (a[0] < cut and a[1] is not None)
            if a != b:
                assert b[3] <= min(b[1], b[4]) <= max(b[1], b[4]) <= b[2]
                assert abs(b[4] / a[4] - 1.0) < 0.02
    before = dict(WORLD.observations(STATISTIC, **asked))
    after = dict(moved.observations(STATISTIC, **asked))
    assert {day for day in before if before[day] != after[day]} == {
        day for day in before if day < cut
    }
    stamps = [s for day, s, _ in moved.vintages(STATISTIC, **asked) if day < cut]
    assert stamps.count(TODAY) == sum(day < cut for day in before)


def test_an_unfinished_bar_has_the_open_and_a_part_of_the_volume():
    """Of a session that has not settled; of a day that is none there is nothing."""
    noon = replace(WORLD, at=time(16, 0))
    [whole] = WORLD.bars("ZL", first=TODAY, last=TODAY).rows(named=True)
    bar = noon.unfinished("ZL", TODAY)
    assert bar is not None
    assert bar.open == whole["open"]
    assert bar.close != whole["close"]
    assert 0 < bar.volume < whole["volume"]
    assert noon.unfinished("ZL", date(2020, 6, 28)) is None
    assert noon.unfinished("EURUSD", TODAY).volume == 0


def test_the_calendar_says_which_days_have_bars():
    """With sessions only those; without, every weekday."""
    sessions = loader.load(ROOT / "registry").sessions
    world = replace(WORLD, sessions=sessions)
    asked = {"first": date(2019, 12, 20), "last": date(2020, 1, 3)}
    assert date(2019, 12, 25) not in world.bars("ZL", **asked)["date"].to_list()
    assert date(2019, 12, 25) in WORLD.bars("ZL", **asked)["date"].to_list()
    assert world.bars("GSPC", **asked)["date"].to_list() == [
        day for day in sessions.days if asked["first"] <= day <= asked["last"]
    ]


def test_each_cadence_has_its_dates():
    """Every day, weekdays, Fridays, firsts of months, quarters and years, or a rule."""
    first, last = date(2019, 12, 30), date(2021, 1, 3)
    counts = {"daily": 371, "business": 265, "weekly": 53, "monthly": 13}
    for cadence, count in (counts | {"quarterly": 5, "yearly": 2}).items():
        dates = replace(STATISTIC, cadence=cadence).dates(first, last)
        assert len(dates) == count, cadence
        assert first <= dates[0] <= dates[-1] <= last
    tuesdays = replace(STATISTIC, cadence=releases.tuesdays).dates(first, last)
    assert {day.weekday() for day in tuesdays} == {1}
    with pytest.raises(ValueError, match="expected a cadence among daily"):
        replace(STATISTIC, cadence="hourly").dates(first, last)
    assert STATISTIC.dates(date(1980, 1, 1), date(1990, 1, 2))[0] == STATISTIC.begins


def _folder(tmp_path: Path) -> Path:
    (tmp_path / "a").mkdir()
    (tmp_path / "vintages").mkdir()
    (tmp_path / "a" / "ZL=F.csv").write_bytes(
        b"Date,Open,High,Low,Close,Adj Close,Volume\n"
        b"2020-01-02,1,4,1,2,2,10\n2020-01-03,null,null,null,null,null,null\n"
        b"2020-01-06,3,4,1,3,3,12"
    )
    later = b"date,open,high,low,close,volume\n2020-01-06,3,4,1,3.5,13\n2020-01-07,1,1,1,1,\n"
    (tmp_path / "soybean_oil.csv.gz").write_bytes(gzip.compress(later))
    (tmp_path / "DGS10.csv").write_text(
        "observation_date,DGS10\n2020-01-02,1.9\n2020-01-03,\n"
    )
    (tmp_path / "vintages" / "DGS10.csv").write_text("DATE,DGS10\n2021-01-02,9\n")
    return tmp_path


def test_a_folder_s_files_are_read_and_nothing_is_made_up(tmp_path):
    """Both layouts of prices, gzip, the file that reaches furthest first; and FRED's."""
    world = World("folder", today=date(2020, 1, 8), folder=_folder(tmp_path))
    asked = {"first": date(2019, 1, 1), "last": date(2020, 12, 31)}
    assert world.bars("ZL", **asked).rows() == [
        (date(2020, 1, 2), 1.0, 4.0, 1.0, 2.0, 10),
        (date(2020, 1, 3), None, None, None, None, None),
        (date(2020, 1, 6), 3.0, 4.0, 1.0, 3.5, 13),
        (date(2020, 1, 7), 1.0, 1.0, 1.0, 1.0, None),
    ]
    assert replace(world, today=date(2020, 1, 3)).bars("ZL", **asked).height == 2
    assert world.bars("ZS", **asked).is_empty()
    assert world.unfinished("ZL", date(2020, 1, 8)) is None
    rate = Statistic("fred", "DGS10", cadence="business")
    assert world.observations(rate, **asked) == [(date(2020, 1, 2), 1.9)]
    assert world.observations(replace(rate, source="toy"), **asked) == []


@pytest.mark.skipif(not SAVED.is_dir(), reason="no saved data beside the project")
def test_saved_data_is_read_as_it_lies():
    """Prices of both pulls in one series, a fund, and FRED in three layouts."""
    world = World("folder", today=date(2026, 7, 31), folder=SAVED)
    asked = {"first": date(2000, 3, 15), "last": date(2026, 7, 1)}
    oil = world.bars("ZL", **asked)
    assert oil["date"].min() == date(2000, 3, 15)
    assert oil["date"].max() > date(2026, 1, 1)
    assert oil["date"].is_unique().all()
    assert world.bars("SPY", **asked).height > 6_000
    for name in ("DGS10", "NFCI", "DGS2", "DFF"):
        rows = world.observations(Statistic("fred", name), **asked)
        assert len(rows) > 1_000, name


def test_a_world_without_sense_is_refused(tmp_path):
    """A folder without its kind, a day before the world, a seed out of range."""
    for wrong in (
        {"kind": "folder"},
        {"folder": tmp_path},
        {"today": date(1999, 1, 1)},
        {"seed": -1},
    ):
        with pytest.raises(ValueError, match=r"expected|goes with|whole number"):
            World(**wrong)
    assert World().now == datetime(2024, 6, 28, 23, tzinfo=UTC)
