"""A later pull restates what its source restates, and an early one is unfinished.

It never reads a real file and needs nothing but the replay room.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from cbi_stream.replay.layouts import is_simulated
from cbi_stream.replay.pull import complex_market
from cbi_stream.replay.vintages import (
    restated_nfci,
    restated_payrolls,
    unfinished_bar,
)

SESSIONS = [
    day
    for i in range(365 * 3)
    if (day := date(2003, 1, 2) + timedelta(days=i)).weekday() < 5
]
FILES = {file.name: file.data for file in complex_market(SESSIONS)}
NFCI, PAYEMS = FILES["NFCI.csv"], FILES["PAYEMS.csv"]
DAY = SESSIONS[600]
STEPS = {"ZL=F.csv": 100, "ZS=F.csv": 4, "ZM=F.csv": 10, "soybean_oil.csv": 100}


def rows_of(data):
    """Return the cells after the day, by day, below mark and header."""
    lines = data.decode().removesuffix("\n").split("\n")[2:]
    return {line[:10]: line.split(",")[1:] for line in lines}


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9, 1.0])
def test_restated_conditions_move_a_share_of_the_rows_slightly(share):
    """About that share moves, by one to three thousandths; every date stays."""
    before, after = rows_of(NFCI), rows_of(restated_nfci(NFCI, seed=3, share=share))
    assert list(before) == list(after)
    moved = [day for day in before if before[day] != after[day]]
    assert abs(len(moved) / len(before) - share) < 0.09
    for day in moved:
        step = abs(float(after[day][0]) - float(before[day][0]))
        assert 0.0009 < step < 0.0031


def test_restated_conditions_are_a_function_of_seed_and_date():
    """The same seed restates alike, another otherwise, a longer file's start the same."""
    assert restated_nfci(NFCI, seed=3) == restated_nfci(NFCI, seed=3)
    assert restated_nfci(NFCI, seed=3) != restated_nfci(NFCI, seed=4)
    shorter = b"\n".join(NFCI.split(b"\n")[:50]) + b"\n"
    assert restated_nfci(NFCI, seed=3).startswith(restated_nfci(shorter, seed=3))


def test_restated_payrolls_add_a_month_and_restate_the_two_before():
    """One month more, two changed by at most 60 thousand, all others as they were."""
    for seed in range(20):
        before, after = rows_of(PAYEMS), rows_of(restated_payrolls(PAYEMS, seed=seed))
        *same, one, two = before
        assert list(after) == [*before, "2005-12-01"]
        assert list(before)[-1] == "2005-11-01"
        assert all(before[day] == after[day] for day in same)
        for day in (one, two):
            assert 1 <= abs(float(before[day][0]) - float(after[day][0])) <= 60
        growth = float(after["2005-12-01"][0]) / float(after[two][0]) - 1
        assert -0.0021 < growth < 0.0051
        assert all(cells[0].endswith(".0") for cells in after.values())


@pytest.mark.parametrize("name", STEPS)
def test_an_unfinished_bar_ends_the_file_with_another_close(name):
    """It is the last row, a bar in order on the tick, with part of the volume."""
    data = FILES[name]
    for seed in range(20):
        before = rows_of(data)
        after = rows_of(unfinished_bar(data, day=DAY, seed=seed))
        assert list(after) == list(before)[: list(before).index(str(DAY)) + 1]
        assert [d for d in after if after[d] != before[d]] == [str(DAY)]
        start, high, low, close = map(float, after[str(DAY)][:4])
        assert low <= min(start, close) <= max(start, close) <= high
        assert after[str(DAY)][0] == before[str(DAY)][0]
        ticks = [float(c[str(DAY)][3]) * STEPS[name] for c in (before, after)]
        assert abs(ticks[1] - round(ticks[1])) < 1e-3 * STEPS[name]
        assert round(ticks[0]) != round(ticks[1])
        assert 0 < int(after[str(DAY)][-1]) < int(before[str(DAY)][-1])


def test_the_last_row_can_be_unfinished():
    """Nothing is cut off where the day is the last; the tail stays as it was."""
    for name in STEPS:
        early = unfinished_bar(FILES[name], day=SESSIONS[-1])
        assert len(rows_of(early)) == len(rows_of(FILES[name]))
        assert early.endswith(b"\n") == FILES[name].endswith(b"\n")
        assert is_simulated(early)


def test_vintages_refuse_what_they_cannot_do():
    """No mark, another layout, no prices, no such share, one month: ValueError."""
    bare = NFCI.split(b"\n", 1)[1]
    with pytest.raises(ValueError, match="only a file whose first line"):
        restated_nfci(bare, seed=1)
    with pytest.raises(ValueError, match="only a file whose first line"):
        restated_payrolls(bare, seed=1)
    with pytest.raises(ValueError, match="only a file whose first line"):
        unfinished_bar(FILES["ZL=F.csv"].split(b"\n", 1)[1], day=DAY)
    with pytest.raises(ValueError, match="expected the header Date,Value"):
        restated_nfci(FILES["DFF.csv"], seed=1)
    with pytest.raises(ValueError, match="share from 0 to 1"):
        restated_nfci(NFCI, seed=1, share=1.1)
    with pytest.raises(ValueError, match="two months"):
        restated_payrolls(b"\n".join(PAYEMS.split(b"\n")[:3]) + b"\n", seed=1)
    with pytest.raises(ValueError, match="a file of bars"):
        unfinished_bar(NFCI, day=DAY)
    rows = rows_of(FILES["ZS=F.csv"])
    empty = next(day for day, cells in rows.items() if cells[0] == "null")
    with pytest.raises(ValueError, match="expected prices"):
        unfinished_bar(FILES["ZS=F.csv"], day=date.fromisoformat(empty))
