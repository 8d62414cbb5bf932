"""The quirks of positions and energy, one test each. None needs a network or a real file."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from cbi_stream.doors.landing import Receipt
from cbi_stream.engine.layouts import form_of
from cbi_stream.words.errors import BadInput
from handlers.ingest import cftc, eia, eia_bulk, epa_rin
from handlers.ingest.cot_ask import cftc as asking_cftc
from tests.ingest.conformed import known_at, registry, staged
from tests.ingest.polls import first_of, poll_of
from tests.ingest.test_eia import row, told
from tests.ingest.test_eia_ask import SOY, rows, said, soy
from tests.ingest.test_epa_lcfs import PRICES
from tests.ingest.test_sources import year_file
from tests.ingest.weeks import DISAGGREGATED_JSON, LEGACY_JSON, bare, portal, without

Drop = Callable[..., Receipt]


def test_quirk_1_positions_of_a_tuesday_are_known_on_friday() -> None:
    """Quirk 1: a report dated Tuesday is knowable on Friday at 15:30 in New York."""
    found = staged(cftc.cftc_json, portal(LEGACY_JSON))
    known = known_at(found, "007601.open_interest", date(2024, 8, 20))
    assert known == datetime(2024, 8, 23, 19, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "known"),
    [
        # A day of mourning on Thursday 2025-01-09 moved it to Monday.
        ("2025-01-07", datetime(2025, 1, 13, 20, 30, tzinfo=UTC)),
        ("2025-09-23", datetime(2025, 9, 26, 19, 30, tzinfo=UTC)),
        # The government was closed: this one came first, the others until January.
        ("2025-09-30", datetime(2025, 11, 19, 21, 30, tzinfo=UTC)),
        ("2025-10-07", datetime(2026, 1, 23, 21, 30, tzinfo=UTC)),
        ("2026-01-13", datetime(2026, 1, 23, 21, 30, tzinfo=UTC)),
        ("2026-01-27", datetime(2026, 1, 30, 20, 30, tzinfo=UTC)),
    ],
)
def test_quirk_1_holidays_and_shutdowns_delay_all_four(
    day: str, known: datetime
) -> None:
    """Quirk 1: a fixed lag is look-ahead where reports came late."""
    said_so = {"report_date_as_yyyy_mm_dd": day}
    found = staged(cftc.cftc_json, portal(LEGACY_JSON | said_so))
    assert known_at(found, "007601.open_interest", date.fromisoformat(day)) == known
    found = staged(cftc.disaggregated_json, portal(DISAGGREGATED_JSON | said_so))
    assert known_at(found, "007601.managed_long", date.fromisoformat(day)) == known


def test_quirk_1_the_past_of_a_report_was_not_known_before_it_began() -> None:
    """Quirk 1: disaggregated weeks before September 2009 were told as one piece then."""
    week = DISAGGREGATED_JSON | {"report_date_as_yyyy_mm_dd": "2008-07-01"}
    found = staged(cftc.disaggregated_json, portal(week))
    known = known_at(found, "007601.managed_long", date(2008, 7, 1))
    assert known.date() == date(2009, 10, 30)


def test_quirk_21_a_month_of_energy_is_known_two_months_after_its_end() -> None:
    """Quirk 21: April is knowable about the end of June, never in May."""
    found = staged(eia.answer, told(row("2026-04", "1100"), row("2026-01", "1000")))
    known = known_at(found, SOY, date(2026, 4, 1))
    assert timedelta(days=61) <= known.date() - date(2026, 4, 30) <= timedelta(days=64)
    known = known_at(found, SOY, date(2026, 1, 1))
    assert known.date() - date(2026, 1, 31) == timedelta(days=61)


@pytest.mark.parametrize(
    ("friday", "known"),
    [
        ("2024-03-01", datetime(2024, 3, 6, 16, 0, tzinfo=UTC)),
        (
            "2024-05-24",
            datetime(2024, 5, 30, 15, 0, tzinfo=UTC),
        ),  # Monday was a holiday
    ],
)
def test_quirk_21_a_week_of_energy_is_known_on_wednesday(
    friday: str, known: datetime
) -> None:
    """Quirk 21: after a Monday's holiday it is Thursday 11:00; no hour is earlier."""
    data = told(row(friday, "119000", "WDISTUS1"), frequency="weekly")
    found = staged(eia.answer, data)
    assert known_at(found, "WDISTUS1", date.fromisoformat(friday)) == known


def test_quirk_22_an_outlook_is_a_forecast_with_its_date() -> None:
    """Quirk 22: what it says of a month stands at its issue, never as an observation."""
    line = {
        "series_id": "STEO.WTIPUUS.M",
        "f": "M",
        "last_updated": "2026-07-07T12:00:00-04:00",
        "data": [["202610", 61.0]],
    }
    found = staged(eia_bulk.outlook, json.dumps(line).encode())
    (only,) = found.rows(named=True)
    assert (only["series"], only["date"]) == ("WTIPUUS.ahead_03", date(2026, 7, 7))
    assert only["knowable_at"] == datetime(2026, 7, 7, 16, tzinfo=UTC)
    assert not set(found["series"]) & set(registry().data_sources.sources["eia"].series)
    forecast = {"period": "2026-10", "seriesId": "WTIPUUS", "value": "61"}
    data = json.dumps({"response": {"frequency": "monthly", "data": [forecast]}})
    with pytest.raises(BadInput, match="found forecasts of the Short-Term Energy Out"):
        eia.answer.parse(data.encode(), None)


