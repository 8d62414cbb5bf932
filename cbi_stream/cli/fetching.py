"""Asks sources now, and says what came of it: the part of `ingest` that goes outside.

It appends to raw, which any process may, and never computes a table.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date

from cbi_stream.cli import show
from cbi_stream.cli.ending import heard
from cbi_stream.doors.fetch import Fetcher
from cbi_stream.doors.journal import FOLDER, Journals
from cbi_stream.doors.logs import open_log
from cbi_stream.doors.pace import Turns
from cbi_stream.doors.polling import Asker, poll
from cbi_stream.doors.readers import Child
from cbi_stream.doors.rounds import Round
from cbi_stream.doors.secrets import secret
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import CbiError, LockHeld, WrongUsage

FAILED, PARTIAL, AGAIN = 1, 4, 75


@dataclass(frozen=True, slots=True)
class How:
    """How far back is asked, and how soon."""

    since: date | None = None
    """The first date to ask for; None: the source's look-back."""
    whole: bool = False
    """Whether all of history is asked for."""
    jitter: float = 0.0
    """Seconds to wait under each source's lock before it is asked."""


def fetched(
    lake: Lake,
    graph: Graph,
    names: Sequence[str],
    *,
    how: How | None = None,
    json: bool = False,
) -> int:
    """Ask sources one after the other; return the exit code.

    Args:
        lake: the lake.
        graph: its parsers and connectors.
        names: the sources.
        how: how far back.
        json: print one JSON object.
    """
    rounds: list[Round] = []
    problems: dict[str, str] = {}
    codes: dict[str, int] = {}
    with asking(lake, graph) as asker:
        for name in names:
            if asker.stop.is_set():
                break
            try:
                rounds.append(poll(asker, name, **asdict(how or How())))
            except CbiError as error:
                if isinstance(error, LockHeld) and len(names) == 1:
                    raise
                problems[name], codes[name] = str(error), error.exit_code
                asker.log.warning("poll.failed", source=name, reason=str(error))
    if json:
        plain = [{**asdict(each), "stored": each.stored} for each in rounds]
        show.as_json({"kind": lake.kind, "polls": plain, "failed": problems})
    else:
        _print(rounds, problems)
    return _code(rounds, codes)


def askable(graph: Graph, source: str | None, *, every: bool) -> list[str]:
    """Return the sources that are meant.

    Raises:
        WrongUsage: none is meant, or one that cannot be asked.
    """
    known = sorted(graph.connectors)
    if every and source is None:
        return known
    if source is None or every:
        msg = "expected one SOURCE, or --all"
        raise WrongUsage(msg)
    if source not in graph.connectors:
        how = "is handed in by hand: cbi drop FILE, or cbi ingest SOURCE --folder DIR"
        said = f"{source} {how}" if source in graph.parsers else f"found {source!r}"
        msg = f"expected one of the sources {', '.join(known) or '(none)'}; {said}"
        raise WrongUsage(msg)
    return [source]


@contextmanager
def asking(lake: Lake, graph: Graph) -> Iterator[Asker]:
    """Give whoever asks sources: a lake that is simulated asks a replay server alone.

    Raises:
        WrongUsage: the lake is simulated and no replay server is named.
    """
    replay = lake.registry.data_sources.replay
    if lake.kind == "simulated" and replay is None:
        msg = (
            "a simulated lake asks no true source: start `cbi replay` and put its "
            "address into registry/data_sources.yaml (replay: http://127.0.0.1:PORT)"
        )
        raise WrongUsage(msg)
    stop = threading.Event()
    log = open_log(lake.folder, to_stderr=False)
    turns = Turns(lake.folder / FOLDER, stop=stop)
    with (
        heard(stop.set),
        Fetcher(turns=turns, replay=replay, log=log, stop=stop) as fetcher,
        Child(graph) as reader,
    ):
        yield Asker(
            lake,
            graph,
            fetcher=fetcher,
            reader=reader,
            journals=Journals(lake),
            log=log,
            secret=secret,
            stop=stop,
        )
    log.close()


def _print(rounds: Sequence[Round], problems: dict[str, str]) -> None:
    columns = ["source", "questions", "landed", "same", "empty", "failed", "new lines"]
    rows = []
    for each in rounds:
        outcomes = [told.outcome for told in each.told]
        counts = [outcomes.count(o) for o in ("landed", "same", "empty", "failed")]
        rows.append((each.source, len(outcomes), *counts, each.stored))
    show.table("asked", columns, rows)
    for each in rounds:
        show.failures({told.name: told.reason or "" for told in each.failed})
    show.failures(problems)
    if any(each.stored for each in rounds):
        show.note("next: cbi run --until-idle (a running dispatcher has begun already)")


def _code(rounds: Sequence[Round], codes: dict[str, int]) -> int:
    if codes and not rounds:
        return next(iter(codes.values()))
    failed = any(each.failed for each in rounds) or bool(codes)
    answered = any(t.outcome != "failed" for each in rounds for t in each.told)
    if failed and not answered:
        return AGAIN
    return PARTIAL if failed else 0
