"""The simulated market keeps its promises: marked, deterministic, in real layouts.

It never reads a real file and needs nothing but the replay room.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbi_stream.replay.chance import uniforms
from cbi_stream.replay.market import (
    MARK,
    YAHOO_HEADER,
    SimulatedFile,
    extended,
    is_simulated,
    lay_down,
    market,
)

HOLIDAYS = {date(2003, 1, 1), date(2003, 1, 20), date(2003, 7, 4), date(2003, 10, 13)}
GRAIN_CLOSED = HOLIDAYS - {date(2003, 10, 13)}  # bonds rest that day, grains trade
WEEKDAYS = [
    day
    for i in range(365 * 4)
    if (day := date(2003, 1, 2) + timedelta(days=i)).weekday() < 5
]
SESSIONS = [day for day in WEEKDAYS if day not in GRAIN_CLOSED]
REAL_LOOKING = YAHOO_HEADER.encode() + b"\n2003-05-05,1.0,1.0,1.0,1.0,1.0,5"


def rows_of(data: bytes) -> dict[str, list[str]]:
    """Return the cells after the day, by day, below mark and header."""
    lines = data.decode().removesuffix("\n").split("\n")[2:]
    return {line[:10]: line.split(",")[1:] for line in lines}


def test_same_seed_gives_same_bytes_and_another_seed_others() -> None:
    """The bytes are a function of the arguments."""
    assert market(SESSIONS) == market(SESSIONS)
    for one, other in zip(market(SESSIONS), market(SESSIONS, seed=8), strict=True):
        assert rows_of(one.data) != rows_of(other.data)


def test_the_bytes_are_the_ones_they_always_were() -> None:
    """A changed digest means every demo's numbers change: it must be on purpose."""
    joined = b"".join(file.data for file in market(SESSIONS, holidays=HOLIDAYS))
    assert hashlib.sha256(joined).hexdigest()[:16] == "0eb0a87df1e43f8b"


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(1, len(SESSIONS)), seed=st.integers(0, 2**64 - 1))
def test_a_shorter_run_is_the_prefix_of_a_longer(cut: int, seed: int) -> None:
    """Every file of a run over fewer sessions starts the file of the longer run."""
    short = market(SESSIONS[:cut], seed=seed, holidays=HOLIDAYS)
    full = market(SESSIONS, seed=seed, holidays=HOLIDAYS)
    for one, other in zip(short, full, strict=True):
        assert one.name == other.name
        assert other.data.startswith(one.data)


def test_extended_appends_n_business_days() -> None:
    """The added sessions are the next n weekdays that are no holiday."""
    end = SESSIONS.index(date(2003, 7, 3)) + 1
    before = market(SESSIONS[:end], holidays=HOLIDAYS)
    after = extended(SESSIONS[:end], 3, holidays=HOLIDAYS)
    added = set(rows_of(after[0].data)) - set(rows_of(before[0].data))
    assert added == {"2003-07-07", "2003-07-08", "2003-07-09"}
    assert all(b.data.startswith(a.data) for a, b in zip(before, after, strict=True))
    assert rows_of(after[1].data)["2003-07-04"] == [""]


def test_a_day_draws_the_same_wherever_the_run_begins() -> None:
    """Draws belong to the day, not to the step."""
    last = date(2003, 3, 1)
    long = uniforms(7, 1, first=date(2003, 1, 1), last=last)
    short = uniforms(7, 1, first=date(2003, 2, 1), last=last)
    assert long[31:] == short
    assert len({u for row in long for u in row}) == 60 * 8


def test_files_are_named_marked_and_pulled_when_all_are_out() -> None:
    """Three files, each marked, pulled after the next business day's releases."""
    files = market(SESSIONS[: SESSIONS.index(date(2003, 7, 3)) + 1], holidays=HOLIDAYS)
    assert [file.name for file in files] == ["ZL=F.csv", "VIXCLS.csv", "DGS10.csv"]
    for file in files:
        first = file.data.decode().splitlines()[0]
        assert first == f"{MARK}: no real market data, seed 7"
        assert file.as_of == datetime(2003, 7, 7, 23, tzinfo=UTC)


def test_is_simulated_is_false_for_a_real_looking_file() -> None:
    """The layout alone, or a mark further down, does not make a file simulated."""
    assert not is_simulated(REAL_LOOKING)
    assert not is_simulated(REAL_LOOKING + f"\n{MARK}".encode())
    assert not is_simulated(b"")


