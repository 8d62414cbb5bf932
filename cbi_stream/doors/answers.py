"""One answer of a source: which layout it is, its lines, and what the journal says of it.

It reads what was fetched with the parsers of that source alone; it asks nobody and
appends nothing.
"""

from __future__ import annotations

import hashlib
from datetime import date

import polars as pl

from cbi_stream.doors import filing, reading, strangers
from cbi_stream.doors.filing import Papers
from cbi_stream.doors.journal import Outcome, Question
from cbi_stream.doors.readers import Reader
from cbi_stream.doors.reading import Task
from cbi_stream.doors.receipts import Receipt, Refused, Waits
from cbi_stream.doors.recognise import Recognised
from cbi_stream.doors.stated import taken_apart
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.layouts import HEAD_BYTES, form_of, layouts_of, shown_to
from cbi_stream.lake.lake import Lake
from cbi_stream.shapes.connector import Answer, Want
from cbi_stream.words import clock

_MEND = (
    "the source has changed the shape of its answers: its parser in handlers/ingest "
    "must be mended; until then the last good data stands"
)


def read(
    lake: Lake, graph: Graph, reader: Reader, source: str, asked: tuple[Want, Answer]
) -> tuple[Papers, pl.DataFrame]:
    """Return the lines of an answer, with what must be known to append them.

    Raises:
        Refused: no layout of the source is this, or it cannot be read.
        Waits: it is not whole.
    """
    want, answer = asked
    found = _recognised(lake, graph, source, want, answer.data)
    task = Task(found.key or None, want.name.endswith(".gz"))
    lines = filing.judged(lake, reader.read(found.parser, answer.data, task))
    # A clock that was set back must not make it an answer from the future.
    as_of = min(answer.fetched_at, clock.now())
    sha256 = hashlib.sha256(answer.data).hexdigest()
    return Papers(found, want.name, sha256, as_of, fetched=True), lines


def _recognised(
    lake: Lake, graph: Graph, source: str, want: Want, data: bytes
) -> Recognised:
    named = taken_apart(want.name)
    head = data[:HEAD_BYTES]
    if named.gzipped:
        head = reading.unpacked_head(head, HEAD_BYTES)
    form = form_of(head)
    shown = shown_to(form, head, name=named.plain)
    fitting = layouts_of(graph.parsers[source], head, name=named.plain)
    if not fitting:
        why = f"no layout of {source} is this {form}: {shown[:80]!r}"
        if form == "text":
            why, _ = strangers.about(shown, graph.parsers[source])
        raise Refused(why, _MEND)
    entry = lake.registry.data_sources.sources[source]
    said = fitting[0].key_of(shown) or ""
    key = want.key or entry.aliases.get(said, said)
    return Recognised(fitting[0], entry, key, "fetched")


def receipt_of_refusal(
    source: str, want: Want, answer: Answer, refusal: Refused | Waits
) -> Receipt:
    """Return the receipt of an answer whose bytes go to the quarantine."""
    return Receipt(
        want.name,
        "quarantine",
        source=source,
        key=want.key,
        as_of=answer.fetched_at,
        as_of_by="fetched",
        sha256=hashlib.sha256(answer.data).hexdigest(),
        bytes=len(answer.data),
        reason=f"{answer.url}: {refusal}",
        mend=refusal.mend or _MEND,
    )


def question_of(
    want: Want,
    answer: Answer | None,
    outcome: Outcome,
    *,
    lines: pl.DataFrame | None = None,
    key: str | None = None,
    reason: str | None = None,
) -> Question:
    """Return what the journal says of a question.

    Args:
        want: the question.
        answer: its answer; None where there is none.
        outcome: what became of it.
        lines: those of an answer that is taken.
        key: the symbol or series that it is about, where the answer itself says it.
        reason: why it failed.
    """
    if answer is None:
        return Question(clock.now(), want.name, outcome, want.key, reason=reason)
    return Question(
        answer.fetched_at,
        want.name,
        outcome,
        want.key if key is None else key,
        status=answer.status,
        url=answer.url,
        content_type=answer.content_type,
        bytes=len(answer.data),
        sha256=hashlib.sha256(answer.data).hexdigest(),
        etag=answer.headers.get("etag"),
        last_modified=answer.headers.get("last-modified"),
        cursor=want.cursor if outcome in ("landed", "same") else None,
        newest=None if lines is None else _newest(lines),
        reason=reason,
    )


def _newest(lines: pl.DataFrame) -> date | None:
    if not lines.height:
        return None
    newest = lines.filter(pl.col("problem").is_null())["date"].max()
    return newest if isinstance(newest, date) else None
