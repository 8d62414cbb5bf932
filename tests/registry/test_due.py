"""Due times hold against an oracle that walks every day, and on the days clocks change.

The oracle shares no line with the product: it goes from day to day, and looks at a wall
clock every five minutes. No test asks what time it is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cbi_stream.registry.due import due_after, due_before, missed
from cbi_stream.registry.fetching import Schedule
from cbi_stream.registry.releases import Closures
from cbi_stream.words.errors import BadRegistry

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Sao_Paulo",
    "Asia/Kuala_Lumpur",
    "Europe/London",
)
NONE = Closures(lists={})
MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)
FIRST, LAST = date(2016, 1, 1), date(2020, 12, 31)


def _is_open(day: date, closed: set[date], works: tuple[str, ...] = ()) -> bool:
    name = DAYS[day.weekday()]
    return day not in closed and (name in DAYS[:5] or name in works)


def _is_named(schedule: Schedule, day: date, closed: set[date]) -> bool:
    """Say whether the schedule names a day, by going through its month."""
    if schedule.months and day.month not in schedule.months:
        return False
    if schedule.cadence != "monthly":
        return DAYS[day.weekday()] in (schedule.days or DAYS[:5])
    month = [date(day.year, day.month, 1)]
    while (month[-1] + DAY).month == day.month:
        month.append(month[-1] + DAY)
    if schedule.day_of_month is not None:
        first = min(schedule.day_of_month, month[-1].day)
        through = schedule.through or first
        later = first < day.day <= through and _is_open(day, closed)
        return day.day == first or later
    counted = [
        d
        for d in month
        if (DAYS[d.weekday()] in schedule.days)
        or (not schedule.days and _is_open(d, closed))
    ]
    if day not in counted:
        return False
    nth = schedule.weekday_of_month
    assert nth is not None
    if nth < 0:
        return counted.index(day) - len(counted) == nth
    return nth <= counted.index(day) + 1 <= (schedule.through or nth)


def _walked(schedule: Schedule, day: date, closed: set[date]) -> date:
    if schedule.weekdays_after:
        left = schedule.weekdays_after
        while left:
            day += DAY
            left -= _is_open(day, closed)
        return day
    works = schedule.days if schedule.cadence != "monthly" else ()
    while not _is_open(day, closed, works):
        day += DAY
    return day


def _seen_on_the_wall(day: date, at: time, zone: str) -> datetime:
    """Return the first instant at which a clock in `zone` shows that day and hour."""
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while True:
        local = instant.astimezone(ZoneInfo(zone))
        if (local.date(), local.time()) == (day, at):
            return instant
        assert local.date() <= day
        instant += timedelta(minutes=5)


def _oracle(
    schedule: Schedule, closed: set[date], first: date, last: date
) -> list[datetime]:
    planned: dict[date, bool] = {}
    day = first - 60 * DAY
    while day <= last:
        if _is_named(schedule, day, closed):
            due = _walked(schedule, day, closed)
            on_time = due == _walked(schedule, day, set())
            planned[due] = planned.get(due, False) or on_time
        day += DAY
    moved = schedule.at_when_moved or schedule.at
    return [
        _seen_on_the_wall(due, schedule.at if on_time else moved, schedule.zone)
        for due, on_time in sorted(planned.items())
        if first <= due <= last
    ]


_hours = st.builds(time, st.integers(3, 23), st.integers(0, 11).map(lambda n: 5 * n))
_days = st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True)
_runs = st.tuples(st.dates(FIRST, LAST), st.integers(1, 9))


@st.composite
def _schedules(draw: st.DrawFn) -> Schedule:
    plain: dict[str, object] = {
        "zone": draw(st.sampled_from(ZONES)),
        "at": draw(_hours),
        "at_when_moved": draw(st.none() | _hours),
        "closed": draw(st.sampled_from([None, "holidays"])),
        "weekdays_after": draw(st.integers(0, 6)),
        "months": draw(st.lists(st.integers(1, 12), max_size=3, unique=True)),
        "cadence": draw(st.sampled_from(["daily", "weekly", "monthly"])),
    }
    if plain["cadence"] == "weekly":
        plain["days"] = draw(_days)
    elif plain["cadence"] == "daily":
        plain["days"] = draw(st.just([]) | _days)
    elif draw(st.booleans()):
        first = plain["day_of_month"] = draw(st.integers(1, 31))
        if first < 31:
            plain["through"] = draw(st.none() | st.integers(first + 1, 31))
    elif draw(st.booleans()):
        plain["days"] = draw(_days.map(lambda days: days[:1]))
        plain["weekday_of_month"] = draw(st.sampled_from([1, 2, 3, 4, -1, -2, -4]))
    else:
        first = plain["weekday_of_month"] = draw(st.sampled_from([1, 2, 5, 15, -1, -7]))
        if 0 < first < 15:
            plain["through"] = draw(st.none() | st.integers(first + 1, 15))
    return Schedule.model_validate(plain)


@st.composite
def _calendars(draw: st.DrawFn) -> Closures:
    """Single holidays, and stretches as of a closed government."""
    days: set[date] = set()
    for start, length in draw(st.lists(_runs, max_size=6)):
        days |= {start + n * DAY for n in range(length)}
    near = draw(st.lists(st.dates(date(2018, 1, 1), date(2018, 6, 30)), max_size=20))
    return Closures(lists={"holidays": tuple(sorted(days | set(near)))})


_instants = st.integers(0, 180 * 24 * 60).map(
    lambda minutes: datetime(2018, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(_schedules(), _calendars(), st.dates(date(2017, 9, 1), date(2019, 3, 1)))
def test_due_times_are_those_of_the_oracle(
    schedule: Schedule, closures: Closures, first: date
) -> None:
    """Every due time of ten weeks is found, and no other, forwards and backwards."""
    closed = set(closures.lists["holidays"]) if schedule.closed else set()
    last = first + timedelta(days=70)
    expected = _oracle(schedule, closed, first, last)
    start = datetime.combine(first, time(), tzinfo=ZoneInfo(schedule.zone))
    end = datetime.combine(last + DAY, time(), tzinfo=ZoneInfo(schedule.zone))
    forwards, due = [], due_after(schedule, closures, start - MOMENT)
    while due < end and len(forwards) <= len(expected):
        forwards.append(due)
        due = due_after(schedule, closures, due)
    assert forwards == expected
    backwards: list[datetime] = []
    before = due_before(schedule, closures, end - MOMENT)
    while before and before >= start and len(backwards) <= len(expected):
        backwards.append(before)
        before = due_before(schedule, closures, before - MOMENT)
    assert backwards == expected[::-1]


@given(_schedules(), _calendars(), _instants, _instants)
def test_before_and_after_fit_together(
    schedule: Schedule, closures: Closures, one: datetime, other: datetime
) -> None:
    """After is strictly after, before is not after, and nothing lies between them."""
    after = due_after(schedule, closures, one)
    before = due_before(schedule, closures, one)
    assert before is not None
    assert before <= one < after
    assert (before.utcoffset(), after.utcoffset()) == (timedelta(), timedelta())
    assert due_before(schedule, closures, after) == after
    assert due_before(schedule, closures, after - MOMENT) == before
    assert due_after(schedule, closures, before) == after
    assert due_after(schedule, closures, before - MOMENT) == before
    if other >= one:
        assert due_after(schedule, closures, other) >= after


@given(_schedules(), _calendars(), _instants)
def test_it_is_never_due_on_a_closed_day(
    schedule: Schedule, closures: Closures, instant: datetime
) -> None:
    """Neither on a day of the list, nor on a weekend that the schedule does not name."""
    closed = set(closures.lists["holidays"]) if schedule.closed else set()
    for _ in range(10):
        instant = due_after(schedule, closures, instant)
        local = instant.astimezone(ZoneInfo(schedule.zone))
        assert local.date() not in closed
        named = schedule.cadence != "monthly" and not schedule.weekdays_after
        works = schedule.days if named else ()
        assert _is_open(local.date(), closed, works)
        assert local.time() in {schedule.at, schedule.at_when_moved}


def _found(schedule: Schedule, first: date, last: date) -> list[str]:
    """Return the due times of some days as the publisher's clocks show them."""
    zone = ZoneInfo(schedule.zone)
    instant = datetime.combine(first, time(), tzinfo=zone) - MOMENT
    found = []
    while (instant := due_after(schedule, NONE, instant)).astimezone(
        zone
    ).date() <= last:
        found.append(f"{instant:%m-%d %H:%M}Z")
    return found


