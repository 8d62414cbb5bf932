"""The four reports of the CFTC: what each file is taken for, and what stands in it."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from cbi_stream.shapes.source import Parser
from cbi_stream.words.errors import BadInput
from handlers.ingest import cftc as room
from handlers.ingest.cot import DISAGGREGATED, LEGACY
from handlers.ingest.cot_files import header_of
from tests.ingest.conformed import registry
from tests.ingest.test_sources import year_file
from tests.ingest.weeks import (
    DISAGGREGATED_JSON,
    LEGACY_JSON,
    bare,
    portal,
    without,
    zipped,
)

ALL = [value for value in vars(room).values() if isinstance(value, Parser)]
COMBINED = {"futonly_or_combined": "Combined", "id": "240820007601C"}


def taken_by(form: str, shown: str) -> list[str]:
    """Return the sources that say that such a file is theirs."""
    return sorted(p.source for p in ALL if p.form == form and p.recognises(shown))


def test_each_of_the_four_reads_text_json_and_archives() -> None:
    """No source lacks a form, and no parser gives a column that its table lacks."""
    assert len(ALL) == 12
    for parser in ALL:
        entry = registry().data_sources.sources[parser.source]
        report = LEGACY if "noncommercial_long" in entry.measures else DISAGGREGATED
        assert list(entry.measures) == list(report.counts)


@pytest.mark.parametrize(
    ("week", "source"),
    [
        (LEGACY_JSON, "cftc"),
        (LEGACY_JSON | COMBINED, "cftc_legacy_combined"),
        (DISAGGREGATED_JSON, "cftc_disaggregated"),
        (DISAGGREGATED_JSON | COMBINED, "cftc_disaggregated_combined"),
        (without(LEGACY_JSON, "futonly_or_combined"), "cftc"),
        (without(LEGACY_JSON | COMBINED, "id"), "cftc_legacy_combined"),
    ],
)
def test_an_answer_of_the_portal_says_which_report_it_is(
    week: dict[str, str], source: str
) -> None:
    """By its columns, and by the word or the letter for futures only."""
    assert taken_by("json", portal(week).decode()) == [source]


def test_an_answer_that_does_not_say_its_kind_fits_both() -> None:
    """Then the name of the file or a person says it: nobody guesses."""
    week = without(LEGACY_JSON, "futonly_or_combined", "id")
    assert taken_by("json", portal(week).decode()) == ["cftc", "cftc_legacy_combined"]


@pytest.mark.parametrize(
    ("member", "source"),
    [
        ("annual.txt", "cftc"),
        ("FUT86_16.txt", "cftc"),
        ("annualof.txt", "cftc_legacy_combined"),
        ("Com95_16.txt", "cftc_legacy_combined"),
        ("f_year.txt", "cftc_disaggregated"),
        ("F_Disagg06_16.txt", "cftc_disaggregated"),
        ("c_year.txt", "cftc_disaggregated_combined"),
        ("C_Disagg06_16.txt", "cftc_disaggregated_combined"),
    ],
)
def test_an_archive_is_told_by_its_member(member: str, source: str) -> None:
    """Each year's and each history's archive has a member of its own name."""
    assert taken_by("zip", member) == [source]


@pytest.mark.parametrize("member", ["annualci.txt", "FinFutYY.txt", "PET.txt", "x.csv"])
def test_an_archive_of_another_report_is_none_of_these(member: str) -> None:
    """Index traders and financial futures are other reports."""
    assert taken_by("zip", member) == []


def test_both_kinds_share_the_header_of_a_text() -> None:
    """So the name must tell; a disaggregated line of the newest week tells itself."""
    legacy = year_file({}).decode().split("\n")[0]
    assert taken_by("text", legacy) == ["cftc", "cftc_legacy_combined"]
    both = ["cftc_disaggregated", "cftc_disaggregated_combined"]
    assert taken_by("text", header_of(DISAGGREGATED)) == both
    assert taken_by("text", bare().decode()) == ["cftc_disaggregated"]
    combined = bare(kind="Combined").decode()
    assert taken_by("text", combined) == ["cftc_disaggregated_combined"]
    assert taken_by("text", bare(width=190).decode()) == []


def test_the_newest_week_is_read_by_places() -> None:
    """Without a header the columns stand in the order of the year's text."""
    rows = room.disaggregated.parse(bare(at_119="     ."), None)
    row = rows.rows(named=True)[0]
    assert (row["contract"], row["date"], row["line"]) == (
        "007601",
        date(2024, 8, 20),
        1,
    )
    assert row["open_interest"] == "1000"
    assert row["managed_long"] == "1006"
    assert row["nonreportable_short"] == "1015"
    assert row["traders"] == "."
    assert row["managed_traders_long"] == "1118"