def test_quirk_23_a_week_s_rin_price_is_known_after_the_monthly_issue() -> None:
    """Quirk 23: the week of 2026-07-06 is out after about 20 August, not a week later."""
    text = f"{PRICES}7/6/2026,2026,2026,D4,Unverified,$1.20\n"
    found = staged(epa_rin.prices, text.encode())
    known = known_at(found, "d4.unverified.current", date(2026, 7, 6))
    assert date(2026, 8, 20) <= known.date() <= date(2026, 8, 31)
    text = f"{PRICES}7/1/2024,2024,2024,D4,Unverified,$0.55\n"
    found = staged(epa_rin.prices, text.encode())
    known = known_at(found, "d4.unverified.current", date(2024, 7, 1))
    assert known.date() >= date(2024, 8, 20)


def test_quirk_29_the_portal_s_numbers_are_strings_and_its_nulls_are_absent() -> None:
    """Quirk 29: doubled underscores, codes with a blank, zeros in front: all are read."""
    week = without(DISAGGREGATED_JSON, "traders_tot_all")
    (only,) = cftc.disaggregated_json.parse(portal(week), None).rows(named=True)
    assert only["contract"] == "007601"
    assert only["swap_short"] == "5255"
    assert only["swap_spreading"] == "6790"
    assert only["traders"] == ""
    found = staged(cftc.disaggregated_json, portal(week))
    values = dict(found.select("series", "value").rows())
    assert values["007601.swap_short"] == 5255.0
    assert values["007601.traders"] is None


def test_quirk_30_a_lone_point_is_missing_and_commas_stand_in_quotes() -> None:
    """Quirk 30: padded numbers are numbers, all 191 columns stay in their places."""
    line = bare(at_119="      .", at_7="  359360")
    assert b"60,000 POUNDS" in line
    found = staged(cftc.disaggregated, line)
    values = dict(found.select("series", "value").rows())
    assert values["007601.open_interest"] == 359360.0
    assert values["007601.traders"] is None
    assert values["007601.managed_long"] == 1006.0
    with pytest.raises(BadInput, match="191 cells; found 192"):
        cftc.disaggregated.parse(line + line.replace(b'"A30"', b'"A30","x"') * 2, None)


def test_quirk_31_totals_and_values_are_strings_and_the_key_is_echoed() -> None:
    """Quirk 31: strings are numbers, null is withheld, the key stands in no row."""
    echo = {"request": {"params": {"api_key": "a-key-that-nobody-may-see"}}}
    content = json.loads(told(row("2024-01", "3"), row("2024-02", None))) | echo
    found = eia.answer.parse(json.dumps(content).encode(), None)
    assert found["value"].to_list() == ["3", ""]
    assert "a-key-that" not in repr(found.rows())
    assert len(list(soy().follow(rows(5000, "5001")))) == 1
    values = staged(eia.answer, json.dumps(content).encode())["value"].to_list()
    assert values == [3.0, None]


def test_quirk_38_an_empty_list_of_weeks_is_a_success() -> None:
    """Quirk 38: `[]` with status 200 says that there is nothing, and fails nothing."""
    want = first_of(asking_cftc.wants(poll_of(registry(), "cftc")))
    assert want.judge(said([])) == "empty"


@pytest.mark.parametrize(
    "name",
    ["deacot2025.zip", "fut_disagg_txt_2025.zip", "rindata_june2026.csv", "RWTCd.xls"],
)
def test_quirk_40_a_page_under_the_name_of_a_file_is_refused(
    drop: Drop, name: str
) -> None:
    """Quirk 40: the CFTC and the EPA answer with a page: its first bytes tell it."""
    page = b"<!DOCTYPE html><html><body>We will be right back</body></html>\n"
    assert form_of(page) == "page"
    receipt = drop(page, name)
    assert receipt.end == "quarantine"
    assert "a web page" in (receipt.reason or "")


def test_a_lapse_of_kinds_is_seen_by_the_door(
    drop: Drop, rows: Callable[[str], pl.DataFrame]
) -> None:
    """Two sources with one header: the name tells which, and nothing lands in both."""
    assert drop(year_file({}), "annual.txt").source == "cftc"
    assert drop(year_file({}), "annualof.txt").source == "cftc_legacy_combined"
    assert rows("raw.cftc").height == rows("raw.cftc_legacy_combined").height == 1
    waits = drop(bare() + bare(kind="Combined"), "f_disagg.txt")
    assert waits.end == "quarantine"
    assert "hand it in as what it is" in (waits.reason or "")