def test_yahoo_layout_and_consistent_bars() -> None:
    """Ascending days, six decimals off the tick by float noise, low <= o, c <= high."""
    data = market(SESSIONS)[0].data
    assert data.decode().split("\n")[1] == YAHOO_HEADER
    assert not data.endswith(b"\n")
    rows = rows_of(data)
    assert list(rows) == [day.isoformat() for day in SESSIONS]
    bars = [cells for cells in rows.values() if cells != ["null"] * 6]
    assert 0 < len(rows) - len(bars) < 20
    assert any(not cells[3].endswith("0000") for cells in bars)
    for start, high, low, close, adjusted, volume in bars:
        assert close == adjusted
        assert len(close.partition(".")[2]) == 6
        assert abs(float(close) - round(float(close), 2)) < 5e-6
        assert 14 <= float(low) <= min(float(start), float(close))
        assert 90 >= float(high) >= max(float(start), float(close))
        assert int(volume) > 0


def test_fred_layout_one_row_per_weekday_empty_on_holidays() -> None:
    """Every weekday has a row; holidays and days without a session have no value."""
    for file in market(SESSIONS, holidays=HOLIDAYS)[1:]:
        low, high = {"VIXCLS.csv": (10, 80), "DGS10.csv": (0.5, 8)}[file.name]
        header = f"observation_date,{file.name.removesuffix('.csv')}"
        assert file.data.decode().split("\n")[1] == header
        rows = rows_of(file.data)
        assert list(rows) == [day.isoformat() for day in WEEKDAYS]
        empty = {day for day, cells in rows.items() if cells == [""]}
        assert empty == {str(day) for day in HOLIDAYS if day in WEEKDAYS}
        for (value,) in (cells for cells in rows.values() if cells != [""]):
            assert len(value.partition(".")[2]) == 2
            assert low <= float(value) <= high


def test_holidays_move_no_other_value() -> None:
    """A holiday empties its own cell and nothing else."""
    plain, with_rest = market(SESSIONS), market(SESSIONS, holidays=HOLIDAYS)
    assert plain[0].data == with_rest[0].data
    before, after = rows_of(plain[2].data), rows_of(with_rest[2].data)
    changed = {day for day in before if before[day] != after[day]}
    assert changed == {"2003-10-13"}


def test_the_walks_look_like_markets() -> None:
    """Twenty years stay off the clips, move daily, and the fear index spikes."""
    days = [date(2000, 1, 3) + timedelta(days=i) for i in range(365 * 20)]
    files = market([day for day in days if day.weekday() < 5])
    closes = [float(c[3]) for c in rows_of(files[0].data).values() if c[0] != "null"]
    moves = [abs(b / a - 1) for a, b in pairwise(closes)]
    assert 0.006 < sum(moves) / len(moves) < 0.02
    assert sum(c in (14.0, 90.0) for c in closes) < len(closes) / 100
    assert max(closes) > 1.5 * min(closes)
    assert max(float(v[0]) for v in rows_of(files[1].data).values()) > 35


def test_market_refuses_bad_arguments() -> None:
    """No sessions, wrong order, a naive instant, a bad seed, n < 0: ValueError."""
    with pytest.raises(ValueError, match="strictly ascending"):
        market([])
    with pytest.raises(ValueError, match="strictly ascending"):
        market(SESSIONS[:2][::-1])
    with pytest.raises(ValueError, match="time zone"):
        market(SESSIONS[:2], as_of=datetime(2020, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="seed"):
        market(SESSIONS[:2], seed=-1)
    with pytest.raises(ValueError, match="0 or more"):
        extended(SESSIONS[:2], -1)


def test_lay_down_writes_only_marked_files_over_marked_files(tmp_path) -> None:
    """A real file is never written over, and an unmarked one never written."""
    files = market(SESSIONS[:5])
    lay_down(files, tmp_path)
    paths = lay_down(files, tmp_path)
    assert [path.read_bytes() for path in paths] == [file.data for file in files]
    paths[2].write_bytes(REAL_LOOKING)
    with pytest.raises(ValueError, match="not simulated"):
        lay_down(market(SESSIONS[:6]), tmp_path)
    assert paths[0].read_bytes() == files[0].data
    unmarked = SimulatedFile("x.csv", REAL_LOOKING, files[0].as_of)
    with pytest.raises(ValueError, match="first line"):
        lay_down([unmarked], tmp_path)
    assert not (tmp_path / "x.csv").exists()