def test_a_legacy_line_without_header_is_read_by_places_too() -> None:
    """The first line of a year's file stands in the file of the newest week."""
    header = year_file({}).decode().split("\n")[0]
    names = [name.strip('" ') for name in header.split('","')]
    cells = ['"WHEAT - CHICAGO"', "250311", "2025-03-11", "001602"]
    cells += [str(100 + i) for i in range(4, len(names))]
    rows = room.cftc.parse((",".join(cells) + "\n").encode(), None)
    row = rows.rows(named=True)[0]
    assert (row["open_interest"], row["nonreportable_short"]) == ("107", "116")
    assert row["traders"] == "177"


@pytest.mark.parametrize(
    ("parser", "data"),
    [
        (room.disaggregated, bare() + bare(kind="Combined")),
        (room.disaggregated_combined_json, portal(DISAGGREGATED_JSON)),
        (
            room.legacy_combined_json,
            portal(without(LEGACY_JSON, "futonly_or_combined")),
        ),
        (room.disaggregated_zip, zipped("f_year.txt", bare() + bare(kind="Combined"))),
    ],
    ids=["text", "json", "json by its letter", "archive"],
)
def test_a_file_of_the_other_kind_is_refused_whole(parser: Parser, data: bytes) -> None:
    """Futures with options are delta-adjusted: mixed in they would be wrong silently."""
    with pytest.raises(BadInput, match="hand it in as what it is, with --source"):
        parser.parse(data, None)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2024-01-02", date(2024, 1, 2)),
        ("01/02/2024", date(2024, 1, 2)),
        ("01/02/2024 12:00:00 AM", date(2024, 1, 2)),
        ("2024-01-02T00:00:00.000", date(2024, 1, 2)),
    ],
)
def test_a_day_is_read_month_first(cell: str, day: date) -> None:
    """Texts, the portal's tables and its answers each write it in their own way."""
    rows = room.cftc_json.parse(
        portal(LEGACY_JSON | {"report_date_as_yyyy_mm_dd": cell}), None
    )
    assert rows["date"].to_list() == [day]


def test_a_renamed_field_is_named() -> None:
    """A column of nulls would look like a week in which nobody held anything."""
    weeks = without(LEGACY_JSON, "comm_positions_long_all") | {"comm_long": "1"}
    with pytest.raises(BadInput, match=r"commercial_positions_long_all or comm_posit"):
        room.cftc_json.parse(portal(weeks, weeks), None)


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"cftc_contract_market_code": "7601"}, "expected a code like 007601"),
        ({"open_interest_all": "12.5"}, "number: open_interest"),
        ({"open_interest_all": "NaN"}, "non_finite: open_interest"),
        ({"report_date_as_yyyy_mm_dd": "20.08.2024"}, "date: expected a day"),
    ],
)
def test_an_unreadable_week_stays_a_row(cells: dict[str, str], problem: str) -> None:
    """It is told with its problem; the others go on."""
    good = [LEGACY_JSON, LEGACY_JSON | {"report_date_as_yyyy_mm_dd": "2024-08-13"}]
    rows = room.cftc_json.parse(portal(*good, LEGACY_JSON | cells), None)
    assert rows["problem"].null_count() == 2
    assert problem in rows["problem"].to_list()[2]


def test_numbers_and_strings_and_another_order_read_the_same() -> None:
    """Drift of types and of order changes no row."""
    plain = room.cftc_json.parse(portal(LEGACY_JSON), None)
    typed = LEGACY_JSON | {"open_interest_all": 500000, "traders_tot_all": 310}
    turned = dict(reversed(list(typed.items())))
    assert room.cftc_json.parse(portal(turned), None).equals(plain)


def test_what_is_no_list_of_weeks_is_refused() -> None:
    """An error that came with status 200 is no report."""
    with pytest.raises(BadInput, match="expected a list of weeks"):
        room.cftc_json.parse(b'{"message": "no-such-column"}', None)


def test_an_archive_gives_the_rows_of_its_text() -> None:
    """The archive is a wrapping, and nothing else."""
    text = year_file({}, {"CFTC Contract Market Code": "001602"})
    rows = room.cftc_zip.parse(zipped("annual.txt", text), None)
    assert rows.equals(room.cftc.parse(text, None))
    assert rows.filter(pl.col("contract") == "001602").height == 1
