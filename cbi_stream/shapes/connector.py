"""What a connector asks of a source, and what comes back. It never opens a connection.

A connector is pure: it says what to ask for (`Want`), judges each answer, and says what
to ask next. Who sends the questions, waits, retries, keeps the key and stores the bytes
is no concern of its own.

    @connector("bcb")
    def bcb(poll: Poll) -> Iterator[Want]:
        yield Want("bcb_sgs_1.json", "https://api.bcb.gov.br/...", key="1", judge=...)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

Form = Literal["text", "json", "zip", "xlsx", "xls", "xml", "gzip", "page"]
"""What the first bytes of an answer or file must be. `page` is a web page that was
asked for, to find a link on it."""

SECRET = "{secret}"  # noqa: S105 - a place holder
"""Stands in params, headers, url or body for the source's key; it is put in as the
question is sent, and seen by nobody else."""

Verdict = Literal["data", "empty"]
"""data: there is something in it. empty: a true answer that there is nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source said, before anybody read it."""

    url: str
    """Without secrets."""
    status: int
    content_type: str
    fetched_at: datetime
    data: bytes
    """Unpacked from the transfer's own compression; a secret that it echoes is out."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """With names in lower case."""


Judge = Callable[[Answer], Verdict]
Follow = Callable[[Answer], "Iterable[Want]"]


def has_data(_: Answer) -> Verdict:
    """Judge nothing but what the form says already."""
    return "data"


def no_more(_: Answer) -> Iterable[Want]:
    """Ask nothing after an answer."""
    return ()


@dataclass(frozen=True, slots=True)
class Want:
    """One question, and what to do with its answer."""

    name: str
    """The file name that the answer would have if a person dropped it; the same for the
    same question each day. It is also the name of the question in the journal."""
    url: str
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    """A JSON body: then the question is a POST."""
    basic: bool = False
    """Whether the key is the user name of HTTP Basic, without a password."""
    key: str = ""
    """The symbol or series that the answer is about, as the registry names it; empty
    where each line names its own."""
    expect: Form = "json"
    header: str | None = None
    """Of text: a pattern that the first line must match."""
    accept: tuple[int, ...] = (200,)
    """The statuses that reach `judge`; any other is a failure of its own."""
    retry: tuple[int, ...] = ()
    """Statuses to try again besides 429 and 5xx."""
    judge: Judge = has_data
    """Whether there is anything in it.

    Raises SourceRefused (asking again cannot help: a bad key, an unknown series) or
    SourceUnavailable (it may)."""
    follow: Follow = no_more
    """What to ask next: the next page, the files that a catalogue names."""
    lands: bool = True
    """Whether the answer holds data; False for a catalogue or an index."""
    cursor: str | None = None
    """What `Poll.cursor` gives for this name once the answer has landed."""


@dataclass(frozen=True, slots=True)
class Poll:
    """What a connector may know: the registry, and how far the lake has come."""

    source: Any
    """The source's entry in data_sources.yaml."""
    today: date
    """The day at the source, in its own zone."""
    cursors: Mapping[str, str] = field(default_factory=dict)
    landed: Mapping[str, date] = field(default_factory=dict)
    """When each question was last answered with data that was taken, by its name."""
    asked_since: date | None = None
    """What a person asked for with --since."""
    keyed: bool = False
    """Whether there is a key; a connector with a keyless way takes it where not."""
    symbols: tuple[str, ...] = ()
    """The symbols of universe.yaml."""
    whole: bool = False
    """Whether all of history is asked for, whatever has landed."""

    def since(self, name: str) -> date:
        """Return the first date to ask for.

        All of history the first time; later the look-back before the day on which this
        question was last answered.
        """
        if self.asked_since is not None:
            return self.asked_since
        start: date = self.source.fetch.history_from
        last = self.landed.get(name)
        if last is None or self.whole:
            return start
        earliest: date = last - self.source.fetch.looks_back
        return max(start, earliest)

    def cursor(self, name: str) -> str | None:
        """Return what the question of this name last left, unless all is asked for."""
        return None if self.whole or self.asked_since else self.cursors.get(name)


Ask = Callable[[Poll], Iterator[Want]]


@dataclass(frozen=True, slots=True)
class Connector:
    """How one source of data_sources.yaml is asked."""

    source: str
    wants: Ask


def connector(name: str) -> Callable[[Ask], Connector]:
    """Declare the connector of the source called `name` in data_sources.yaml."""

    def declare(function: Ask) -> Connector:
        return Connector(name, function)

    return declare
