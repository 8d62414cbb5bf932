"""The calendars of the true publishers, each as one entry of a schedule.

The dates were written down by hand from the publishers' rules; nothing here is computed
by the code that it judges.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from cbi_stream.registry import loader
from cbi_stream.registry.due import due_after, due_before
from cbi_stream.registry.fetching import Schedule
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.model import read
from cbi_stream.registry.sources import DataSources
from cbi_stream.words.errors import BadRegistry

NEW_YORK = "zone: America/New_York, closed: us_federal"
ENTRIES = {
    "cftc": f'cadence: weekly, days: [tue], weekdays_after: 3, at: "15:30", {NEW_YORK}',
    "wpsr": (
        "cadence: weekly, days: [sun], weekdays_after: 3, "
        f'at: "10:30", at_when_moved: "11:00", {NEW_YORK}'
    ),
    "crush": f'cadence: monthly, day_of_month: 1, at: "15:00", {NEW_YORK}',
    "progress": (
        "cadence: weekly, days: [mon], months: [4, 5, 6, 7, 8, 9, 10, 11], "
        f'at: "16:00", {NEW_YORK}'
    ),
    "wasde": f'cadence: monthly, day_of_month: 8, through: 12, at: "12:00", {NEW_YORK}',
    "export_sales": (
        f'cadence: weekly, days: [sun], weekdays_after: 4, at: "08:30", {NEW_YORK}'
    ),
    "mpob": 'cadence: monthly, day_of_month: 10, at: "12:30", zone: Asia/Kuala_Lumpur',
    "pink_sheet": (
        f'cadence: monthly, weekday_of_month: 2, through: 5, at: "14:00", {NEW_YORK}'
    ),
    "steo": (
        "cadence: monthly, days: [thu], weekday_of_month: 1, weekdays_after: 3, "
        f'at: "12:00", {NEW_YORK}'
    ),
    "psm": f'cadence: monthly, weekday_of_month: -1, at: "12:00", {NEW_YORK}',
    "lcfs_month": (
        "cadence: monthly, days: [tue], weekday_of_month: 2, "
        'at: "12:00", zone: America/Los_Angeles'
    ),
    "federal_register": f'cadence: daily, at: "08:45", {NEW_YORK}',
    "bcb": 'cadence: daily, at: "13:30", zone: America/Sao_Paulo',
    "fred": 'cadence: daily, at: "16:30", zone: America/Chicago',
    "weather": (
        "cadence: daily, days: [mon, tue, wed, thu, fri, sat, sun], "
        'at: "06:00", zone: UTC'
    ),
}
CALENDARS = [
    # Friday, after a week without a holiday; Thanksgiving, Juneteenth and the Fourth of
    # July between Tuesday and Friday put it off to Monday. A Monday's holiday does not.
    ("cftc", "2024-10-01", "Fri 10-04 15:30, Fri 10-11 15:30, Fri 10-18 15:30"),
    ("cftc", "2024-11-18", "Fri 11-22 15:30, Mon 12-02 15:30, Fri 12-06 15:30"),
    ("cftc", "2024-06-17", "Mon 06-24 15:30, Fri 06-28 15:30, Mon 07-08 15:30"),
    ("cftc", "2024-05-26", "Fri 05-31 15:30"),
    # A holiday on the Friday itself.
    ("cftc", "2026-06-15", "Mon 06-22 15:30, Fri 06-26 15:30"),
    ("wpsr", "2024-05-13", "Wed 05-15 10:30, Wed 05-22 10:30, Thu 05-30 11:00"),
    # Christmas Eve was given free: two days later.
    ("wpsr", "2024-12-16", "Wed 12-18 10:30, Fri 12-27 11:00, Thu 01-02 11:00"),
    ("crush", "2024-08-15", "Tue 09-03 15:00, Tue 10-01 15:00, Fri 11-01 15:00"),
    ("crush", "2024-12-15", "Thu 01-02 15:00, Mon 02-03 15:00, Mon 03-03 15:00"),
    # Memorial Day; nothing between the end of November and April.
    ("progress", "2024-05-20", "Mon 05-20 16:00, Tue 05-28 16:00, Mon 06-03 16:00"),
    ("progress", "2024-11-18", "Mon 11-18 16:00, Mon 11-25 16:00, Mon 04-07 16:00"),
    (
        "wasde",
        "2024-09-01",
        "Mon 09-09 12:00, Tue 09-10 12:00, Wed 09-11 12:00, Thu 09-12 12:00, "
        "Tue 10-08 12:00",
    ),
    ("wasde", "2024-11-01", "Fri 11-08 12:00, Tue 11-12 12:00, Mon 12-09 12:00"),
    ("export_sales", "2024-05-20", "Thu 05-23 08:30, Fri 05-31 08:30, Thu 06-06 08:30"),
    # The holiday is the Thursday itself.
    ("export_sales", "2024-07-01", "Fri 07-05 08:30, Thu 07-11 08:30"),
    ("mpob", "2024-10-01", "Thu 10-10 12:30, Mon 11-11 12:30, Tue 12-10 12:30"),
    (
        "pink_sheet",
        "2024-09-01",
        # Labor Day is no business day, and the first one is Tuesday.
        "Wed 09-04 14:00, Thu 09-05 14:00, Fri 09-06 14:00, Mon 09-09 14:00, "
        "Wed 10-02 14:00",
    ),
    # Veterans Day lies between the first Thursday and the Tuesday after it.
    ("steo", "2024-09-01", "Tue 09-10 12:00, Tue 10-08 12:00, Wed 11-13 12:00"),
    ("psm", "2024-05-01", "Fri 05-31 12:00, Fri 06-28 12:00, Wed 07-31 12:00"),
    ("lcfs_month", "2024-09-01", "Tue 09-10 12:00, Tue 10-08 12:00, Tue 11-12 12:00"),
    (
        "federal_register",
        "2024-11-27",
        "Wed 11-27 08:45, Fri 11-29 08:45, Mon 12-02 08:45",
    ),
    ("bcb", "2024-11-01", "Fri 11-01 13:30, Mon 11-04 13:30"),
    ("fred", "2024-11-01", "Fri 11-01 16:30, Mon 11-04 16:30"),
    ("weather", "2024-11-01", "Fri 11-01 06:00, Sat 11-02 06:00, Sun 11-03 06:00"),
]


@pytest.mark.parametrize(("source", "first", "days"), CALENDARS)
def test_a_publishers_calendar_is_one_entry(
    registry: Registry, source: str, first: str, days: str
) -> None:
    """The due times from a day on are those of the publisher, by its own clock."""
    plain = yaml.safe_load("{" + ENTRIES[source] + "}")
    schedule = Schedule.model_validate(plain)
    zone = ZoneInfo(schedule.zone)
    instant = datetime.fromisoformat(first).replace(tzinfo=zone) - timedelta(seconds=1)
    for expected in days.split(", "):
        instant = due_after(schedule, registry.closures, instant)
        assert f"{instant.astimezone(zone):%a %m-%d %H:%M}" == expected
        assert due_before(schedule, registry.closures, instant) == instant


def test_every_entry_is_tried() -> None:
    """No calendar above stands there without a date that it must meet."""
    assert {source for source, *_ in CALENDARS} == set(ENTRIES)


def test_an_unknown_list_of_closures_is_refused(copied: Path) -> None:
    """A schedule that names a list which is not there is found at load, with its line."""
    path = copied / "data_sources.yaml"
    text = path.read_text(encoding="utf-8")
    schedule = "{cadence: weekly, days: [tue], weekdays_after: 3"
    start = text.index(schedule)
    planted = text[start:].replace("closed: us_federal", "closed: nobody", 1)
    path.write_text(text[:start] + planted, encoding="utf-8")
    read(path, DataSources)
    with pytest.raises(BadRegistry, match=r"cftc: closures\.yaml has no list nobody"):
        loader.load(copied)
