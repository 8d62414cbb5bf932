"""The clock of the sources calls each action once, under its lock, and spread out.

Its own time is a number that the tests set; only the timer behind it runs in true time.
No test waits for a length of time to show anything but that nothing happened.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from cbi_stream.doors.journal import Journals, Question
from cbi_stream.doors.logs import open_log
from cbi_stream.doors.schedule import Clock, Timing, jitter_of
from cbi_stream.lake.lake import Lake
from cbi_stream.registry.fetching import Schedule
from cbi_stream.registry.releases import Closures
from cbi_stream.words.errors import LockHeld

NONE = Closures(lists={})
DAILY = Schedule(cadence="daily", at=time(12), zone="UTC", jitter_seconds=0)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2024, 1, 8, 12, tzinfo=UTC)
PATIENCE = 60.0
"""Of the tests, in seconds; nothing that works takes nearly so long."""
A_WHILE = 0.3
QUICK = Timing(look_seconds=0.05, spread_seconds=0.0, at_once=4)


@dataclass
class _Desk:
    """The clock of a test, what was asked, and what is known from before."""

    lake: Lake
    now: datetime = MONDAY + HOUR
    asked: list[str] = field(default_factory=list)
    waited: list[tuple[str, datetime, int]] = field(default_factory=list)
    brings: bool = True
    jitter: float = 0.0
    changed: threading.Condition = field(default_factory=threading.Condition)
    clocks: list[Clock] = field(default_factory=list)

    def action(self, source: str) -> Callable[[], bool]:
        def ask() -> bool:
            with self.changed:
                self.asked.append(source)
                self.changed.notify_all()
            return self.brings

        return ask

    def waits(self, source: str, due: datetime, most: int) -> float:
        with self.changed:
            self.waited.append((source, due, most))
            self.changed.notify_all()
        return self.jitter

    def start(
        self,
        *sources: str,
        timing: Timing = QUICK,
        action: Callable[[], bool] | None = None,
        schedule: Schedule = DAILY,
    ) -> Clock:
        journals = Journals(self.lake)
        made = Clock(
            NONE,
            past=journals.read,
            lock=journals.asking,
            log=open_log(self.lake.folder, to_stderr=False, strict=True),
            now=lambda: self.now,
            jitter=self.waits,
            timing=timing,
        )
        self.clocks.append(made)
        made.start({each: (schedule, action or self.action(each)) for each in sources})
        return made

    def until(self, asked: int) -> None:
        """Wait until so many were asked, and a while more: none may come behind."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.asked) >= asked, PATIENCE)
            self.changed.wait_for(lambda: len(self.asked) > asked, A_WHILE)
        assert len(self.asked) == asked

    def answered(self, source: str, at: datetime) -> None:
        question = Question(at=at, name="x", outcome="same")
        Journals(self.lake).append(source, question)

    def logged(self, event: str) -> list[dict[str, object]]:
        text = (self.lake.folder / "logs" / "cbi.log").read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        return [line for line in lines if line["event"] == event]


@pytest.fixture
def desk(lake: Lake) -> Iterator[_Desk]:
    """Return a desk; its clocks are stopped at the end."""
    found = _Desk(lake)
    yield found
    for each in found.clocks:
        assert each.stop(wait_seconds=PATIENCE)


def test_it_asks_at_the_due_time_with_its_jitter(desk: _Desk) -> None:
    """Not before; then once, after a wait that knows source, due time and limit."""
    desk.answered("fred", MONDAY)
    schedule = DAILY.model_copy(update={"jitter_seconds": 90})
    desk.start("fred", schedule=schedule)
    desk.until(0)
    desk.now = MONDAY + DAY
    desk.until(1)
    assert desk.waited == [("fred", MONDAY + DAY, 90)]


def test_the_timer_itself_rings_at_the_due_time(desk: _Desk) -> None:
    """Without any look: a second before the hour it asks a second later."""
    desk.answered("fred", MONDAY)
    desk.now = MONDAY + DAY - timedelta(seconds=1)
    desk.start("fred", timing=Timing(look_seconds=3600.0))
    desk.until(1)


def test_what_was_missed_is_asked_once_at_the_start(desk: _Desk) -> None:
    """Once for a year of missed times; a source that answered since is left alone."""
    desk.answered("fred", MONDAY - 365 * DAY)
    desk.answered("yahoo", MONDAY)
    desk.start("fred", "yahoo", "cftc")
    desk.until(2)
    assert sorted(desk.asked) == ["cftc", "fred"]
    assert desk.waited == []  # they are spread in another way


def test_late_sources_begin_one_after_another(desk: _Desk) -> None:
    """The second one stands at the turnstile while the first is asked."""
    timing = Timing(look_seconds=3600.0, spread_seconds=PATIENCE)
    clock = desk.start("fred", "yahoo", "cftc", timing=timing)
    desk.until(1)
    assert clock.stop(wait_seconds=PATIENCE)
    assert len(desk.asked) == 1


@pytest.mark.parametrize("jump", [HOUR, DAY, 365 * DAY, -HOUR, -DAY, -365 * DAY])
def test_a_clock_that_jumps_makes_no_storm(desk: _Desk, jump: timedelta) -> None:
    """At most one run per source at the jump, and the next due time is kept."""
    for source in ("fred", "yahoo"):
        desk.answered(source, MONDAY)
    desk.start("fred", "yahoo")
    desk.until(0)
    desk.now += jump
    missed = 2 if jump >= DAY else 0
    desk.until(missed)
    desk.now = (desk.now + 4 * DAY).replace(hour=12, minute=0)
    desk.until(missed + 2)
    assert sorted(set(desk.asked)) == ["fred", "yahoo"]


