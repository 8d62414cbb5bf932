"""The agenda asks after each due time, tries again, and makes no storm when clocks jump.

Time stands in a list here; nothing waits and no thread runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cbi_stream.doors.agenda import Agenda
from cbi_stream.registry.due import due_before
from cbi_stream.registry.fetching import Schedule
from cbi_stream.registry.releases import Closures

NONE = Closures(lists={})
DAILY = Schedule(cadence="daily", at=time(12), zone="UTC")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2024, 1, 8, 12, tzinfo=UTC)
LADDER = [timedelta(minutes=each) for each in (15, 60, 240)]


@dataclass(frozen=True)
class _Past:
    last_success: datetime | None = None
    last_asked: datetime | None = None


def _agenda(now: datetime, past: _Past = _Past(MONDAY, MONDAY)) -> Agenda:
    return Agenda({"fred": DAILY}, NONE, past={"fred": past}, now=now)


def _run(agenda: Agenda, now: datetime, *, brought: bool) -> str:
    """Ask at once, and return why."""
    why, _ = agenda.begin("fred", now)
    assert agenda.next_at("fred", now) > now
    agenda.end("fred", now + MINUTE, brought=brought)
    return why


def test_after_a_success_it_waits_for_the_next_release() -> None:
    """What brought something new is not asked again."""
    agenda = _agenda(MONDAY + HOUR)
    assert agenda.next_at("fred", MONDAY + HOUR) == MONDAY + DAY
    assert _run(agenda, MONDAY + DAY, brought=True) == "due"
    assert agenda.next_at("fred", MONDAY + DAY + HOUR) == MONDAY + 2 * DAY


def test_what_was_in_vain_is_tried_three_times_more() -> None:
    """After 15, 60 and 240 minutes, then at the next due time; there it begins anew."""
    agenda = _agenda(MONDAY)
    for start in (MONDAY + DAY, MONDAY + 2 * DAY):
        now, whys = start, [_run(agenda, start, brought=False)]
        for wait in LADDER:
            assert agenda.next_at("fred", now + MINUTE) == now + MINUTE + wait
            now += MINUTE + wait
            whys.append(_run(agenda, now, brought=False))
        assert whys == ["due", "again", "again", "again"]
        assert agenda.next_at("fred", now + MINUTE) == start + DAY


def test_a_try_that_brings_something_ends_the_ladder() -> None:
    """The file came an hour late: there is no need to look again."""
    agenda = _agenda(MONDAY)
    _run(agenda, MONDAY + DAY, brought=False)
    _run(agenda, MONDAY + DAY + HOUR, brought=True)
    assert agenda.next_at("fred", MONDAY + DAY + 2 * HOUR) == MONDAY + 2 * DAY


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        # Never asked, or asked before the newest release: once, now.
        (_Past(), timedelta()),
        (_Past(MONDAY - DAY, MONDAY - DAY), timedelta()),
        (_Past(MONDAY - 365 * DAY, MONDAY - 365 * DAY), timedelta()),
        # Answered since then: at the next release.
        (_Past(MONDAY, MONDAY), 21 * HOUR),
        (_Past(MONDAY + HOUR, MONDAY + 2 * HOUR), 21 * HOUR),
        # It failed a minute ago: a process that dies at each start makes no storm.
        (_Past(MONDAY - DAY, MONDAY + 3 * HOUR - MINUTE), 14 * MINUTE),
        (_Past(MONDAY - DAY, MONDAY + 2 * HOUR), timedelta()),
        # What a clock wrote that ran ahead says nothing.
        (_Past(MONDAY + 365 * DAY, MONDAY + 365 * DAY), timedelta()),
    ],
)
def test_at_a_start_what_was_missed_is_asked_once(
    past: _Past, expected: timedelta
) -> None:
    """However many times were missed, and not where an answer came since."""
    now = MONDAY + 3 * HOUR
    agenda = _agenda(now, past)
    assert agenda.next_at("fred", now) - now == expected
    if not expected:
        assert _run(agenda, now, brought=True) == "late"
        assert agenda.next_at("fred", now + HOUR) == MONDAY + DAY


def test_a_run_that_lasts_beyond_its_next_time_is_followed_by_one() -> None:
    """While it runs nothing else begins; what became due meanwhile comes after it."""
    agenda = _agenda(MONDAY)
    agenda.begin("fred", MONDAY + DAY)
    late = MONDAY + 3 * DAY + HOUR
    assert agenda.next_at("fred", late) == MONDAY + 4 * DAY
    agenda.end("fred", late, brought=True)
    assert agenda.next_at("fred", late) == late
    assert _run(agenda, late, brought=True) == "late"
    assert agenda.next_at("fred", late) == MONDAY + 4 * DAY


def test_a_timer_that_rings_too_early_does_not_ring_twice() -> None:
    """Some milliseconds before the hour it is asked for that hour."""
    agenda = _agenda(MONDAY)
    early = MONDAY + DAY - timedelta(milliseconds=20)
    assert agenda.begin("fred", early) == ("due", MONDAY + DAY)
    agenda.end("fred", early, brought=True)
    assert agenda.next_at("fred", early) == MONDAY + 2 * DAY


def _walk(agenda: Agenda, now: datetime, until: datetime) -> list[datetime]:
    """Let the time run, and return when the source was asked; each brought something."""
    runs = []
    while (at := agenda.next_at("fred", now)) <= until:
        _run(agenda, at, brought=True)
        runs.append(at)
        now = at + MINUTE
        assert len(runs) < 50, "a storm"
    return runs


JUMPS = [HOUR, 5 * HOUR, DAY, 30 * DAY, 365 * DAY]


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_ahead_asks_once(jump: timedelta) -> None:
    """A laptop that slept, or a clock that was set: one run, if any was missed."""
    agenda = _agenda(MONDAY)
    before = MONDAY + 22 * HOUR
    now = before + jump
    missed = due_before(DAILY, NONE, now) != MONDAY
    assert _walk(agenda, now, now) == ([now] if missed else [])
    first = agenda.next_at("fred", now + MINUTE)
    assert first > now + MINUTE
    assert first - now < 3.1 * DAY


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_back_is_not_silent_until_it_has_caught_up(
    jump: timedelta,
) -> None:
    """Nothing is asked at once; the next release, by the clock that is right, is."""
    agenda = _agenda(MONDAY)
    assert _run(agenda, MONDAY + DAY, brought=False) == "due"
    now = MONDAY + DAY + 5 * MINUTE - jump
    at = agenda.next_at("fred", now)
    # The try after what was in vain, as long after the jump as it was to be.
    assert at - now == LADDER[0]
    runs = _walk(agenda, now, now + 10 * DAY)
    due = [each for each in runs if each.time() == time(12)]
    days = [now + n * DAY for n in range(11)]
    dues = {due_before(DAILY, NONE, day) for day in days} - {None}
    assert due == sorted(each for each in dues if each and each > now)
    assert len(runs) - len(due) <= 1


def test_a_clock_that_is_set_right_by_a_little_asks_nothing_twice() -> None:
    """Seconds are set right all the time, also just after a due time."""
    agenda = _agenda(MONDAY)
    _run(agenda, MONDAY + DAY, brought=True)
    for seconds in (-30, 0, 30):
        now = MONDAY + DAY + timedelta(seconds=seconds)
        assert agenda.next_at("fred", now) == MONDAY + 2 * DAY


_steps = st.lists(
    st.tuples(
        st.integers(-400 * 24 * 60, 400 * 24 * 60) | st.integers(-90, 90),
        st.booleans(),
    ),
    max_size=30,
)


@given(_steps)
@example([(35999, False)])
def test_whatever_the_clock_does_each_step_asks_at_most_once(
    steps: list[tuple[int, bool]],
) -> None:
    """After any jump: one run at most, then a wait that the schedule explains."""
    agenda, now = _agenda(MONDAY), MONDAY
    for minutes, brought in steps:
        now += minutes * MINUTE
        at = agenda.next_at("fred", now)
        assert at >= now
        assert at - now <= 3 * DAY, "silent"
        if at == now:
            _run(agenda, now, brought=brought)
            after = agenda.next_at("fred", now + MINUTE)
            # A release may fall into the minute that the run took: that is asked for.
            newest = due_before(DAILY, NONE, now + MINUTE)
            assert after > now + MINUTE or (newest is not None and newest > now)