@pytest.mark.parametrize(
    ("zone", "first", "expected"),
    [
        # Spring in the United States: the hour comes an hour earlier in UTC.
        ("America/New_York", date(2024, 3, 8), ["03-08 15:30Z", "03-11 14:30Z"]),
        ("America/Chicago", date(2024, 3, 8), ["03-08 16:30Z", "03-11 15:30Z"]),
        # Autumn: an hour later.
        ("America/New_York", date(2024, 11, 1), ["11-01 14:30Z", "11-04 15:30Z"]),
        ("America/Chicago", date(2024, 11, 1), ["11-01 15:30Z", "11-04 16:30Z"]),
        # Brazil had summer time until 2019, and has none since.
        ("America/Sao_Paulo", date(2018, 11, 2), ["11-02 13:30Z", "11-05 12:30Z"]),
        ("America/Sao_Paulo", date(2019, 2, 15), ["02-15 12:30Z", "02-18 13:30Z"]),
        ("America/Sao_Paulo", date(2024, 11, 1), ["11-01 13:30Z", "11-04 13:30Z"]),
        ("Asia/Kuala_Lumpur", date(2024, 3, 8), ["03-08 02:30Z", "03-11 02:30Z"]),
    ],
)
def test_summer_time_keeps_the_publishers_hour(
    zone: str, first: date, expected: list[str]
) -> None:
    """10:30 stays 10:30 on both sides of the night in which the clocks change."""
    daily = Schedule(cadence="daily", at=time(10, 30), zone=zone)
    assert _found(daily, first, first + timedelta(days=3)) == expected


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        ("America/New_York", date(2024, 3, 10), time(0, 30), ["03-10 05:30Z"]),
        ("America/New_York", date(2024, 3, 10), time(3, 0), ["03-10 07:00Z"]),
        ("America/New_York", date(2024, 11, 3), time(0, 30), ["11-03 04:30Z"]),
        ("America/New_York", date(2024, 11, 3), time(3, 0), ["11-03 08:00Z"]),
        # This half hour was skipped in Brazil, and came twice in the autumn.
        ("America/Sao_Paulo", date(2018, 11, 4), time(0, 30), ["11-04 03:30Z"]),
        ("America/Sao_Paulo", date(2019, 2, 16), time(23, 30), ["02-17 01:30Z"]),
    ],
)
def test_on_the_day_of_the_change_it_is_due_once(
    zone: str, day: date, at: time, expected: list[str]
) -> None:
    """Also at an hour that the day does not have, or has twice: then at the first one."""
    every_day = Schedule(cadence="daily", days=DAYS, at=at, zone=zone)
    assert _found(every_day, day, day) == expected


