"""The daemon in this process: how long it waits after failures. It reads no real data."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import pairwise

import polars as pl
import pytest

from cbi_stream import days, handler
from cbi_stream.doors import daemon as room
from cbi_stream.doors.backoff import Backoff
from cbi_stream.doors.daemon import RESCAN_SECONDS, Daemon
from cbi_stream.doors.logs import silent
from cbi_stream.doors.readers import Here
from cbi_stream.engine.executor import InProcess
from cbi_stream.engine.graph import build
from cbi_stream.engine.ready import MOST_ATTEMPTS
from cbi_stream.engine.wave import run_wave
from tests.laws import toy, worlds

BAD_YEAR = 2017


@handler(reads={"features.window": days()}, writes="features.right")
def breaking(window: pl.DataFrame) -> pl.DataFrame:
    """Do what `toy.right` does, except in one year."""
    if window["date"].dt.year().eq(BAD_YEAR).any():
        msg = "the scale broke"
        raise ArithmeticError(msg)
    return toy.right(window=window)


class Nobody:
    """Gives no hint, ever."""

    def wait(self, timeout):
        """Say that no hint came."""
        return False

    def alive(self):
        """Say that hints could come."""
        return True

    def renew(self):
        """Do nothing."""


class Broken:
    """A toy lake whose daemon has a handler that fails for one year, and its clock."""

    def __init__(self, monkeypatch):
        self.world = worlds.toy_world()
        self.seconds = 0.0
        prices, other = self.world.feeds
        dates = [prices.first + timedelta(days=3 * i) for i in range(360)]
        self.world.arrive(prices, [(d, 20.0 + d.toordinal() % 31) for d in dates])
        self.world.arrive(other, [(d, 5.0) for d in dates[::5]])
        kept = [h for h in toy.HANDLERS if h.writes != "features.right"]
        monkeypatch.setattr(room, "run_wave", partial(run_wave, probing="off"))
        self.daemon = Daemon(
            self.world.lake,
            build(self.world.graph.registry, [*kept, breaking]),
            hints=Nobody(),
            reader=Here(),
            executor=InProcess(),
            log=silent(strict=True),
        )
        self.daemon._backoff = Backoff(clock=lambda: self.seconds)

    def attempts(self):
        """Return how often the bad year was tried."""
        current = self.world.lake.table("features.right").head()[1]
        entry = current.partitions.get(str(BAD_YEAR))
        return entry.attempts if entry else 0


@pytest.fixture
def broken(monkeypatch):
    """Give a lake with one bad year, and the daemon on it."""
    found = Broken(monkeypatch)
    yield found
    found.world.close()


def test_a_failing_year_is_tried_less_and_less_and_then_not_at_all(broken):
    """Waits grow until it is set aside; then it is looked at each half minute, no oftener."""
    waits = []
    while broken.attempts() < MOST_ATTEMPTS:
        broken.seconds += broken.daemon.turn() or 0.0
        if broken.attempts() > len(waits):
            waits.append(broken.seconds)
        assert broken.daemon.turns < 40
    gaps = [later - earlier for earlier, later in pairwise(waits)]
    assert gaps == sorted(gaps)
    assert gaps[-1] >= 4
    broken.seconds += 3600.0
    quiet = [broken.daemon.turn() for _ in range(3)]
    assert quiet[-1] == RESCAN_SECONDS
    assert broken.attempts() == MOST_ATTEMPTS
