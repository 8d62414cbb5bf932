"""Planted faults hurt one line in the way that they say, in every layout.

It never reads a real file and needs nothing but the replay room.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta

import pytest

from cbi_stream.replay import edits, faults
from cbi_stream.replay.layouts import is_simulated
from cbi_stream.replay.pull import complex_market

SESSIONS = [
    day
    for i in range(600)
    if (day := date(2003, 1, 2) + timedelta(days=i)).weekday() < 5
]
FILES = {file.name: file.data for file in complex_market(SESSIONS, lead=100)}
DAYS = {
    "ZL=F.csv": date(2003, 9, 3),
    "ZS=F.csv": date(2003, 9, 3),
    "ZM=F.csv": date(2003, 9, 3),
    "soybean_oil.csv": date(2003, 9, 3),
    "DGS10.csv": date(2003, 9, 3),
    "DFF.csv": date(2003, 9, 6),
    "NFCI.csv": date(2003, 9, 5),
    "PAYEMS.csv": date(2003, 9, 1),
    "DGS2.csv": date(2003, 9, 3),
    "annual_legacy_2003.txt": date(2003, 9, 2),
}
BARS = {"ZL=F.csv": 100, "ZS=F.csv": 4, "ZM=F.csv": 10, "soybean_oil.csv": 100}
CFTC = "annual_legacy_2003.txt"
each_file = pytest.mark.parametrize(("name", "day"), DAYS.items())


def lines_of(data):
    """Return the lines below mark and header."""
    return data.decode().removesuffix("\n").split("\n")[2:]


def changed(before, after):
    """Return (line before, line after) of the only line that differs."""
    pairs = list(zip(lines_of(before), lines_of(after), strict=True))
    ((one, other),) = [(a, b) for a, b in pairs if a != b]
    assert before.split(b"\n")[:2] == after.split(b"\n")[:2]
    assert before.endswith(b"\n") == after.endswith(b"\n")
    return next(csv.reader([one])), next(csv.reader([other]))


@each_file
def test_letters_stand_in_one_cell(name, day):
    """One cell of the day says letters; all others are as they were."""
    one, other = changed(FILES[name], faults.with_letters(FILES[name], day=day))
    ((was, now),) = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    assert float(was) is not None
    assert now.strip() == "letters"
    assert str(day) in one


@each_file
def test_a_short_row_lacks_its_last_cell(name, day):
    """The day's row has one cell less, and the others stay."""
    one, other = changed(FILES[name], faults.with_short_row(FILES[name], day=day))
    assert other == one[:-1]
    assert str(day) in one


@each_file
def test_an_impossible_date_is_the_thirtieth_of_february(name, day):
    """The row's date does not exist; its other cells stay."""
    data = faults.with_impossible_date(FILES[name], day=day)
    one, other = changed(FILES[name], data)
    assert "2003-02-30" in other
    dates = {str(day), f"{day:%y%m%d}"}
    assert {a for a, b in zip(one, other, strict=True) if a != b} <= dates
    if name == CFTC:
        assert other[1] == "030230"


@each_file
def test_twice_says_the_same_day_with_another_value(name, day):
    """One line more, right below the first, of the same day, that disagrees."""
    before, after = (
        lines_of(FILES[name]),
        lines_of(faults.with_twice(FILES[name], day=day)),
    )
    (at,) = [i for i, line in enumerate(after) if line not in before]
    assert after[:at] + after[at + 1 :] == before
    one, other = (next(csv.reader([line])) for line in after[at - 1 : at + 1])
    place = 2 if name == CFTC else 0
    assert one[place] == other[place] == str(day)
    assert one != other
    if name in BARS:
        steps = (float(other[4]) - float(one[4])) * BARS[name]
        assert round(steps, 2) == 1
        assert float(other[3]) <= float(other[4]) <= float(other[2])
    if name == CFTC:
        counts = [[int(cell) for cell in row[7:17]] for row in (one, other)]
        for held in counts:
            assert held[0] == held[1] + held[3] + held[4] + held[8]


@each_file
def test_a_row_of_the_future_lies_after_the_last_day(name, day):
    """One line more, so many days after the last; without the date it is a copy."""
    data = faults.with_future_row(FILES[name], days=40)
    before, after = lines_of(FILES[name]), lines_of(data)
    (added,) = [line for line in after if line not in before]
    assert [line for line in after if line != added] == before
    place = 2 if name == CFTC else 0
    days = [date.fromisoformat(line.split(",")[place]) for line in before]
    cells = next(csv.reader([added]))
    assert cells[place] == str(max(days) + timedelta(days=40))
    assert any(line.endswith(added.partition(cells[place])[2]) for line in before)
    assert day < max(days) + timedelta(days=40)


@pytest.mark.parametrize("name", BARS)
def test_off_tick_moves_the_close_off_and_keeps_the_order(name):
    """The close is 0.4 of a tick away from one, still between low and high."""
    data = FILES[name]
    rows = {row[:10]: row for row in lines_of(data)}
    days = [d for d in SESSIONS[150:250] if "null" not in rows[str(d)]]
    for day in (day for day in days if ",," not in rows[str(day)]):
        one, other = changed(data, faults.off_tick(data, day=day))
        part = float(other[4]) * BARS[name] % 1
        assert min(abs(part - 0.4), abs(part - 0.6)) < 0.01
        assert abs(float(one[4]) - float(other[4])) * BARS[name] < 0.41
        assert float(other[3]) <= float(other[4]) <= float(other[2])
        if name.endswith("=F.csv"):
            assert other[4] == other[5]