def test_jumps_to_and_fro_ask_each_due_time_once(desk: _Desk) -> None:
    """A year ahead, and back again: two runs, not four hundred, and no silence after."""
    desk.answered("fred", MONDAY)
    desk.start("fred")
    desk.until(0)
    right = desk.now
    desk.now = right + 365 * DAY
    desk.until(1)
    desk.now = right
    desk.until(1)
    desk.now = MONDAY + DAY
    desk.until(2)


def test_in_vain_it_tries_again_and_a_failure_ends_nothing(desk: _Desk) -> None:
    """What raises is logged; a quarter of an hour later the source is asked again."""
    desk.answered("fred", MONDAY)

    def fail() -> bool:
        desk.action("fred")()
        msg = "503 of the source"
        raise RuntimeError(msg)

    desk.start("fred", action=fail)
    desk.now = MONDAY + DAY
    desk.until(1)
    desk.now += 14 * MINUTE
    desk.until(1)
    desk.now += 2 * MINUTE
    desk.until(2)
    [first, _] = desk.logged("poll.failed")
    assert (first["source"], first["why"]) == ("fred", "due")
    assert "503 of the source" in str(first["error"])


def test_the_jitter_is_waited_for_under_the_lock(desk: _Desk) -> None:
    """So nobody else asks meanwhile; and a stop ends the wait at once, unasked."""
    desk.answered("fred", MONDAY)
    desk.jitter = 10 * PATIENCE
    clock = desk.start("fred")
    desk.now = MONDAY + DAY
    with desk.changed:
        assert desk.changed.wait_for(lambda: bool(desk.waited), PATIENCE)
    assert (desk.lake.folder / "fetches" / "fred.lock").exists()
    with pytest.raises(LockHeld, match="is being asked already"):
        _take(desk, "fred")
    assert clock.stop(wait_seconds=PATIENCE)
    assert desk.asked == []
    _take(desk, "fred")


def _take(desk: _Desk, source: str) -> None:
    with Journals(desk.lake).asking(source):
        pass


def test_a_source_that_another_process_asks_is_left_alone(desk: _Desk) -> None:
    """It is said, it is no error, and it is tried again later."""
    desk.answered("fred", MONDAY)
    desk.start("fred")
    with Journals(desk.lake).asking("fred"):
        desk.now = MONDAY + DAY
        _until_logged(desk, "poll.left")
    assert desk.asked == []
    desk.now += 16 * MINUTE
    desk.until(1)
    assert desk.logged("poll.failed") == []


def _until_logged(desk: _Desk, event: str) -> None:
    for _ in range(600):
        if desk.logged(event):
            return
        threading.Event().wait(0.1)
    pytest.fail(f"{event} was never logged")


def test_only_so_many_are_asked_at_once(desk: _Desk) -> None:
    """The others wait for a slot, and then have their turn."""
    inside, most, gate = [0], [0], threading.Event()

    def slow() -> bool:
        with desk.changed:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            desk.asked.append("x")
            desk.changed.notify_all()
        assert gate.wait(PATIENCE)
        with desk.changed:
            inside[0] -= 1
        return True

    timing = Timing(look_seconds=0.05, spread_seconds=0.0, at_once=2)
    desk.start("fred", "yahoo", "cftc", action=slow, timing=timing)
    desk.until(2)
    gate.set()
    desk.until(3)
    assert most == [2]


def test_stop_says_whether_all_have_ended(desk: _Desk) -> None:
    """A source that does not answer is not waited for without end; none begins after."""
    gate = threading.Event()

    def slow() -> bool:
        desk.action("fred")()
        return gate.wait(PATIENCE)

    clock = desk.start("fred", action=slow)
    desk.until(1)
    assert not clock.stop(wait_seconds=0.05)
    assert desk.logged("clock.stopped")[0]["still_running"] == ["fred"]
    gate.set()
    assert clock.stop(wait_seconds=PATIENCE)
    desk.now += 30 * DAY
    desk.until(1)


def test_the_timer_says_nothing_by_itself(
    desk: _Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its own messages go to no terminal; ours go to the log."""
    desk.start("fred")
    desk.until(1)
    logging.getLogger("apscheduler.scheduler").warning("not to be seen")
    assert capfd.readouterr().err == ""
    assert desk.logged("poll.ended")[0]["brought"] is True


def test_a_look_that_fails_is_not_the_last(
    desk: _Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged, and the next look finds what is due."""
    desk.answered("fred", MONDAY)
    clock = desk.start("fred")
    monkeypatch.setattr(clock, "look", lambda: 1 / 0)
    _until_logged(desk, "look.failed")
    monkeypatch.undo()
    desk.now = MONDAY + DAY
    desk.until(1)


def test_jitter_differs_by_machine_and_day_and_repeats(tmp_path: Path) -> None:
    """Between nothing and the limit; not all machines and days at the same second."""
    one, other = jitter_of("a"), jitter_of("b")
    days = [MONDAY + n * DAY for n in range(200)]
    waits = [one("fred", day, 120) for day in days]
    assert waits == [jitter_of("a")("fred", day, 120) for day in days]
    assert all(0 <= wait < 120 for wait in waits)
    assert max(waits) - min(waits) > 60
    assert waits != [other("fred", day, 120) for day in days]
    assert waits != [one("cftc", day, 120) for day in days]
    assert one("fred", MONDAY, 0) == 0