def test_the_minutes_around_a_change_hold_one_due_time() -> None:
    """Minute by minute through two nights of change: before and after agree with a list."""
    for day in (date(2024, 3, 10), date(2024, 11, 3)):
        daily = Schedule(cadence="daily", days=DAYS, at=time(0, 30), zone=ZONES[0])
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        minutes = [begins + timedelta(minutes=n) for n in range(30 * 60)]
        zone = ZoneInfo(ZONES[0])
        due = [m for m in minutes if m.astimezone(zone).time() == time(0, 30)]
        assert len(due) == 2
        for minute in minutes[5 * 60 : 28 * 60]:
            i, j = bisect_right(due, minute), bisect_left(due, minute)
            if i < len(due):
                assert due_after(daily, NONE, minute) == due[i]
            if minute in due or j > 0:
                assert due_before(daily, NONE, minute) == due[i - 1]


def test_a_day_that_is_due_anyway_keeps_its_hour() -> None:
    """Where a holiday moves a poll onto the next due day, there is one, at its own hour."""
    closures = Closures(lists={"holidays": (date(2024, 1, 3), date(2024, 1, 5))})
    entry = {
        "at": "10:00",
        "at_when_moved": "11:00",
        "zone": "UTC",
        "closed": "holidays",
    }
    daily = Schedule.model_validate({"cadence": "daily", **entry})
    twice = {"cadence": "weekly", "days": ["tue", "fri"], **entry}
    expected = {daily: [2, 4, 8, 9], Schedule.model_validate(twice): [2, 8, 9, 12]}
    for schedule, days in expected.items():
        instant = datetime(2024, 1, 2, tzinfo=UTC)
        for day in days:
            instant = due_after(schedule, closures, instant)
            moved = day == 8 and schedule is not daily
            assert instant == datetime(2024, 1, day, 11 if moved else 10, tzinfo=UTC)


