"""Waiting longer after each failure, per place, and never beyond the longest wait."""

from __future__ import annotations

from cbi_stream.doors.backoff import Backoff


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _backoff() -> tuple[Backoff, _Clock]:
    clock = _Clock()
    return Backoff(first=1.0, longest=900.0, clock=clock), clock


def test_each_wait_is_about_twice_the_one_before() -> None:
    """Between half and the whole of 1, 2, 4 ... seconds, 15 minutes at most."""
    backoff, _ = _backoff()
    for times in range(14):
        whole = min(900.0, 2.0**times)
        assert whole / 2 <= backoff.failed("a") <= whole


def test_a_place_is_due_when_its_time_has_come() -> None:
    """Others are due all the time."""
    backoff, clock = _backoff()
    wait = backoff.failed("a")
    assert not backoff.due("a")
    assert backoff.due("b")
    assert backoff.seconds_to_next() == wait
    clock.now += wait
    assert backoff.due("a")


def test_what_works_again_begins_from_the_first_wait() -> None:
    """A success forgets the failures before it; so does a place that is gone."""
    backoff, _ = _backoff()
    for _ in range(6):
        backoff.failed("a")
        backoff.failed("b")
    backoff.worked("a")
    backoff.keep({"a"})
    assert backoff.seconds_to_next() is None
    assert backoff.failed("a") <= 1.0
    assert backoff.failed("b") <= 1.0


def test_places_that_failed_together_are_not_all_tried_together() -> None:
    """Waits of one round differ from place to place."""
    backoff, _ = _backoff()
    assert len({backoff.failed(place) for place in range(20)}) > 10
