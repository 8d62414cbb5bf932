"""One poll of one source: its questions asked, its answers taken into the archive and raw.

Answers go the way of dropped files: archived first, read by the same parsers, appended by
the same door. What is wrong with one answer stops no other, and an answer that brings
nothing new commits nothing. It never waits for an hour: that is the schedule's.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from cbi_stream.doors import answers, filing
from cbi_stream.doors.dropping import aside_bytes
from cbi_stream.doors.fetch import Conditional, Fetcher, Unchanged
from cbi_stream.doors.filing import Papers
from cbi_stream.doors.journal import Journals, Outcome, Question
from cbi_stream.doors.logs import Log
from cbi_stream.doors.readers import Reader
from cbi_stream.doors.receipts import Refused, Waits
from cbi_stream.doors.rounds import Round, Told
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from cbi_stream.registry.sources import Source
from cbi_stream.shapes.connector import Answer, Poll, Want
from cbi_stream.words import clock
from cbi_stream.words.errors import CbiError, NoSecret, SourceRefused

_MOST_TOGETHER = 64
_MOST_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Asker:
    """What is needed to ask sources."""

    lake: Lake
    graph: Graph
    fetcher: Fetcher
    reader: Reader
    journals: Journals
    log: Log
    secret: Callable[[str], str | None]
    stop: threading.Event = field(default_factory=threading.Event)
    """Set to end after the question at hand."""


@dataclass(slots=True)
class _Taken:
    """An answer that was read, and is not appended yet."""

    want: Want
    question: Question
    papers: Papers
    lines: pl.DataFrame


def poll(
    asker: Asker,
    name: str,
    *,
    since: date | None = None,
    whole: bool = False,
    jitter: float = 0.0,
) -> Round:
    """Ask a source all its questions once, and take in what is news.

    Args:
        asker: who asks.
        name: a source of data_sources.yaml that has `fetch`.
        since: the first date to ask for; without it the source's own look-back.
        whole: ask for all of history.
        jitter: seconds to wait once the source is ours, so that not all who ask it by
            the same clock come at once.

    Raises:
        LockHeld: another run asks this source now.
        NoSecret: it has no keyless way, and its key is set nowhere.
    """
    with asker.journals.asking(name):
        asker.stop.wait(jitter)
        asked = _Poll(asker, name, since=since, whole=whole)
        asked.run()
    return asked.round


class _Poll:
    """The state of one poll."""

    def __init__(
        self, asker: Asker, name: str, *, since: date | None, whole: bool
    ) -> None:
        self.asker, self.name = asker, name
        self.source: Source = asker.lake.registry.data_sources.sources[name]
        assert self.source.fetch is not None
        self.fetch = self.source.fetch
        self.journal = asker.journals.read(name)
        self.round = Round(name)
        self.key = asker.secret(self.fetch.secret) if self.fetch.secret else None
        self.whole = whole
        self.waiting: list[_Taken] = []
        self.size = 0
        if self.fetch.secret and not self.fetch.keyless and not self.key:
            msg = (
                f"{name} needs a key, and {self.fetch.secret} is set nowhere: put it "
                "into the environment, or see docs/tasks/ask-a-source.md"
            )
            raise NoSecret(msg)
        known = asker.lake.registry
        self.poll = Poll(
            source=self.source,
            today=clock.now().astimezone(ZoneInfo(self.source.zone)).date(),
            cursors=self.journal.cursors,
            landed=self.journal.landed,
            asked_since=since,
            keyed=self.key is not None,
            symbols=tuple(known.universe.symbols),
            whole=whole,
        )

    def run(self) -> None:
        """Ask question after question; what an answer leads to comes next."""
        wants = deque(self.asker.graph.connectors[self.name].wants(self.poll))
        while wants:
            if self.asker.stop.is_set():
                self.round.stopped = True
                break
            want = wants.popleft()
            try:
                wants.extendleft(reversed(list(self._one(want))))
            except CbiError as error:
                self._failed(want, str(error))
            if len(self.waiting) >= _MOST_TOGETHER or self.size >= _MOST_BYTES:
                self._append()
        self._append()

    def _one(self, want: Want) -> Iterable[Want]:
        """Ask one question; return those that its answer leads to."""
        said = {} if self.whole else self.journal.validators(want.name)
        conditional = Conditional(
            etag=said.get("If-None-Match"), last_modified=said.get("If-Modified-Since")
        )
        answer = self.asker.fetcher.ask(
            want,
            self.fetch,
            source=self.name,
            secret=self.key,
            conditional=conditional if said else None,
        )
        if isinstance(answer, Unchanged):
            self._note(want, None, "same")
            return ()
        try:
            empty = want.judge(answer) == "empty"
            further = want.follow(answer)
        except CbiError:
            raise
        except Exception as error:
            # The shape of the answer is not the one that the connector knows.
            msg = (
                f"{self.name}: {want.name}: the answer is not as expected: "
                f"{type(error).__name__}: {error}"
            )
            raise SourceRefused(msg) from error
        if empty:
            self._note(want, answer, "empty")
        elif want.lands:
            self._take(want, answer)
        return further

    def _take(self, want: Want, answer: Answer) -> None:
        """Archive an answer and read it; its lines wait to be appended together."""
        lake, sha256 = self.asker.lake, hashlib.sha256(answer.data).hexdigest()
        before = self.journal.last_by_name.get(want.name)
        # Bytes that were refused last time are refused again, and not "the same".
        if before and before.outcome in ("landed", "same") and before.sha256 == sha256:
            self._note(want, answer, "same")
            return
        lake.archive.keep(answer.data)
        try:
            papers, lines = answers.read(
                lake, self.asker.graph, self.asker.reader, self.name, (want, answer)
            )
        except (Refused, Waits) as refusal:
            told = answers.receipt_of_refusal(self.name, want, answer, refusal)
            aside_bytes(lake, answer.data, told)
            self._failed(want, f"{self.name}: {want.name}: {refusal}", answer)
            return
        question = answers.question_of(
            want, answer, "landed", lines=lines, key=papers.found.key
        )
        self.waiting.append(_Taken(want, question, papers, lines))
        self.size += len(answer.data)

    def _append(self) -> None:
        """Append what was read, in one commit; then say so in the journal."""
        taken, self.waiting, self.size = self.waiting, [], 0
        full = [each for each in taken if each.lines.height]
        if not self._appended(full):
            for each in full:  # each alone says what is wrong with it
                self._appended([each], alone=True)
        for each in taken:
            if not each.lines.height:
                self._tell(each, stored=0)

    def _appended(self, taken: list[_Taken], *, alone: bool = False) -> bool:
        if not taken:
            return True
        asker = self.asker
        try:
            done = filing.append(
                asker.lake,
                asker.graph,
                asker.reader,
                [(each.papers, each.lines) for each in taken],
            )
        except CbiError as error:
            if not alone:
                return False
            for each in taken:
                self._failed(each.want, str(error))
            return True
        for each, appended in zip(taken, done, strict=True):
            self._tell(each, stored=appended.stored)
        return True

    def _tell(self, taken: _Taken, *, stored: int) -> None:
        asker, lines = self.asker, taken.lines
        # No cursor passes over a part that failed: else that part is never asked again.
        failed = any(each.series == taken.want.key for each in self.round.failed)
        cursor = None if failed else taken.question.cursor
        asker.journals.append(self.name, replace(taken.question, cursor=cursor))
        told = Told(
            taken.want.name,
            taken.want.key,
            "landed",
            lines=lines.height,
            stored=stored,
            unreadable=lines["problem"].count() if lines.height else 0,
        )
        self.round.told.append(told)
        asker.log.info(
            "answer.taken",
            source=self.name,
            name=told.name,
            lines=told.lines,
            stored=stored,
            unreadable=told.unreadable,
        )

    def _note(self, want: Want, answer: Answer | None, outcome: Outcome) -> None:
        self.asker.journals.append(
            self.name, answers.question_of(want, answer, outcome)
        )
        self.round.told.append(Told(want.name, want.key, outcome))

    def _failed(self, want: Want, why: str, answer: Answer | None = None) -> None:
        why = why if why.startswith(self.name) else f"{self.name}: {why}"
        question = answers.question_of(want, answer, "failed", reason=why)
        self.asker.journals.append(self.name, question)
        self.round.told.append(Told(want.name, want.key, "failed", why))
        self.asker.log.warning(
            "question.failed", source=self.name, name=want.name, reason=why
        )
