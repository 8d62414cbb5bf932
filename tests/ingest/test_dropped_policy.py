"""Events, rates and desk numbers as a person writes them. No zone is ever guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from cbi_stream import BadInput
from handlers.ingest.cited import desk, named, policy_rates
from handlers.ingest.stated_times import instant_in
from handlers.ingest.tariff_events import list_of_days, tariff_events

EVENTS = (
    "event,announced_at,effective_on,kind,jurisdiction,counterparty,product,"
    "rate_percent,summary,citation"
)
RATES = "series,effective_date,value,unit,announced_at,citation"
DESK = "series,date,value,unit,published_at,citation"
LINE = (
    "cn-34,2025-04-04T18:00+08:00,2025-04-10,retaliation,china,us,all goods,34,"
    '"34 percent, on top","Tariff Commission 2025 No. 4"'
)


def _file(*lines: str) -> bytes:
    return "\n".join([*lines, ""]).encode()


def test_an_event_is_dated_by_the_day_it_was_announced_in_new_york() -> None:
    """Its cells stay as written, commas in quotes too; the stamp is an instant."""
    (row,) = tariff_events.parse(_file(EVENTS, LINE), None).rows(named=True)
    assert row["date"] == date(2025, 4, 4)
    assert row["stamp"] == datetime(2025, 4, 4, 10, tzinfo=UTC)
    assert (row["event"], row["topic"], row["kind"]) == (
        "cn-34",
        "retaliation",
        "retaliation",
    )
    assert row["effective_on"] == "2025-04-10"
    assert row["summary"] == "34 percent, on top"
    assert row["line"] == 2
    early = LINE.replace("T18:00+08:00", "T09:00+08:00")
    (row,) = tariff_events.parse(_file(EVENTS, early), None).rows(named=True)
    assert row["date"] == date(2025, 4, 3)


@pytest.mark.parametrize(
    ("old", "become", "problem"),
    [
        ("2025-04-04T18:00+08:00", "2025-04-04", "date: announced_at: expected a time"),
        ("2025-04-04T18:00+08:00", "2025-04-04T18:00", "with its zone"),
        ("cn-34", "", "expected the event"),
        ("retaliation", "", "expected the kind"),
        (",34,", ",34,,", "expected 10 cells; found 11"),
        ('"34 percent', '"34" percent', "cells: expected closed quotes"),
    ],
)
def test_a_line_without_what_it_needs_says_so(
    old: str, become: str, problem: str
) -> None:
    """The good line beside it stays, and gives the bad one its date."""
    data = _file(EVENTS, LINE, LINE.replace(old, become))
    good, bad = tariff_events.parse(data, None).rows(named=True)
    assert good["problem"] is None
    assert problem in bad["problem"]
    assert bad["date"] == date(2025, 4, 4)
    assert bad["stamp"] is None


def test_columns_in_another_order_are_read_right() -> None:
    """A missing or renamed one refuses the file, and names what was found."""
    names = EVENTS.split(",")
    turned = ",".join(reversed(names))
    cells = ["cn-34", "2025-04-04T18:00+08:00", *["x"] * 7, "y"]
    data = _file(turned, ",".join(reversed(cells)))
    assert tariff_events.recognises(turned)
    assert tariff_events.parse(data, None)["citation"].to_list() == ["y"]
    for drifted in (EVENTS.replace("kind", "type"), EVENTS.removesuffix(",citation")):
        assert not tariff_events.recognises(drifted)
        with pytest.raises(BadInput, match="expected the header event,"):
            tariff_events.parse(_file(drifted, LINE), None)


def test_a_list_of_days_is_refused_with_the_way_to_move_it_over() -> None:
    """A day does not say whether an act was announced then or held from then on."""
    header = "Date,Event_Type,Country/Region,Product(s),Tariff_Rate,Description"
    assert list_of_days.recognises(f"{header},Removal_Date,Notes")
    assert not list_of_days.recognises(header)
    with pytest.raises(BadInput, match=r"move it over line by line.*event,announced"):
        list_of_days.parse(_file(header), None)


def test_a_rate_is_dated_by_when_it_holds_and_stamped_by_when_it_was_said() -> None:
    """The unit is a part of the name, and is not doubled where it stands there."""
    data = _file(
        RATES,
        "indonesia.biodiesel_blend,2025-01-01,40,percent,2024-12-31T17:00+07:00,ESDM",
        "us.rfs_bbd_volume,2026-01-01,5.61,billion RINs,2025-06-13T10:00-04:00,EPA",
        "us.rfs_bbd_volume,2025-01-01,3.35,billion gallons,2023-06-21T11:00-04:00,EPA",
    )
    rows = policy_rates.parse(data, None)
    assert rows["series"].to_list() == [
        "indonesia.biodiesel_blend_percent",
        "us.rfs_bbd_volume_billion_rins",
        "us.rfs_bbd_volume_billion_gallons",
    ]
    assert rows["date"][0] == date(2025, 1, 1)
    assert rows["stamp"][0] == datetime(2024, 12, 31, 10, tzinfo=UTC)
    assert named("China.Tariff_percent", "Percent") == "china.tariff_percent"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("x,2025-01-01,1,t,2025-01-09T00:00Z,", "text: expected citation; found noth"),
        ("x,2025-01-01,1,,2025-01-09T00:00Z,c", "text: expected unit"),
        ("x,1/1/2025,1,t,2025-01-09T00:00Z,c", "date: date: expected a day like 2024"),
        ("x,2025-01-01,1,t,2025-01-09,c", "date: published_at: expected a time with"),
    ],
)
def test_a_number_without_unit_hour_or_citation_is_unreadable(
    line: str, problem: str
) -> None:
    """A desk number stands for itself only where somebody can look it up."""
    good = "fob_soybean_oil_brazil,2025-01-02,900.5,usd per tonne,2025-01-03T18:00Z,b"
    rows = desk.parse(_file(DESK, good, line), None).rows(named=True)
    assert rows[0]["series"] == "fob_soybean_oil_brazil_usd_per_tonne"
    assert rows[0]["value"] == "900.5"
    assert problem in rows[1]["problem"]
    assert rows[1]["series"] == "", "a line that names no series is never unused"


def test_the_two_layouts_are_not_taken_for_each_other() -> None:
    """Their headers share four names."""
    assert desk.recognises(DESK)
    assert not desk.recognises(RATES)
    assert policy_rates.recognises(RATES)
    assert not policy_rates.recognises(DESK)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2025-01-09T00:00Z", datetime(2025, 1, 9, tzinfo=UTC)),
        ("2025-01-09 08:00+08:00", datetime(2025, 1, 9, tzinfo=UTC)),
        ("2025-01-09", None),
        ("2025-01-09T08:00", None),
        ("noon", None),
        ("", None),
    ],
)
def test_an_instant_has_an_hour_and_a_zone(text: str, said: datetime | None) -> None:
    """A day alone is no instant."""
    assert instant_in(text) == said


def test_a_file_without_lines_holds_nothing() -> None:
    """A header alone is a frame of the right columns."""
    rows = desk.parse(_file(DESK), None)
    assert rows.height == 0
    assert rows.schema["date"] == pl.Date
