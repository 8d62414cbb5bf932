"""Judges what a source said, by its status and its bytes: an answer, or why there is none.

It never asks again by itself: it only says whether that may help, and how soon.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any

from cbi_stream.doors import content, question
from cbi_stream.doors.question import Question
from cbi_stream.doors.secrets import redact, redact_bytes
from cbi_stream.registry.fetching import Fetch
from cbi_stream.shapes.connector import Answer, Want
from cbi_stream.words import clock
from cbi_stream.words.errors import CbiError, SourceRefused, SourceUnavailable

_FOR_EVER = {301, 308}


@dataclass(frozen=True, slots=True)
class Conditional:
    """What the last answer said of itself: it is asked for only if that changed."""

    etag: str | None = None
    last_modified: str | None = None

    @classmethod
    def of(cls, answer: Answer) -> Conditional:
        """Return what an answer said of itself."""
        headers = answer.headers
        return cls(headers.get("etag"), headers.get("last-modified"))

    def headers(self) -> dict[str, bytes]:
        """Return it as a source wants it to be asked."""
        said = {"if-none-match": self.etag, "if-modified-since": self.last_modified}
        return {name: value.encode() for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The source has nothing else than it had."""

    url: str
    """Without secrets."""
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a try gave nothing. No exception: those of a client hold the whole address."""

    said: str
    again: bool = True
    """Whether the same question may be asked again at once."""
    error: type[CbiError] = SourceUnavailable
    wait: float = 0.0
    """How many seconds the source asks to wait."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back, before anybody judged it."""

    status: int
    headers: dict[str, str]
    data: bytes = b""
    cut: bool = False
    """Whether its packing ends too early."""


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """One question with all that its answer is judged by."""

    want: Want
    fetch: Fetch
    source: str
    question: Question
    conditional: Conditional | None = None

    def clean(self, text: str) -> str:
        """Return a text without secrets."""
        return redact(text, self.question.known)

    def told(self, url: str) -> str:
        """Return an address without secrets."""
        return question.told(url, self.question.known)

    def about(self, *, status: int | None = None, **values: Any) -> dict[str, Any]:
        """Return the values by which a log event names the question."""
        said = {} if status is None else {"status": status}
        return {"source": self.source, "name": self.want.name, **said, **values}


def judged(heard: Heard, asked: Asked, url: str) -> Answer | Unchanged | Failure:
    """Return the answer, or why there is none."""
    # Before anything is quoted from it: half a key is no longer found.
    heard = replace(heard, data=redact_bytes(heard.data, asked.question.known))
    status, want = heard.status, asked.want
    if status in want.accept:
        return _unfit(heard, want) or _answer(heard, asked, url)
    if status == 304 and asked.conditional is not None:
        return Unchanged(asked.told(url), clock.now())
    said = f"expected status {_statuses(want)}; found {status}"
    if heard.data:
        said += f", which says {content.words(heard.data)}"
    if status == 429 or status >= 500 or status in want.retry:
        return Failure(said, wait=seconds_asked(heard.headers.get("retry-after")))
    error = SourceUnavailable if status < 300 else SourceRefused
    return Failure(said, again=False, error=error)


def seconds_asked(said: str | None) -> float:
    """Return how many seconds a Retry-After asks for; 0 where it says nothing."""
    said = (said or "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - clock.now()).total_seconds())


def bounded(
    outcome: Answer | Unchanged | Failure, bound: float
) -> Answer | Unchanged | Failure:
    """Return an outcome; where it asks for a longer wait than the bound, give up."""
    if not isinstance(outcome, Failure) or outcome.wait <= bound:
        return outcome
    again = clock.now() + timedelta(seconds=outcome.wait)
    said = f"{outcome.said}; it may be asked again at {again:%Y-%m-%dT%H:%M:%SZ}"
    return replace(outcome, said=said, again=False)


def headers_of(asked: Asked) -> dict[bytes, bytes]:
    """Return the headers to ask with; a question's own speak last."""
    # A packed file is wanted as it is, not packed once more or unpacked on the way.
    packing = b"identity" if asked.want.expect == "gzip" else b"gzip"
    ours = {
        "user-agent": f"cbi-stream/{version('cbi-stream')}".encode(),
        "accept": b"*/*",
        "accept-encoding": packing,
    }
    conditional = asked.conditional.headers() if asked.conditional else {}
    sent = {**ours, **conditional, **asked.question.headers}
    return {name.encode(): value for name, value in sent.items()}


def location(heard: Heard) -> str:
    """Return where an answer points to; empty where it points nowhere."""
    return heard.headers.get("location", "")


def pointed_away(heard: Heard) -> Failure:
    """Return the failure of an answer that points where it is not followed."""
    where = location(heard).partition("?")[0]
    said = (
        f"expected an answer from the same host, over https; it points to {where!r}, "
        f"with status {heard.status}"
    )
    error = SourceRefused if heard.status in _FOR_EVER else SourceUnavailable
    return Failure(said, again=False, error=error)


def too_large(fetch: Fetch) -> Failure:
    """Return the failure of an answer that is larger than may be kept."""
    said = (
        f"expected at most {fetch.most_bytes} bytes; there are more. Mend: ask for "
        "less, or raise `fetch.most_bytes` in data_sources.yaml"
    )
    return Failure(said, again=False, error=SourceRefused)


def _unfit(heard: Heard, want: Want) -> Failure | None:
    """Return why an answer of an accepted status is none."""
    if heard.cut:
        return Failure("expected a whole answer; its packing ends too early")
    if not 200 <= heard.status < 300 or (heard.data == b"" and 204 in want.accept):
        return None
    if not heard.data.strip():
        return Failure(f"expected {want.expect}; found an empty body", again=False)
    found = content.not_expected(heard.data, want)
    if found is not None:
        again = content.is_page(heard.data, want)
        return Failure(f"expected {want.expect}; found {found}", again=again)
    if cut := content.is_cut(heard.data, want.expect):
        return Failure(f"expected a whole answer; found {cut}")
    return None


def _answer(heard: Heard, asked: Asked, url: str) -> Answer:
    headers = {name: asked.clean(value) for name, value in heard.headers.items()}
    headers.pop("set-cookie", None)
    return Answer(
        url=asked.told(url),
        status=heard.status,
        content_type=headers.get("content-type", ""),
        fetched_at=clock.now(),
        data=heard.data,
        headers=headers,
    )


def _statuses(want: Want) -> str:
    return " or ".join(map(str, want.accept))
