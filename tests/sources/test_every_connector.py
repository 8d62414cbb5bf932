"""Every connector against the replay server, over real sockets.

What goes well, and what goes wrong. A source that is added to the registry is tried here
without another word; none is patched.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.landing import Hint
from cbi_stream.engine.layouts import form_of
from cbi_stream.lake.lake import Lake
from cbi_stream.replay import switches
from cbi_stream.replay.sites import Reply
from cbi_stream.words import clock
from tests.sources.conftest import Bench, connectors, graph, keyed

CANARY = "canary0key0that0nobody0may0see00"
PROVENANCE = ("as_of", "stated", "batch", "first_seen_at", "parser")
NUMBERED = ("line", "sha256")
SOME = 8
"""So many of a connector's own questions are enough where all are asked elsewhere."""


@pytest.mark.parametrize("source", connectors())
def test_what_is_asked_for_comes_and_says_so(bench: Bench, source: str) -> None:
    """Every question is answered, with lines that can be read, and registered series."""
    told = bench.ask(source)
    assert [each.reason for each in told.failed] == []
    assert told.stored > 0
    rows = bench.rows(source)
    assert rows["problem"].count() == 0
    entry = graph().registry.data_sources.sources[source]
    if entry.key == "series":
        assert set(rows["series"]) & set(entry.series)


@pytest.mark.parametrize("source", connectors())
def test_nothing_new_commits_nothing(bench: Bench, source: str) -> None:
    """The same questions again: no line is news, and raw gets no version."""
    bench.ask(source, most=SOME)
    version, rows = bench.version(source), bench.rows(source)
    again = bench.ask(source, only=bench.names)
    assert [each.reason for each in again.failed] == []
    assert again.stored == 0
    assert bench.version(source) == version
    assert bench.rows(source).equals(rows)


@pytest.mark.parametrize("source", connectors())
def test_the_daily_poll_adds_what_came_since(bench: Bench, source: str) -> None:
    """A later day brings what is new with the source's own look-back, and no gap."""
    bench.ask(source, most=SOME)
    before = bench.rows(source).height
    later = bench.replay.world.today + timedelta(days=45)
    bench.replay.world = replace(bench.replay.world, today=later)
    told = bench.ask(source, since=None, most=SOME)
    assert [each.reason for each in told.failed] == []
    assert bench.rows(source).height > before


@pytest.mark.parametrize("source", connectors())
def test_a_true_empty_answer_is_a_success(bench: Bench, source: str) -> None:
    """There is nothing: that is said, fails nothing, and what was there stays."""
    bench.ask(source, most=2)
    rows = bench.rows(source)
    with bench.switched(source, switches.empty()):
        told = bench.ask(source, most=2)
    assert [each.reason for each in told.failed] == []
    assert told.stored == 0
    assert bench.rows(source).equals(rows)


@pytest.mark.parametrize("source", keyed())
def test_a_bad_key_is_named_and_seen_nowhere(bench: Bench, source: str) -> None:
    """The source turns it down, nothing is stored, and no file of the lake holds it."""
    bench.secret = lambda _: CANARY
    told = bench.ask(source, most=1)
    assert told.failed
    assert told.stored == 0
    assert all(source in (each.reason or "") for each in told.failed)
    assert CANARY not in repr(told)
    _canary_is_nowhere(bench.lake)


@pytest.mark.parametrize("source", keyed())
def test_the_right_key_is_seen_nowhere_either(bench: Bench, source: str) -> None:
    """Neither address, answer, journal, archive nor raw holds it, echoed or not."""
    world = bench.replay.world
    bench.replay.world = replace(world, key=CANARY)
    bench.secret = lambda _: CANARY
    told = bench.ask(source, most=3)
    assert [each.reason for each in told.failed] == []
    _canary_is_nowhere(bench.lake)


def _canary_is_nowhere(lake: Lake) -> None:
    held = [p for p in lake.folder.rglob("*") if p.is_file()]
    assert held
    assert [p for p in held if CANARY.encode() in p.read_bytes()] == []


HEALING = {
    "429 with Retry-After": switches.too_many(retry_after=0),
    "429 without": switches.too_many(),
    "503": switches.failing(503),
    "cut": switches.cut(),
}


@pytest.mark.parametrize("fault", HEALING, ids=str)
@pytest.mark.parametrize("source", connectors())
def test_what_heals_is_asked_again(bench: Bench, source: str, fault: str) -> None:
    """One bad answer is no failure."""
    with bench.switched(source, HEALING[fault], first=1):
        told = bench.ask(source, most=1)
    assert [each.reason for each in told.failed] == []
    assert told.stored > 0


LASTING = {
    "429": switches.too_many(),
    "500": switches.failing(500),
    "a page with 200": switches.page(),
    "a redirect to another host": switches.moved_away(),
    "cut": switches.cut(),
}