def test_the_31st_of_a_short_month_is_its_last_day() -> None:
    """Every month is asked once, also February of a leap year; a Sunday moves."""
    month_end = Schedule(
        cadence="monthly", day_of_month=31, at=time(12), zone="America/New_York"
    )
    found = _found(month_end, date(2024, 1, 1), date(2024, 7, 10))
    days = [each.split()[0] for each in found]
    # The last days of December, March and June were Sundays: the Monday after.
    assert days == ["01-01", "01-31", "02-29", "04-01", "04-30", "05-31", "07-01"]


def test_a_month_beyond_the_years_end_and_one_long_ago() -> None:
    """A release of one month a year is found from any month."""
    yearly = Schedule(
        cadence="monthly", day_of_month=12, months=(1,), at=time(12), zone=ZONES[0]
    )
    noon = datetime(2024, 1, 12, 17, tzinfo=UTC)
    assert due_after(yearly, NONE, noon - MOMENT) == noon
    assert due_after(yearly, NONE, noon) == datetime(2025, 1, 13, 17, tzinfo=UTC)
    assert due_before(yearly, NONE, datetime(2024, 12, 31, tzinfo=UTC)) == noon


def test_a_publisher_that_never_opens_is_refused() -> None:
    """It says which list closes it, instead of searching for ever."""
    all_days = tuple(date(2019, 1, 1) + n * DAY for n in range(3000))
    closures = Closures(lists={"gone": all_days})
    daily = Schedule(cadence="daily", at=time(12), zone=ZONES[0], closed="gone")
    with pytest.raises(
        BadRegistry, match="found none for daily with the closures gone"
    ):
        due_after(daily, closures, datetime(2020, 1, 1, tzinfo=UTC))


def test_an_instant_without_a_zone_is_refused() -> None:
    """It would be read by the clock of whatever machine asks."""
    daily = Schedule(cadence="daily", at=time(12), zone=ZONES[0])
    with pytest.raises(ValueError, match="with its time zone; found 2024"):
        due_after(daily, NONE, datetime(2024, 1, 1))  # noqa: DTZ001 - that is the fault


def test_a_due_time_without_an_answer_is_missed() -> None:
    """An answer counts from the due time on, and not if it lies in the future."""
    daily = Schedule(cadence="daily", at=time(12), zone="UTC")
    now = datetime(2024, 1, 3, 18, tzinfo=UTC)
    due = datetime(2024, 1, 3, 12, tzinfo=UTC)
    for answered_at, expected in (
        (None, due),
        (due - MOMENT, due),
        (due, None),
        (now, None),
        (now + DAY, due),
    ):
        assert missed(daily, NONE, now, answered_at=answered_at) == expected


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"cadence": "weekly"}, "names its days"),
        ({"cadence": "monthly"}, "goes with monthly"),
        ({"cadence": "daily", "day_of_month": 3}, "goes with monthly"),
        ({"cadence": "daily", "at": "02:30"}, "summer time may skip"),
        ({"cadence": "daily", "at_when_moved": "01:00"}, "summer time may skip"),
        ({"cadence": "daily", "at": "12:00Z"}, "an hour without a zone"),
        ({"cadence": "daily", "through": 5}, "`through` goes with"),
        ({"cadence": "monthly", "day_of_month": 8, "through": 8}, "`through` goes"),
        ({"cadence": "monthly", "day_of_month": 8, "days": ["mon"]}, "one day at most"),
        (
            {"cadence": "monthly", "weekday_of_month": 1, "days": ["mon", "tue"]},
            "one day at most",
        ),
        (
            {"cadence": "monthly", "weekday_of_month": 5, "days": ["mon"]},
            "expected 1 to 4, or -1 to -4",
        ),
        ({"cadence": "monthly", "weekday_of_month": 0}, "expected 1 to 15"),
        ({"cadence": "monthly", "weekday_of_month": 16}, "expected 1 to 15"),
        (
            {"cadence": "monthly", "weekday_of_month": 2, "through": 16},
            "expected 1 to 15",
        ),
        (
            {"cadence": "monthly", "weekday_of_month": -1, "through": 3},
            "`through` goes",
        ),
    ],
)
def test_a_schedule_that_means_nothing_is_refused(
    entry: dict[str, object], said: str
) -> None:
    """Each is named with what was expected."""
    with pytest.raises(ValidationError, match=said):
        Schedule.model_validate({"at": "12:00", "zone": "UTC", **entry})
