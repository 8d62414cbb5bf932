"""A lake that asks the replay server over real sockets. No host is real."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cbi_stream.doors.fetch import Fetcher, Patience
from cbi_stream.doors.journal import Journals
from cbi_stream.doors.logs import silent
from cbi_stream.doors.polling import Asker, poll
from cbi_stream.doors.readers import Here
from cbi_stream.doors.rounds import Round
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.lake.lake import Lake
from cbi_stream.registry import loader
from cbi_stream.replay.server import Replay
from cbi_stream.replay.sites import discover as discover_sites
from cbi_stream.replay.world import World
from cbi_stream.shapes.connector import Poll, Want
from cbi_stream.words import clock

QUICK = Patience(tries=3, first=0.01, longest=0.05, bound=0.5, connect=5.0)
SINCE = date(2024, 3, 1)
WORLD = World(seed=7, today=date(2024, 6, 28))


@cache
def graph() -> Graph:
    """Return the project's handlers, parsers and connectors."""
    return discover(
        loader.load(Path(__file__).resolve().parents[2] / "registry"), "handlers"
    )


def connectors() -> list[str]:
    """Return the sources that can be asked."""
    return sorted(graph().connectors)


def keyed() -> list[str]:
    """Return the sources whose hosts look at a key."""
    sources, sites = graph().registry.data_sources.sources, discover_sites()
    return [
        name
        for name in connectors()
        if (fetch := sources[name].fetch)
        and fetch.secret
        and any(h in sites and sites[h].key_in for h in fetch.hosts)
    ]


@dataclass
class Bench:
    """A lake, a server, and a way to ask it."""

    lake: Lake
    replay: Replay
    secret: Callable[[str], str | None]
    stop: threading.Event
    names: tuple[str, ...] = ()
    """The names of the connector's own questions at the last poll."""

    def ask(
        self,
        source: str,
        *,
        since: date | None = SINCE,
        whole: bool = False,
        most: int | None = None,
        only: Collection[str] | None = None,
    ) -> Round:
        """Poll a source once.

        Args:
            source: its name.
            since: the first date to ask for.
            whole: ask for all of history.
            most: so many of the connector's own questions are asked.
            only: the names of those that are asked.
        """
        known, lake = graph(), self.lake
        asked = known.connectors[source]

        def wants(about: Poll) -> list[Want]:
            every = graph().connectors[source].wants(about)
            kept = (w for w in every if only is None or w.name in only)
            chosen = list(islice(kept, most))
            self.names = tuple(want.name for want in chosen)
            return chosen

        asked = replace(asked, wants=lambda about: iter(wants(about)))
        known = replace(known, connectors={**known.connectors, source: asked})
        with (
            clock.held_at(self.replay.world.now),
            Fetcher(replay=self.replay.base, stop=self.stop, patience=QUICK) as fetcher,
        ):
            asker = Asker(
                lake,
                known,
                fetcher=fetcher,
                reader=Here(),
                journals=Journals(lake),
                log=silent(strict=True),
                secret=self.secret,
            )
            return poll(asker, source, since=since, whole=whole)

    @contextmanager
    def switched(self, source: str, fault: Any, **limits: Any) -> Iterator[None]:
        """Let something go wrong at all hosts of a source inside the block."""
        entry = graph().registry.data_sources.sources[source]
        assert entry.fetch is not None
        hosts = [h for h in entry.fetch.hosts if h in self.replay.sites]
        assert hosts, f"no site speaks for {entry.fetch.hosts}"
        for host in hosts:
            self.replay.switches.set(host, fault, **limits)
        yield
        for host in hosts:
            self.replay.switches.clear(host)

    def rows(self, source: str) -> pl.DataFrame:
        """Return what raw holds of a source."""
        name = graph().registry.data_sources.sources[source].raw
        table = self.lake.table(name)
        return table.read(table.head()[1].partitions.values())

    def version(self, source: str) -> int:
        """Return the version of its raw table; -1 where it does not exist."""
        name = graph().registry.data_sources.sources[source].raw
        return self.lake.table(name).head()[0]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return an empty simulated lake and a server; every key is the world's."""
    lake = Lake.create(tmp_path / "lake", graph().registry, kind="simulated")
    with Replay(WORLD) as replay:
        yield Bench(lake, replay, lambda _: WORLD.key, threading.Event())
