"""The demo's steps in which sources are asked: a server on this machine answers for them.

It speaks the true formats, over a real socket, of a world that is simulated. No host
outside this machine is asked.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cbi_stream.cli.stage import Stage
from cbi_stream.doors.fetch import Fetcher, Patience
from cbi_stream.doors.journal import Journals
from cbi_stream.doors.logs import silent
from cbi_stream.doors.polling import Asker, poll
from cbi_stream.doors.readers import Here
from cbi_stream.doors.rounds import Round
from cbi_stream.lake.lake import Lake
from cbi_stream.replay import switches
from cbi_stream.replay.server import Replay
from cbi_stream.replay.world import World
from cbi_stream.words import clock

ASKED = ("eia", "esr", "nass", "open_meteo", "pinksheet", "wasde")
_WORLD = World(seed=7)
_DAYS = timedelta(days=150)
_QUICK = Patience(tries=2, first=0.01, longest=0.05)


def sources_asked(stage: Stage) -> None:
    """Ask six sources, ask them again, and let one answer with a web page."""
    what = (
        f"{len(ASKED)} sources are asked for the last {_DAYS.days} days. A server on this "
        "machine answers in their own formats: JSON, workbooks, reports in XML."
    )
    with Replay(_WORLD) as replay, Fetcher(replay=replay.base, patience=_QUICK) as door:
        asker = Asker(
            stage.lake,
            stage.graph,
            fetcher=door,
            reader=Here(),
            journals=Journals(stage.lake),
            log=silent(),
            secret=lambda _: _WORLD.key,
        )
        with stage.step("Sources are asked", what):
            _first_time(stage, asker)
        with stage.step("And asked again", "The same questions, the same answers."):
            _again(stage, asker)
        what = "One of them answers with a web page, and with status 200."
        with stage.step("A page instead of data", what):
            replay.switches.set("api.eia.gov", switches.page())
            _page(stage, asker)


def _first_time(stage: Stage, asker: Asker) -> None:
    rounds = _asked(asker)
    rows = [(r.source, len(r.told), _lines(r), r.stored) for r in rounds]
    stage.table("asked", ["source", "questions", "lines", "new"], rows)
    failed = [told.reason for r in rounds for told in r.failed]
    stage.promise("every question is answered", kept=not failed)
    stage.settle()
    staged = [r.source for r in rounds if stage.rows(f"staging.{r.source}").height]
    stage.promise("each source has staged numbers", kept=staged == list(ASKED))
    keys = [p for p in stage.lake.folder.rglob("*") if p.is_file() and _holds_key(p)]
    stage.promise("no file of the lake holds a key", kept=not keys)


def _again(stage: Stage, asker: Asker) -> None:
    before, roots = _versions(stage.lake), stage.snapshot()
    rounds = _asked(asker)
    stored = sum(each.stored for each in rounds)
    stage.promise("none of the lines is news", kept=stored == 0)
    same = _versions(stage.lake) == before and stage.snapshot() == roots
    stage.promise("no table has a new version, raw neither", kept=same)


def _page(stage: Stage, asker: Asker) -> None:
    before, world = _versions(stage.lake), _WORLD
    with clock.held_at(world.now):
        told = poll(asker, "eia", since=world.today - _DAYS)
    reason = told.failed[0].reason or "" if told.failed else ""
    stage.say(f"  {reason}")
    named = reason.startswith("eia: ") and "page" in reason
    stage.promise("the error names the source, and that it is a page", kept=named)
    kept = len(told.failed) == len(told.told) and _versions(stage.lake) == before
    stage.promise("nothing was stored, and what was there stays", kept=kept)


def _asked(asker: Asker) -> list[Round]:
    world = _WORLD
    with clock.held_at(world.now):
        return [poll(asker, name, since=world.today - _DAYS) for name in ASKED]


def _lines(told: Round) -> int:
    return sum(each.lines for each in told.told)


def _versions(lake: Lake) -> dict[str, int]:
    return {name: lake.table(name).head()[0] for name in lake.registry.contracts}


def _holds_key(path: Path) -> bool:
    return _WORLD.key.encode() in path.read_bytes()