def test_off_tick_of_a_bar_of_one_price_stretches_it():
    """Where high, low and close are one price, the high goes along."""
    day = DAYS["ZS=F.csv"]
    rows = lines_of(FILES["ZS=F.csv"])
    at = next(i for i, row in enumerate(rows) if row.startswith(str(day)))
    flat = f"{day}," + "1000.000000," * 5 + "7"
    data = FILES["ZS=F.csv"].replace(rows[at].encode(), flat.encode())
    _, row = changed(data, faults.off_tick(data, day=day))
    assert (
        row[1:6] == ["1000.000000", "1000.100000", "1000.000000"] + ["1000.100000"] * 2
    )


@pytest.mark.parametrize(
    ("name", "old"),
    [
        ("ZL=F.csv", "Close"),
        ("soybean_oil.csv", "close"),
        ("DGS10.csv", "DGS10"),
        ("DFF.csv", "DATE"),
        ("NFCI.csv", "Value"),
        ("DGS2.csv", "value"),
        (CFTC, "Open Interest (All)"),
    ],
)
def test_a_renamed_column_changes_the_header_only(name, old):
    """One name of the header is another; every row stays."""
    data = faults.renamed_column(FILES[name], old, new="renamed")
    head, rest = data.split(b"\n", 2)[1], data.split(b"\n", 2)[2]
    assert rest == FILES[name].split(b"\n", 2)[2]
    before = next(csv.reader([FILES[name].decode().split("\n")[1]]))
    after = next(csv.reader([head.decode()]))
    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [
        (old, "renamed")
    ]
    assert (b'"renamed"' in head) == (name == CFTC)


@each_file
def test_a_file_cut_short_is_a_proper_start_of_itself(name, day):
    """So many bytes are gone from the end, and nothing else; mark and header stay."""
    data = FILES[name]
    for n_bytes in (1, 7, len(data) // 3):
        short = faults.cut_short(data, n_bytes)
        assert len(short) == len(data) - n_bytes
        assert data.startswith(short)
        assert is_simulated(short)
    head = len(b"\n".join(data.split(b"\n")[:2])) + 1
    assert len(faults.cut_short(data, len(data) - head - 1)) == head + 1
    for wrong in (0, -1, len(data) - head):
        with pytest.raises(ValueError, match="bytes to cut off"):
            faults.cut_short(data, wrong)


def test_a_fault_hits_the_contract_that_is_named():
    """Without a name the first market is hit, with one that market's week."""
    day = DAYS[CFTC]
    for plant in (
        faults.with_letters,
        faults.with_short_row,
        faults.with_impossible_date,
    ):
        assert changed(FILES[CFTC], plant(FILES[CFTC], day=day))[0][3] == "001602"
        data = plant(FILES[CFTC], day=day, contract="007601")
        assert changed(FILES[CFTC], data)[0][3] == "007601"
    for data in (
        faults.with_twice(FILES[CFTC], day=day, contract="067651"),
        faults.with_future_row(FILES[CFTC], days=7, contract="067651"),
    ):
        (added,) = set(lines_of(data)) - set(lines_of(FILES[CFTC]))
        assert added.split(",")[3] == "067651"


@pytest.mark.parametrize("name", DAYS)
def test_nothing_without_the_mark_is_touched(name):
    """Every fault and every edit refuses the same file once its first line is gone."""
    bare, day = FILES[name].split(b"\n", 1)[1], DAYS[name]
    for plant in (
        lambda d: faults.with_letters(d, day=day),
        lambda d: faults.with_short_row(d, day=day),
        lambda d: faults.off_tick(d, day=day),
        lambda d: faults.with_twice(d, day=day),
        lambda d: faults.with_future_row(d, days=3),
        lambda d: faults.with_impossible_date(d, day=day),
        lambda d: faults.renamed_column(d, "Close", new="x"),
        lambda d: faults.cut_short(d, 5),
        lambda d: edits.corrected(d, day=day, close=30.0),
        lambda d: edits.without_row(d, day=day),
        lambda d: edits.with_late_row(d, day=day),
        lambda d: edits.noisy(d, seed=1),
        lambda d: edits.shuffled(d, seed=1),
    ):
        with pytest.raises(ValueError, match="only a file whose first line"):
            plant(bare)


def test_faults_refuse_what_they_cannot_do():
    """No such day, contract, column; no bars, no value, no day ahead: ValueError."""
    absent = date(1999, 1, 4)
    oil, rate = FILES["ZL=F.csv"], FILES["DGS10.csv"]
    with pytest.raises(ValueError, match="expected a row for 1999-01-04"):
        faults.with_letters(oil, day=absent)
    with pytest.raises(ValueError, match="and 999999"):
        faults.with_letters(FILES[CFTC], day=DAYS[CFTC], contract="999999")
    with pytest.raises(ValueError, match="a file of bars"):
        faults.off_tick(rate, day=DAYS["DGS10.csv"])
    with pytest.raises(ValueError, match="expected a column 'close'"):
        faults.renamed_column(oil, "close", new="x")
    with pytest.raises(ValueError, match="at least 1 day"):
        faults.with_future_row(oil, days=0)
    day = DAYS["DGS10.csv"]
    row = next(row for row in lines_of(rate) if row.startswith(str(day)))
    empty = rate.replace(row.encode(), f"{day},".encode())
    with pytest.raises(ValueError, match="expected a value"):
        faults.with_twice(empty, day=day)
