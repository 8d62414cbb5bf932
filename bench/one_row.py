"""Times one new session, one corrected cell and a repeated file on an up-to-date lake.

Each with a history of 22 years and of three times that, in turn within a round. One
JSON line per figure. It asserts nothing about speed, and reads no real file.

Run: python -m bench.one_row
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
from bench.lakes import (
    Market,
    Stopwatch,
    checked,
    last_lines,
    made,
    profiled,
    say,
    say_ratio,
    say_seconds,
    say_stages,
    timed,
    with_lines,
)
from cbi_stream.doors import landing
from cbi_stream.engine.wave import run_wave
from cbi_stream.replay.edits import corrected
from cbi_stream.replay.market import SimulatedFile

ROUNDS, PROFILED, MANY, YEARS, SESSIONS_A_YEAR = 5, 3, 60, 22, 252

APPENDED = "one session, new lines alone"
DOWNLOADED = "one session, whole files"
CORRECTED = "one cell of ten years ago"
REPEATED = "the same files again"
REBUILT = "rebuild in place"


@dataclass
class Times:
    """Seconds per round of each kind of arrival."""

    whole: dict[str, list[float]] = field(default_factory=dict)
    taken_in: dict[str, list[float]] = field(default_factory=dict)
    tables: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def note(self, what: str, take_in: float, wave: float, watch: Stopwatch) -> None:
        """Add one arrival."""
        self.whole.setdefault(what, []).append(take_in + wave)
        self.taken_in.setdefault(what, []).append(take_in)
        for table, seconds in watch.computed.items():
            of_table = self.tables.setdefault(what, {}).setdefault(table, [])
            of_table.append(seconds)


def arrive(
    market: Market, files: Iterable[SimulatedFile], what: str, times: Times | None
) -> None:
    """Hand files in, then time from taking them in to what is published."""
    market.hand_in(files)
    watch = Stopwatch()
    receipts: list[landing.Receipt] = []
    take_in = timed(lambda: receipts.extend(landing.take_in(market.lake, market.graph)))

    def settle() -> None:
        report = run_wave(market.lake, market.graph, executor=watch)
        checked(report, quiet=what == REPEATED)

    wave = timed(settle)
    if (sum(r.stored for r in receipts) == 0) != (what == REPEATED):
        msg = f"{what}: unexpected receipts {receipts}"
        raise RuntimeError(msg)
    if times is not None:
        times.note(what, take_in, wave, watch)


def one_more(market: Market, *, whole: bool) -> list[SimulatedFile]:
    """Return the files of the next session: whole, or their new lines alone."""
    before, after = market.files(market.now), market.files(market.now + 1)
    market.now += 1
    if whole:
        return after
    return [last_lines(new, old) for new, old in zip(after, before, strict=True)]


def correction(market: Market) -> tuple[SimulatedFile, SimulatedFile]:
    """Return a file with one corrected bar of ten years ago, and the file to undo it."""
    prices = market.files(market.now)[0]
    rows = prices.data.decode().splitlines()
    at = len(rows) - 10 * SESSIONS_A_YEAR
    while "null" in rows[at]:
        at += 1
    day = market.sessions[at - 2]
    line = with_lines(prices, lambda i, _: i == at)
    close = float(rows[at].split(",")[4]) + 0.5
    other = corrected(line.data, day=day, close=close)
    return SimulatedFile(line.name, other, line.as_of), line


def one_round(market: Market, times: Times | None) -> None:
    """Let each kind of arrival happen once (a correction: there and back)."""
    arrive(market, one_more(market, whole=False), APPENDED, times)
    arrive(market, one_more(market, whole=True), DOWNLOADED, times)
    for file in correction(market):
        arrive(market, [file], CORRECTED, times)
    arrive(market, market.files(market.now), REPEATED, times)
    watch = Stopwatch()

    def rebuild() -> None:
        report = run_wave(market.lake, market.graph, executor=watch, asked=True)
        checked(report, quiet=True)

    seconds = timed(rebuild)
    if times is not None:
        times.note(REBUILT, 0.0, seconds, watch)


def main() -> None:
    """Print what each arrival costs, where, and whether history makes it dearer."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        to_come = 2 * (ROUNDS + 1) + PROFILED + MANY
        lakes: dict[str, Market] = {}
        built: dict[str, float] = {}
        for size, years in (("x1", YEARS), ("x3", 3 * YEARS)):

            def make(size: str = size, years: int = years) -> None:
                lakes[size] = made(Path(name) / size, years=years, to_come=to_come)

            built[size] = timed(make)
        times = {size: Times() for size in lakes}
        for turn in range(ROUNDS + 1):
            for size, market in lakes.items():
                one_round(market, times[size] if turn else None)  # the first warms up
        for size, market in lakes.items():
            say(f"{size}: sessions", market.now, rounds=ROUNDS)
            say(f"{size}: from nothing to published, s", round(built[size], 3))
            _say_times(size, times[size])
        _say_growth(times["x1"], times["x3"])
        _say_stages(lakes["x1"])
        _say_many(lakes["x1"])


def _say_times(size: str, times: Times) -> None:
    for what, seconds in times.whole.items():
        take_in = round(statistics.median(times.taken_in[what]), 4)
        say_seconds(f"{size}: {what}, s", seconds, taking_in=take_in)
    for what in (APPENDED, DOWNLOADED):
        say_ratio(
            f"{size}: {what} / {REBUILT}", times.whole[what], times.whole[REBUILT]
        )
    for table, seconds in times.tables[APPENDED].items():
        say_seconds(f"{size}: {APPENDED}, jobs of {table}, s", seconds)


def _say_growth(small: Times, large: Times) -> None:
    for what in (APPENDED, DOWNLOADED, CORRECTED, REPEATED, REBUILT):
        say_ratio(f"x3 / x1: {what}", large.whole[what], small.whole[what])


def _say_stages(market: Market) -> None:
    spent: dict[str, float] = {}
    for _ in range(PROFILED):
        files = one_more(market, whole=False)
        with profiled(spent):
            arrive(market, files, APPENDED, None)
    say_stages(f"x1: {APPENDED}", spent, runs=PROFILED)


def _say_many(market: Market) -> None:
    """Print whether each session's commits and small files make the next one dearer."""
    times = Times()
    for _ in range(MANY):
        arrive(market, one_more(market, whole=False), APPENDED, times)
    seconds = times.whole[APPENDED]
    first, last = seconds[:10], seconds[-10:]
    say_ratio(f"x1: {APPENDED}: last ten of {MANY} more / first ten", last, first)


if __name__ == "__main__":
    main()
