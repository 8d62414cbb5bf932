"""The one clock is in UTC, and can be held still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from cbi_stream.words import clock

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_now_is_in_utc() -> None:
    """The running clock answers in UTC, at this time."""
    before = datetime.now(UTC)
    found = clock.now()
    assert found.utcoffset() == timedelta(0)
    assert before <= found <= datetime.now(UTC)


def test_a_held_clock_answers_the_same_twice() -> None:
    """Inside the block time stands still, and runs again after it."""
    with clock.held_at(NOON):
        assert clock.now() == NOON
        assert clock.now() == NOON
    assert clock.now() > NOON


def test_blocks_may_be_nested() -> None:
    """The inner block wins, and the outer one counts again after it."""
    with clock.held_at(NOON):
        with clock.held_at(NOON - timedelta(days=1)):
            assert clock.now() == NOON - timedelta(days=1)
        assert clock.now() == NOON


def test_a_held_instant_is_turned_to_utc() -> None:
    """An instant of another zone is the same instant, said in UTC."""
    chicago = NOON.astimezone(timezone(timedelta(hours=-5)))
    with clock.held_at(chicago):
        assert clock.now().isoformat() == "2024-05-01T12:00:00+00:00"


def test_an_instant_without_a_zone_is_refused() -> None:
    """A time without its zone is no instant."""
    with (
        pytest.raises(ValueError, match="needs a time zone"),
        clock.held_at(NOON.replace(tzinfo=None)),
    ):
        pass


def test_the_clock_runs_again_after_an_error() -> None:
    """An exception inside the block does not leave the clock held."""
    with pytest.raises(RuntimeError), clock.held_at(NOON):
        raise RuntimeError
    assert clock.now() > NOON
