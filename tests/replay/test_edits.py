"""The editors do what they say to a simulated file, and nothing more.

It never reads a real file and needs nothing but the replay room.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbi_stream.replay.edits import (
    corrected,
    noisy,
    shuffled,
    with_late_row,
    without_row,
)
from cbi_stream.replay.market import YAHOO_HEADER, is_simulated, market
from cbi_stream.replay.pull import complex_market

SESSIONS = [
    day
    for i in range(365 * 3)
    if (day := date(2003, 1, 2) + timedelta(days=i)).weekday() < 5
]
REAL_LOOKING = YAHOO_HEADER.encode() + b"\n2003-05-05,1.0,1.0,1.0,1.0,1.0,5"
DAY = SESSIONS[100]
FILES = {file.name: file.data for file in complex_market(SESSIONS[:300], lead=50)}
CFTC = "annual_legacy_2003.txt"
# A day with a value, the value to put there, and how that file prints it.
CORRECTIONS = {
    "ZS=F.csv": (DAY, 1000.3, "1000.250000"),
    "ZM=F.csv": (DAY, 333.33, "333.299988"),
    "soybean_oil.csv": (DAY, 16.94, "16.940000534057617"),
    "T10Y2Y.csv": (DAY, -0.456, "-0.46"),
    "DTWEXBGS.csv": (DAY, 101.23456, "101.2346"),
    "DFF.csv": (date(2003, 5, 3), 1.5, "1.50"),
    "NFCI.csv": (date(2003, 5, 2), -0.1234, "-0.123"),
    "PAYEMS.csv": (date(2003, 5, 1), 130123.4, "130123.0"),
    "DGS2.csv": (DAY, 3.5, "3.5"),
}


def oil(count: int = 300, seed: int = 7) -> bytes:
    """Return the bytes of ZL=F.csv over the first sessions."""
    return market(SESSIONS[:count], seed=seed)[0].data


def rows_of(data: bytes) -> dict[str, list[str]]:
    """Return the cells after the day, by day, below mark and header."""
    lines = data.decode().removesuffix("\n").split("\n")[2:]
    return {line[:10]: line.split(",")[1:] for line in lines}


@pytest.mark.parametrize(
    "edited",
    [
        corrected(oil(), day=DAY, close=40.0),
        without_row(oil(), day=DAY),
        with_late_row(without_row(oil(), day=DAY), day=DAY),
        noisy(oil(), seed=1),
        shuffled(oil(), seed=1),
    ],
    ids=["corrected", "without_row", "with_late_row", "noisy", "shuffled"],
)
def test_every_edited_file_keeps_mark_and_header(edited: bytes) -> None:
    """An edit cannot wash the mark off."""
    assert is_simulated(edited)
    assert edited != oil()
    assert edited.split(b"\n")[:2] == oil().split(b"\n")[:2]


@pytest.mark.parametrize("close", [20.0, 35.5, 70.123])
def test_corrected_changes_only_that_line(close: float) -> None:
    """One row differs, holds the new close, and is a consistent bar."""
    before, after = rows_of(oil()), rows_of(corrected(oil(), day=DAY, close=close))
    assert {day for day in before if before[day] != after[day]} == {str(DAY)}
    start, high, low, new, adjusted, _ = map(float, after[str(DAY)])
    assert round(new, 2) == round(close, 2)
    assert new == adjusted
    assert low <= min(start, new)
    assert high >= max(start, new)
    assert after[str(DAY)][5] == before[str(DAY)][5]


def test_corrected_fills_a_null_row_and_a_fred_cell() -> None:
    """A row of null becomes a flat bar; a FRED row gets the value."""
    data, fear, _ = (file.data for file in market(SESSIONS))
    empty = next(day for day, cells in rows_of(data).items() if cells[0] == "null")
    filled = corrected(data, day=date.fromisoformat(empty), close=40.25)
    assert rows_of(filled)[empty] == ["40.250000"] * 5 + ["0"]
    assert rows_of(corrected(fear, day=DAY, close=21.5))[str(DAY)] == ["21.50"]


def test_without_row_then_late_row_comes_back_in_place() -> None:
    """The row goes and comes back in its place; all others are untouched."""
    for file in market(SESSIONS[:300]):
        gone = without_row(file.data, day=DAY)
        back = with_late_row(gone, day=DAY)
        assert str(DAY) not in rows_of(gone)
        assert list(rows_of(back)) == list(rows_of(file.data))
        assert without_row(back, day=DAY) == gone


def test_late_row_is_a_consistent_bar_and_fills_a_null_row() -> None:
    """A late bar keeps low <= open, close <= high, also where null stood."""
    data = oil(len(SESSIONS))
    for day, cells in rows_of(data).items():
        if cells[0] == "null":
            late = rows_of(with_late_row(data, day=date.fromisoformat(day)))
            start, high, low, close, _, volume = map(float, late[day])
            assert low <= min(start, close) <= max(start, close) <= high
            assert volume > 0
            assert len(late) == len(SESSIONS)


@given(seed=st.integers(0, 2**64 - 1))
@settings(max_examples=20, deadline=None)
def test_noise_is_there_and_rounds_away_at_the_tick(seed: int) -> None:
    """Prices move by at most two millionths; rounded to 0.01 they are the same."""
    before, after = rows_of(oil()), rows_of(noisy(oil(), seed=seed))
    assert before != after
    for day, old in before.items():
        assert after[day][5] == old[5]
        if old[0] != "null":
            for a, b in zip(old[:5], after[day][:5], strict=True):
                assert abs(float(a) - float(b)) < 2.1e-6
                assert round(float(a), 2) == round(float(b), 2)


@pytest.mark.parametrize("count", [2, 3, 300])
def test_shuffled_holds_the_same_lines_in_another_order(count: int) -> None:
    """Same lines, other order, for every seed."""
    for seed in range(20):
        mixed = shuffled(oil(count), seed=seed)
        assert mixed != oil(count)
        assert sorted(mixed.split(b"\n")) == sorted(oil(count).split(b"\n"))


def test_editors_refuse_what_they_cannot_do() -> None:
    """No mark, no such day, nothing late, no prices, no such price: ValueError."""
    absent = date(1999, 1, 4)
    with pytest.raises(ValueError, match="only a file whose first line"):
        without_row(REAL_LOOKING, day=date(2003, 5, 5))
    with pytest.raises(ValueError, match="expected a row for 1999-01-04"):
        corrected(oil(), day=absent, close=30.0)
    with pytest.raises(ValueError, match="expected a close"):
        corrected(oil(), day=DAY, close=float("nan"))
    with pytest.raises(ValueError, match="nothing is late"):
        with_late_row(oil(), day=DAY)
    with pytest.raises(ValueError, match="expected the header"):
        noisy(market(SESSIONS[:5])[1].data, seed=1)


@pytest.mark.parametrize("name", CORRECTIONS)
def test_corrected_keeps_the_layout_of_every_file(name: str) -> None:
    """Another value, printed as that file prints it, and no other row touched."""
    day, close, shown = CORRECTIONS[name]
    before = rows_of(FILES[name])
    after = rows_of(corrected(FILES[name], day=day, close=close))
    assert [each for each in before if before[each] != after[each]] == [str(day)]
    cells = after[str(day)]
    assert cells[3 if len(cells) > 1 else 0] == shown
    if len(cells) > 1:
        start, high, low, new = map(float, cells[:4])
        assert low <= min(start, new) <= max(start, new) <= high
        assert cells[-1] == before[str(day)][-1]


def test_corrected_fills_a_row_that_has_only_a_volume() -> None:
    """The row that a script saved without prices keeps its volume."""
    data = FILES["soybean_oil.csv"]
    row = next(row for row in data.decode().split("\n") if row.startswith(str(DAY)))
    bare = data.replace(row.encode(), f"{DAY},,,,,1285".encode())
    filled = rows_of(corrected(bare, day=DAY, close=40.5))[str(DAY)]
    assert filled == ["40.5"] * 4 + ["1285"]
    late = rows_of(with_late_row(bare, day=DAY))[str(DAY)]
    assert float(late[2]) <= float(late[3]) <= float(late[1])


@pytest.mark.parametrize("name", CORRECTIONS)
def test_a_late_row_comes_back_in_its_place_in_every_file(name: str) -> None:
    """Half way between its neighbours, on the tick or the decimals of the file."""
    day = CORRECTIONS[name][0]
    gone = without_row(FILES[name], day=day)
    back = with_late_row(gone, day=day)
    before, after = rows_of(FILES[name]), rows_of(back)
    assert list(after) == list(before)
    assert without_row(back, day=day) == gone
    cells = after[str(day)]
    steps = {"ZS=F.csv": 4, "ZM=F.csv": 10, "PAYEMS.csv": 1}.get(name)
    for cell in cells[:4] if steps else []:
        assert abs(float(cell) * steps - round(float(cell) * steps)) < 1e-3
    days = sorted(before)
    at = days.index(str(day))
    place = 3 if len(cells) > 1 else 0
    around = [float(before[days[i]][place]) for i in (at - 1, at + 1)]
    assert min(around) - 0.1 <= float(cells[place]) <= max(around) + 0.1


def test_without_row_takes_the_week_of_all_contracts_out() -> None:
    """A week is missing from a CFTC file: six rows, one per contract."""
    day = date(2003, 5, 6)
    before = FILES[CFTC].decode().split("\n")
    after = without_row(FILES[CFTC], day=day).decode().split("\n")
    gone = [line for line in before if line not in after]
    assert len(gone) == 6
    assert all(f",{day}," in line for line in gone)
    assert [line for line in before if line not in gone] == after


def test_editors_of_values_refuse_a_cftc_file_and_a_price_below_a_cent() -> None:
    """A CFTC row has no close; a price is at least 0.01, a value only finite."""
    with pytest.raises(ValueError, match="bars or of values"):
        corrected(FILES[CFTC], day=date(2003, 5, 6), close=1.0)
    with pytest.raises(ValueError, match="bars or of values"):
        with_late_row(FILES[CFTC], day=date(2003, 5, 7))
    with pytest.raises(ValueError, match="expected a close"):
        corrected(FILES["soybean_oil.csv"], day=DAY, close=-1.0)
    with pytest.raises(ValueError, match="expected a close"):
        corrected(FILES["NFCI.csv"], day=date(2003, 5, 2), close=float("inf"))
