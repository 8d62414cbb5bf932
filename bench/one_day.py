"""Times one new session on an up-to-date lake of 22 years: raw, published, exported.

Everything is warm: the reader's child runs, tables are cached, handlers imported. One
JSON line per figure. It asserts nothing about speed, and reads no real file.

Run: python -m bench.one_day
     python -m bench.one_day --parts days --kinds prices --rounds 20

All parts take about a quarter of an hour.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
from bench import arrivals
from bench.archive import Kept, from_archive, kept
from bench.arrivals import (
    KINDS,
    MOMENTS,
    PRICE_FILES,
    PRICE_LINES,
    Kind,
    Times,
    arrived,
    placed,
)
from bench.figures import (
    Stamp,
    say,
    say_ratio,
    say_seconds,
    stamp,
)
from bench.lakes import Market, made
from bench.stages import profiled, say_stages
from cbi_stream.doors.readers import Child

YEARS, PROFILED, MANY = 22, 5, 60
CORRECTED, REPEATED = "one cell of ten years ago", "the same price files again"
IDLE, IN_PLACE = "a look that finds nothing", "rebuild in place"
ARCHIVE = "rebuild from the archive of the first pull"


@dataclass
class References:
    """What a day is compared with: rebuilds of the same lake, taken in between."""

    market: Market
    folder: Path
    appends: list[Kept]
    """The first pull alone: each later one would make the archive's rebuild dearer."""
    walls: dict[str, list[float]] = field(default_factory=dict)
    computed: dict[str, list[float]] = field(default_factory=dict)
    """By way: seconds by the clock, and seconds that this process computed."""

    def take(self) -> None:
        """Rebuild both ways, once."""
        market = self.market
        start = stamp()
        self._note(IN_PLACE, start, arrivals.rebuilt_in_place(market))
        start = stamp()
        seconds, _ = from_archive(
            market.lake, market.graph, self.appends, self.folder, market.reader
        )
        self._note(ARCHIVE, start, seconds)

    def _note(self, way: str, start: Stamp, seconds: float) -> None:
        self.walls.setdefault(way, []).append(seconds)
        self.computed.setdefault(way, []).append(stamp()[1] - start[1])

    def say_cheaper(self, kind: Kind, times: Times) -> None:
        """Print how many times cheaper days are than the rebuilds on either side."""
        for moment in MOMENTS[1:3]:
            for way in (IN_PLACE, ARCHIVE):
                what = f"{kind.name}: until {moment}, times cheaper than a {way}"
                _say_cheaper(what, self.walls[way], times.until[moment])
                what = f"{what}, by seconds computed"
                _say_cheaper(what, self.computed[way], times.computed[moment])


def _say_cheaper(figure: str, rebuilds: list[float], days: list[float]) -> None:
    near = [sum(rebuilds[-2:]) / 2] * len(days)
    say_ratio(figure, near, days, 2)


def a_day(market: Market, kind: Kind, times: Times | None) -> None:
    """Let the next session arrive."""
    found = arrived(market, placed(market, kind.files(market)))
    if times is not None:
        times.note(found)


def days_of(market: Market, kind: Kind, rounds: int) -> Times:
    """Return the times of so many sessions in a row.

    The one before them is not among them: it catches up on files of other kinds.
    """
    times = Times()
    for turn in range(rounds + 1):
        a_day(market, kind, times if turn else None)
    return times


def say_times(name: str, times: Times) -> None:
    """Print when each moment came."""
    files = round(statistics.median(times.files))
    for moment in MOMENTS:
        computed = round(statistics.median(times.computed[moment]), 4)
        say_seconds(
            f"{name}: until {moment}, s",
            times.until[moment],
            computed=computed,
            files=files,
        )


def part_days(folder: Path, reader: Child, kinds: Sequence[Kind], rounds: int) -> None:
    """Print what a day of each kind costs, alone and beside a rebuild."""
    to_come = len(kinds) * (rounds + 1)
    market = made(folder / "x1", reader=reader, to_come=to_come)
    there = References(market, folder / "again", kept(market.lake, market.graph))
    say("sessions at first", market.now, archived=len(there.appends))
    there.take()
    for kind in kinds:
        times = days_of(market, kind, rounds)
        there.take()
        say_times(kind.name, times)
        there.say_cheaper(kind, times)
        late, early = times.until[MOMENTS[0]][-5:], times.until[MOMENTS[0]][:5]
        say_ratio(f"{kind.name}: until raw: last five days / first five", late, early)
        for table, seconds in times.tables.items() if kind == PRICE_FILES else ():
            say_seconds(f"{kind.name}: jobs of {table}, s", seconds)
    for way, seconds in there.walls.items():
        say_seconds(f"{way}, s", seconds)


