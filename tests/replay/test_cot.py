"""The CFTC's year files hold 129 columns, and counts whose sums agree.

It never reads a real file and needs nothing but the replay room.
"""

from __future__ import annotations

import csv
import hashlib
import re
from datetime import date, datetime, timedelta

import pytest

from cbi_stream.replay.cot import header
from cbi_stream.replay.pull import complex_market

SESSIONS = [
    day
    for i in range(365 * 2 + 60)
    if (day := date(2003, 1, 2) + timedelta(days=i)).weekday() < 5
]
CODES = ["001602", "002602", "005602", "026603", "007601", "067651"]
BLOCKS = {"All": 7, "Old": 17, "Other": 27}
NUMBER = r" {0,7}-?\d+"


def year_files(sessions=SESSIONS, **more):
    """Return the texts of the year files by name."""
    return {
        file.name: file.data.decode()
        for file in complex_market(sessions, **more)
        if file.name.startswith("annual_legacy_")
    }


@pytest.fixture(scope="module")
def rows():
    """Return the cells of every row of every year, as a csv reader gives them."""
    found = []
    for text in year_files().values():
        lines = text.splitlines()[2:]
        found += list(csv.reader(lines))
    return found


def weeks_of(rows, code):
    """Return the rows of one contract by ISO date, the newest last."""
    return {row[2]: row for row in sorted(rows, key=lambda r: r[2]) if row[3] == code}


def test_the_header_is_the_one_that_the_report_has():
    """129 quoted names, the report's slips included, told by their digest."""
    assert len(next(csv.reader([header()]))) == 129
    assert hashlib.sha256(header().encode()).hexdigest()[:16] == "ee5e9883e2f271b9"


def test_cells_are_quoted_and_padded_as_the_report_does():
    """Name and tail in quotes, counts 8 wide, shares 7, traders 7, the largest 8."""
    row = year_files()["annual_legacy_2004.txt"].splitlines()[2]
    shape = (
        r'"[^"]+",\d{6},\d{4}-\d\d-\d\d,\d{6},[A-Z ]{4},\d\d,\d{3} '
        rf"(,(?=.{{8}},){NUMBER}){{40}}"
        r"(,(?=.{7},) *\d+\.\d){30}"
        r"(,(?=.{7},) *\d+){24}"
        r"(,(?=.{8},) *\d+\.\d){24}"
        r',"\(CONTRACTS OF 5,000 BUSHELS\)","\d{6}","[A-Z ]{4}","\d{3} "'
    )
    assert re.fullmatch(shape, row)


def test_each_week_has_a_row_per_contract_newest_first_within_a_market(rows):
    """Six markets of Tuesdays in the year of the file, one of them outside the rest."""
    for name, text in year_files().items():
        here = list(csv.reader(text.splitlines()[2:]))
        assert text.endswith("\n")
        assert list(dict.fromkeys(row[3] for row in here)) == CODES
        for code in CODES:
            days = [date.fromisoformat(row[2]) for row in here if row[3] == code]
            assert days == sorted(set(days), reverse=True)
            assert {day.weekday() for day in days} == {1}
            assert {f"annual_legacy_{day.year}.txt" for day in days} == {name}
    assert {len(row) for row in rows} == {129}
    assert all(row[1] == row[2][2:].replace("-", "") for row in rows)
    assert all(row[3] == row[126] and row[6] == row[128] for row in rows)


@pytest.mark.parametrize("block", BLOCKS)
def test_both_sides_add_up_to_the_open_interest(rows, block):
    """Longs and shorts of all groups, with spreading, are the open interest."""
    start = BLOCKS[block]
    for row in rows:
        interest, *held = (int(cell) for cell in row[start : start + 10])
        long, short, both, hedge_long, hedge_short, all_long, all_short, *small = held
        assert interest == long + both + hedge_long + small[0]
        assert interest == short + both + hedge_short + small[1]
        assert all_long == long + both + hedge_long
        assert all_short == short + both + hedge_short
        assert min(held) >= 0


def test_both_crop_years_add_up_and_oil_has_one(rows):
    """Old and Other make All; crude oil knows no crop year."""
    for row in rows:
        every, old, other = (
            [int(cell) for cell in row[start : start + 10]] for start in (7, 17, 27)
        )
        assert [a + b for a, b in zip(old, other, strict=True)] == every
        assert (other == [0] * 10) == (row[3] == "067651")
        assert min(every) > 0


def test_changes_and_shares_follow_from_the_counts(rows):
    """Each change is the difference to the week before; the first week has a dot."""
    for code in CODES:
        before = None
        for row in weeks_of(rows, code).values():
            counts = [int(cell) for cell in row[7:17]]
            if before is None:
                assert row[37:47] == ["."] * 10
            else:
                changes = [a - b for a, b in zip(counts, before, strict=True)]
                assert [int(cell) for cell in row[37:47]] == changes
            shares = [float(cell) for cell in row[47:57]]
            assert all(
                abs(share - 100 * count / counts[0]) <= 0.0501
                for share, count in zip(shares, counts, strict=True)
            )
            before = counts


def test_a_week_appears_on_friday_afternoon():
    """Friday 15:29 in New York does not have Tuesday's positions, 15:30 has."""
    sessions = SESSIONS[: SESSIONS.index(date(2004, 2, 6))]
    for minute, newest in ((29, "2004-01-27"), (30, "2004-02-03")):
        as_of = datetime.fromisoformat(f"2004-02-06T15:{minute}-05:00")
        text = year_files(sessions, as_of=as_of)["annual_legacy_2004.txt"]
        assert text.splitlines()[2].split(",")[2] == newest


def test_a_closed_friday_moves_the_release_to_monday():
    """With the Friday a holiday, Friday evening lacks the week and Monday has it."""
    sessions = SESSIONS[: SESSIONS.index(date(2004, 2, 6))]
    friday = {date(2004, 2, 6)}
    for day, newest in ((6, "2004-01-27"), (9, "2004-02-03")):
        as_of = datetime.fromisoformat(f"2004-02-{day:02d}T20:00-05:00")
        text = year_files(sessions, as_of=as_of, holidays=friday)
        row = text["annual_legacy_2004.txt"].splitlines()[2]
        assert row.split(",")[2] == newest


def test_a_later_year_file_keeps_the_weeks_of_the_earlier():
    """Weeks are inserted, not restated: every earlier line stands in the later file."""
    cut = SESSIONS.index(date(2004, 6, 1))
    early = year_files(SESSIONS[:cut])["annual_legacy_2004.txt"].splitlines()
    late = year_files()["annual_legacy_2004.txt"].splitlines()
    assert len(late) > len(early)
    assert set(early) <= set(late)
    year = "annual_legacy_2003.txt"
    assert year_files(SESSIONS[:cut])[year] == year_files()[year]
