"""What it costs to ask every source: all of history once, and then each day.

    python -m bench.ingest
    python -m bench.ingest --sources yahoo fred --tier P0 P1

The replay server runs in a process of its own and speaks the true formats; its time is
part of the waiting, as a publisher's is, and is told apart. No host but this machine is
asked, and paces are not kept here: they are the publishers' and not ours.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
from bench.figures import say
from cbi_stream.doors.fetch import Fetcher
from cbi_stream.doors.journal import Journals
from cbi_stream.doors.logs import silent
from cbi_stream.doors.polling import Asker, poll
from cbi_stream.doors.readers import Child
from cbi_stream.doors.rounds import Round
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.registry import loader
from cbi_stream.replay.server import Replay
from cbi_stream.replay.sites import Question, Reply, Site
from cbi_stream.replay.sites import discover as discover_sites
from cbi_stream.replay.world import World
from cbi_stream.words import clock

_REGISTRY = Path(__file__).resolve().parents[1] / "registry"
_TODAY = date(2025, 6, 27)
_WORLD = World(seed=11, today=_TODAY)


@dataclass(slots=True)
class Pull:
    """What one round over all sources took."""

    seconds: float
    of_server: float
    """How many of them the server needed to make up its answers."""
    rounds: list[Round]
    commits: int

    @property
    def lines(self) -> int:
        """How many lines were read."""
        return sum(told.lines for each in self.rounds for told in each.told)

    @property
    def stored(self) -> int:
        """How many of them were news."""
        return sum(each.stored for each in self.rounds)

    @property
    def questions(self) -> int:
        """How many questions were asked."""
        return sum(len(each.told) for each in self.rounds)


def _serve(pipe: Connection) -> None:
    """Serve worlds until told to end; answer each with the seconds spent in sites."""
    busy = [0.0]

    def timed(site: Site) -> Site:
        def answer(question: Question, world: World) -> Reply:
            began = time.perf_counter()
            try:
                return site.answer(question, world)
            finally:
                busy[0] += time.perf_counter() - began

        return replace(site, answer=answer)

    sites = {host: timed(site) for host, site in discover_sites().items()}
    with Replay(_WORLD, sites=sites) as replay:
        pipe.send(replay.base)
        while (world := pipe.recv()) is not None:
            replay.world = world
            pipe.send(busy[0])


@contextmanager
def _replay() -> Iterator[tuple[str, Connection]]:
    """Run the server beside; yield its address and the pipe that changes its world."""
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=_serve, args=(there,))
    server.start()
    try:
        yield here.recv(), here
    finally:
        here.send(None)
        server.join(30)


def _versions(lake: Lake) -> int:
    """Return how many commits there are in all tables."""
    return sum(lake.table(n).head()[0] + 1 for n in lake.registry.contracts)


def _pull(
    asker: Asker, names: list[str], world: World, *, pipe: Connection, whole: bool
) -> Pull:
    before, busy = _versions(asker.lake), _busy(pipe, world)
    began = time.perf_counter()
    with clock.held_at(world.now):
        rounds = [poll(asker, name, whole=whole) for name in names]
    seconds = time.perf_counter() - began
    for each in rounds:
        for told in each.failed:
            print(f"{each.source}: {told.reason}", file=sys.stderr)
    made_up = _busy(pipe, world) - busy
    return Pull(seconds, made_up, rounds, _versions(asker.lake) - before)


def _busy(pipe: Connection, world: World) -> float:
    pipe.send(world)
    spent: float = pipe.recv()
    return spent


def measure(graph: Graph, names: list[str], folder: Path) -> None:
    """Print one figure after the other."""
    lake = Lake.create(folder / "lake", graph.registry, kind="simulated")
    with (
        _replay() as (base, pipe),
        Fetcher(replay=base) as fetcher,
        Child(graph) as reader,
    ):
        asker = Asker(
            lake,
            graph,
            fetcher=fetcher,
            reader=reader,
            journals=Journals(lake),
            log=silent(),
            secret=lambda _: _WORLD.key,
        )
        first = _pull(asker, names, _WORLD, pipe=pipe, whole=True)
        _tell("all of history", first, first)
        for each in first.rounds:
            lines = sum(told.lines for told in each.told)
            say("lines of a source", lines, source=each.source, failed=len(each.failed))
        again = _pull(asker, names, _WORLD, pipe=pipe, whole=False)
        _tell("the same day again: nothing changed", again, first)
        later = replace(_WORLD, today=_TODAY + timedelta(days=3))
        next_day = _pull(asker, names, later, pipe=pipe, whole=False)
        _tell("the next session", next_day, first)
        once_more = _pull(asker, names, later, pipe=pipe, whole=False)
        _tell("and again: nothing changed", once_more, first)
        began = time.perf_counter()
        report = run_wave(lake, graph, probing="off")
        seconds = _short(time.perf_counter() - began)
        say("seconds of the wave after it", seconds, failed=len(report.failed))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say("peak memory of the asking process, MB", round(peak))


def _tell(name: str, pull: Pull, first: Pull) -> None:
    say(
        f"seconds: {name}",
        _short(pull.seconds),
        questions=pull.questions,
        failed=sum(len(each.failed) for each in pull.rounds),
        lines=pull.lines,
        lines_per_second=round(pull.lines / pull.seconds),
        stored=pull.stored,
        commits=pull.commits,
        share_of_the_first=_short(pull.seconds / first.seconds),
        of_the_server=_short(pull.of_server),
        share_without_it=_short(
            (pull.seconds - pull.of_server) / (first.seconds - first.of_server)
        ),
    )


def _short(value: float) -> float:
    return float(f"{value:.3g}")


def main() -> None:
    """Print one JSON line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tier", nargs="*", default=["P0"])
    parser.add_argument("--sources", nargs="*")
    words = parser.parse_args()
    graph = discover(loader.load(_REGISTRY))
    known = graph.registry.data_sources.sources
    names = words.sources or [
        name for name in sorted(graph.connectors) if known[name].tier in words.tier
    ]
    with tempfile.TemporaryDirectory() as folder:
        measure(graph, names, Path(folder))


if __name__ == "__main__":
    main()