@pytest.mark.parametrize("fault", LASTING, ids=str)
@pytest.mark.parametrize("source", connectors())
def test_what_lasts_is_a_failure_that_names_the_source(
    bench: Bench, source: str, fault: str
) -> None:
    """Nothing is stored, the reason names the source, and what was there stays."""
    bench.ask(source, most=1)
    rows = bench.rows(source)
    later = bench.replay.world.today + timedelta(days=45)
    bench.replay.world = replace(bench.replay.world, today=later)
    with bench.switched(source, LASTING[fault]):
        told = bench.ask(source, most=1)
    assert told.failed
    assert told.stored == 0
    assert all(source in (each.reason or "") for each in told.failed)
    assert bench.rows(source).equals(rows)


@pytest.mark.parametrize("source", connectors())
def test_half_an_answer_with_a_right_length_is_never_taken_for_a_whole_one(
    bench: Bench, source: str
) -> None:
    """What ends too early fails, or, of lines, gives no line that is not in the whole."""
    bench.ask(source, most=1)
    whole = _content(bench.rows(source))
    other = Lake.create(
        bench.lake.folder.parent / "b", graph().registry, kind="simulated"
    )
    bench.lake = other
    with bench.switched(source, switches.truncated()):
        told = bench.ask(source, most=1)
    if told.stored:
        half = _content(bench.rows(source).filter(pl.col("problem").is_null()))
        assert half.join(
            whole, on=half.columns, how="anti", nulls_equal=True
        ).is_empty()
    else:
        assert told.failed


def _of_tables(fault: switches.Fault) -> switches.Fault:
    """Return a fault of the schema that leaves alone what has none that it knows.

    Pages, archives and sheets on the way to the data stay as they are; so do lists of
    lists. Their drift is tried in tests of their own parsers.
    """

    def drifted(reply: Reply) -> Reply:
        assert fault.body is not None
        if form_of(reply.data) not in ("json", "text"):
            return reply
        try:
            return fault.body(reply)
        except ValueError:
            return reply

    return replace(fault, body=drifted)


DRIFT = {
    "renamed": _of_tables(switches.renamed()),
    "retyped": _of_tables(switches.retyped()),
    "reordered": _of_tables(switches.reordered()),
}


@pytest.mark.parametrize("fault", DRIFT, ids=str)
@pytest.mark.parametrize("source", connectors())
def test_drift_is_read_right_or_refused(bench: Bench, source: str, fault: str) -> None:
    """No answer of another shape gives other values, or fewer, without a word."""
    bench.ask(source, most=1)
    whole = _content(bench.rows(source))
    other = Lake.create(
        bench.lake.folder.parent / "b", graph().registry, kind="simulated"
    )
    bench.lake = other
    with bench.switched(source, DRIFT[fault]):
        told = bench.ask(source, most=1)
    if told.failed:
        assert all(source in (each.reason or "") for each in told.failed)
        return
    found = bench.rows(source)
    good = _content(found.filter(pl.col("problem").is_null()))
    assert good.join(whole, on=good.columns, how="anti", nulls_equal=True).is_empty()
    if not any(each.unreadable for each in told.told):
        assert good.height == whole.height


@pytest.mark.parametrize("source", connectors())
def test_the_answer_dropped_by_hand_gives_the_same_rows(
    bench: Bench, source: str
) -> None:
    """The bytes of the archive, under the name of the question: one parser for both."""
    told = bench.ask(source, most=3)
    lines = bench.rows(source)
    other = Lake.create(
        bench.lake.folder.parent / "b", graph().registry, kind="simulated"
    )
    names = {each.name for each in told.told if each.outcome == "landed" and each.lines}
    notes = _files_of(bench)
    with clock.held_at(bench.replay.world.now):
        for note in notes:
            assert note["name"] in names
            file = bench.lake.folder.parent / note["name"]
            file.write_bytes(bench.lake.archive.read(note["sha256"]))
            landing.drop(other, file, Hint(source=source, key=note["key"] or None))
            for receipt in landing.take_in(other, graph()):
                assert receipt.taken, receipt.reason
    dropped = replace_lake(bench, other).rows(source)
    assert _content(dropped).equals(_content(lines))


def replace_lake(bench: Bench, lake: Lake) -> Bench:
    """Return the bench with another lake."""
    return Bench(lake, bench.replay, bench.secret, bench.stop)


def _files_of(bench: Bench) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for name in sorted(bench.lake.registry.contracts):
        table = bench.lake.table(name)
        if name.startswith("raw.") and table.head()[0] >= 0:
            found += table.head()[1].note.get("files", [])
    return found


def _content(rows: pl.DataFrame) -> pl.DataFrame:
    """Return what rows say, numbers as numbers: 1,234.50 and 1234.5 say the same."""
    said = rows.drop(*PROVENANCE, *NUMBERED)
    cells = [n for n, kind in said.schema.items() if kind == pl.String]
    plain = [
        pl.coalesce(
            pl.col(n)
            .str.replace_all(",", "")
            .cast(pl.Float64, strict=False)
            .cast(pl.String),
            n,
        )
        for n in cells
        if n not in ("series", "symbol", "contract")
    ]
    said = said.with_columns(plain)
    return said.unique(maintain_order=False).sort(said.columns)
