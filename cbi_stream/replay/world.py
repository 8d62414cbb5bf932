"""The world that the replay server speaks of: prices and statistics as of one moment.

It never shows what is not out at its moment, and asks no clock what day it is. A
simulated world draws everything from the simulated market, from names and from its
seed: the same in every process, and the same whatever window is asked for. A world from
a folder reads files that were saved earlier, and makes nothing up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

import polars as pl

from cbi_stream.replay import prices, releases, shelf, statistics, vintages
from cbi_stream.replay.bars import Bar, on_tick
from cbi_stream.replay.chance import draws_of, stream_of
from cbi_stream.replay.statistics import Statistic, Vintage
from cbi_stream.words.sessions import Sessions
from cbi_stream.words.span import Span, plus_days

KEY: Final = "simulated" + "0" * 23
"""The key of every source, unless said otherwise: as long as the longest rule asks."""

_CHICAGO: Final = ZoneInfo("America/Chicago")
_SETTLED: Final = time(15, 0)
_SHAPE: Final = {
    "date": pl.Date,
    "open": pl.Float64,
    "high": pl.Float64,
    "low": pl.Float64,
    "close": pl.Float64,
    "volume": pl.Int64,
}
_REVISED_BY: Final = 1.002
_REVISED_RANGE: Final = 0.002


@dataclass(frozen=True, slots=True)
class World:
    """What there is to ask for. Another moment is another world: `replace(world, ...)`.

    Attributes:
        kind: simulated, or folder.
        seed: The same seed gives the same world.
        today: The day, by UTC.
        key: The key that every site takes for the right one.
        at: The time of that day, UTC. By 23:00 the session of the day is settled.
        sessions: The days with a bar; without it all weekdays.
        folder: Where the files of a world from a folder lie.
        begins: The first day of the simulated market. Another one is another market.
        revised_before: What is dated earlier has moved a little since it was served.
    """

    kind: Literal["simulated", "folder"] = "simulated"
    seed: int = 7
    today: date = date(2024, 6, 28)
    key: str = KEY
    at: time = time(23, 0)
    sessions: Sessions | None = None
    folder: Path | None = None
    begins: date = date(2000, 1, 3)
    revised_before: date | None = None

    def __post_init__(self) -> None:
        if (self.kind == "folder") != (self.folder is not None):
            msg = f"a folder goes with kind folder, and only there; got {self.kind}"
            raise ValueError(msg)
        if not 0 <= self.seed < 2**64:
            msg = f"a seed is a whole number from 0 to 2**64 - 1; got {self.seed}"
            raise ValueError(msg)
        if self.today < self.begins:
            msg = f"expected a day from {self.begins} on; got {self.today}"
            raise ValueError(msg)

    @property
    def simulated(self) -> bool:
        """Whether nothing in it is real."""
        return self.kind == "simulated"

    @property
    def now(self) -> datetime:
        """Its moment, UTC."""
        return datetime.combine(self.today, self.at, UTC)

    def days(self, first: date, last: date) -> tuple[date, ...]:
        """Return the days with a bar from `first` to `last`, both included."""
        if self.sessions is not None:
            return self.sessions.between(Span(first, plus_days(last, 1)))
        return tuple(releases.weekdays(first, last))

    def bars(
        self,
        symbol: str,
        *,
        first: date,
        last: date,
        level: float | None = None,
        gaps: bool = True,
    ) -> pl.DataFrame:
        """Return date, open, high, low, close, volume of each settled session.

        Args:
            symbol: as this project names it (ZL, GSPC, DXY, EURUSD), or any other.
            first: the first day.
            last: the last day; nothing later than today's settled session is shown.
            level: the middle of the prices, where nobody else knows it.
            gaps: whether about one day a year has empty cells, as sources have them.
        """
        rows = self._rows(symbol, level, gaps=gaps)
        if self.revised_before is not None:
            steps = prices.steps_of(symbol, level)
            before = self.revised_before
            rows = [_revised(r, steps) if r[0] < before else r for r in rows]
        shown = [r for r in rows if first <= r[0] <= last and self.has_settled(r[0])]
        return pl.DataFrame(shown, schema=_SHAPE, orient="row")

    def has_settled(self, session: date) -> bool:
        """Return whether the bar of a session is final at this moment."""
        return datetime.combine(session, _SETTLED, _CHICAGO) <= self.now

    def unfinished(
        self, symbol: str, session: date, *, level: float | None = None
    ) -> Bar | None:
        """Return the bar of a session that has not settled, as far as it has come.

        None where there is no such session, or nobody knows: in a world from a folder.
        """
        if not self.simulated or session not in self.days(session, session):
            return None
        days = self._market_days(session)
        bars = prices.walk_of(symbol, days, seed=self.seed, level=level)
        whole = bars[days.index(session)]
        steps = prices.steps_of(symbol, level)
        bar = vintages.unfinished(whole, day=session, seed=self.seed, steps=steps)
        return bar if whole.volume else replace(bar, volume=0)

    def observations(
        self, statistic: Statistic, *, first: date, last: date
    ) -> list[tuple[date, float]]:
        """Return date and value, each as it stands at this moment, where it is out."""
        newest = {
            day: value
            for day, _, value in self.vintages(statistic, first=first, last=last)
        }
        return list(newest.items())

    def vintages(
        self, statistic: Statistic, *, first: date, last: date
    ) -> list[Vintage]:
        """Return date, date of publication and value of all that was published so far.

        A restatement that says what was said before is none.
        """
        told = self._published(statistic, first, last)
        if self.revised_before is None:
            return told
        step = max(
            _REVISED_RANGE * (statistic.high - statistic.low), 10**-statistic.decimals
        )
        newest = {day: value for day, _, value in told if day < self.revised_before}
        moved = [
            (day, self.today, round(value + step, statistic.decimals))
            for day, value in newest.items()
        ]
        replaced = {(day, self.today) for day in newest}
        kept = [one for one in told if one[:2] not in replaced]
        return sorted([*kept, *moved])

    def draws(self, *names: str, days: list[date]) -> list[list[float]]:
        """Return eight draws in (0, 1) for each of `days`, which ascend.

        They belong to seed, names and day; use them for what else a site needs.
        """
        return draws_of(days, seed=self.seed, series=stream_of(*names))

    def _published(
        self, statistic: Statistic, first: date, last: date
    ) -> list[Vintage]:
        days = [
            day
            for day in statistic.dates(first, min(last, self.today))
            if statistic.out_at(day) <= self.now
        ]
        told: list[Vintage] = []
        for day, values in self._values(statistic, days):
            before = None
            for stamp, value in zip(statistic.stamps(day), values, strict=False):
                if stamp <= self.today and value != before:
                    told.append((day, stamp, value))
                    before = value
        return told

    def _values(
        self, statistic: Statistic, days: list[date]
    ) -> list[tuple[date, list[float]]]:
        held: dict[date, float] | None
        if self.folder is not None:
            rows = shelf.values(self.folder, statistic.series)
            named = rows if statistic.source == "fred" else ()
            held = {day: value for day, value in named if value is not None}
        else:
            sessions = self._market_days(self.today)
            held = statistics.of_the_market(statistic, sessions, seed=self.seed)
        if held is not None:
            return [(day, [held[day]]) for day in days if day in held]
        drawn = statistics.values_of(statistic, days, seed=self.seed)
        return list(zip(days, drawn, strict=True))

    def _market_days(self, last: date) -> tuple[date, ...]:
        """Return the market's days to the end of a year: fewer walks to remember.

        A longer walk repeats a shorter one's bars, so the end does not matter.
        """
        return self.days(self.begins, date(last.year, 12, 31))

    def _rows(self, symbol: str, level: float | None, *, gaps: bool) -> list[shelf.Row]:
        if self.folder is not None:
            return list(shelf.bars(self.folder, symbol))
        days = self._market_days(self.today)
        how = prices.shown_of if gaps else prices.walk_of
        bars = how(symbol, days, seed=self.seed, level=level)
        return [_row(day, bar) for day, bar in zip(days, bars, strict=True)]


def _row(day: date, bar: Bar | None) -> shelf.Row:
    if bar is None:
        return day, None, None, None, None, None
    return day, bar.open, bar.high, bar.low, bar.close, bar.volume


def _revised(row: shelf.Row, steps: int) -> shelf.Row:
    """Return a bar whose prices have all moved up by the same share, on the tick."""
    day, *numbers, volume = row
    moved = [
        None
        if number is None
        else on_tick(max(number * _REVISED_BY, number + 1 / steps), steps=steps)
        for number in numbers
    ]
    start, high, low, close = moved
    return day, start, high, low, close, volume