def both_sizes(folder: Path, reader: Child, *, to_come: int) -> dict[str, Market]:
    """Return a lake of 22 years and one of three times that."""
    return {
        size: made(folder / size, reader=reader, years=times * YEARS, to_come=to_come)
        for size, times in (("x1", 1), ("x3", 3))
    }


def part_growth(
    folder: Path, reader: Child, kinds: Sequence[Kind], rounds: int
) -> None:
    """Print whether three times the history makes a session dearer, in turn."""
    rounds = max(3, rounds // 3)
    sizes = both_sizes(folder, reader, to_come=len(kinds) * (rounds + 1))
    for kind in kinds:
        found = {size: Times() for size in sizes}
        for turn in range(rounds + 1):
            for size, market in sizes.items():
                a_day(market, kind, found[size] if turn else None)
        say_times(f"x3: {kind.name}", found["x3"])
        for moment in MOMENTS:
            small, large = (found[size].until[moment] for size in ("x1", "x3"))
            say_ratio(f"x3 / x1: {kind.name}: until {moment}", large, small)


def part_rest(folder: Path, reader: Child, _kinds: Sequence[Kind], rounds: int) -> None:
    """Print what else arrives, and whether three times the history makes it dearer."""
    sizes = both_sizes(folder, reader, to_come=0)
    for name, work in REST.items():
        found: dict[str, list[float]] = {size: [] for size in sizes}
        for turn in range(max(3, rounds // 3) + 1):
            for size, market in sizes.items():
                seconds = work(market)
                found[size] += seconds if turn else []
        for size, seconds in found.items():
            say_seconds(f"{size}: {name}, s", seconds)
        say_ratio(f"x3 / x1: {name}", found["x3"], found["x1"])


def _corrected(market: Market) -> list[float]:
    """Return the seconds of a correction and of its taking back, until exports."""
    return [
        arrived(market, placed(market, [file])).until["exports"][0]
        for file in arrivals.correction(market)
    ]


def _repeated(market: Market) -> list[float]:
    found = arrived(market, placed(market, arrivals.again(market)), news=False)
    return [found.until["exports"][0]]


REST: dict[str, Callable[[Market], list[float]]] = {
    REPEATED: _repeated,
    IDLE: lambda market: [arrivals.idle(market)],
    IN_PLACE: lambda market: [arrivals.rebuilt_in_place(market)],
    CORRECTED: _corrected,  # the last: files seen before it would be late
}


def part_stages(
    folder: Path, reader: Child, kinds: Sequence[Kind], _rounds: int
) -> None:
    """Print where the time of a day goes."""
    to_come = len(kinds) * (PROFILED + 1)
    market = made(folder / "stages", reader=reader, to_come=to_come)
    for kind in kinds:
        a_day(market, kind, None)
        spent: dict[str, float] = {}
        for _ in range(PROFILED):
            paths = placed(market, kind.files(market))
            with profiled(spent):
                arrived(market, paths)
        say_stages(kind.name, spent, runs=PROFILED)


def part_many(
    folder: Path, reader: Child, _kinds: Sequence[Kind], _rounds: int
) -> None:
    """Print whether each session's commits and small files make the next one dearer."""
    market = made(folder / "many", reader=reader, to_come=MANY + 1)
    times = days_of(market, PRICE_LINES, MANY)
    for moment in MOMENTS:
        first, last = times.until[moment][:10], times.until[moment][-10:]
        name = f"{PRICE_LINES.name}: until {moment}"
        say_ratio(f"{name}: last ten of {MANY} sessions / first ten", last, first)
        say_seconds(f"{name}, s, over {MANY} sessions", times.until[moment])


PARTS = {
    "days": part_days,
    "growth": part_growth,
    "rest": part_rest,
    "stages": part_stages,
    "many": part_many,
}


def main() -> None:
    """Do the parts that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=tuple(PARTS), default=list(PARTS))
    sorts = ("oil", "prices", "pull")
    parser.add_argument("--kinds", nargs="+", choices=sorts, default=list(sorts))
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    kinds = [kind for kind in KINDS if kind.of in asked.kinds]
    for part in asked.parts:
        with tempfile.TemporaryDirectory(prefix="bench-") as name, Child() as reader:
            PARTS[part](Path(name), reader, kinds, asked.rounds)


if __name__ == "__main__":
    main()
