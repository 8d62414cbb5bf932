"""Asks a source one question over https, again where that may help.

The one door to httpx and tenacity. It asks no host that is not the source's own, follows
no redirect to another one, and lets no key into an answer, a message or the log.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any

import httpx
import tenacity

from cbi_stream.doors.deadline import Deadline
from cbi_stream.doors.judging import (
    Asked,
    Conditional,
    Failure,
    Heard,
    Unchanged,
    bounded,
    headers_of,
    judged,
    location,
    pointed_away,
    too_large,
)
from cbi_stream.doors.logs import Log, hide, silent
from cbi_stream.doors.pace import Turns
from cbi_stream.doors.question import (
    host_of,
    pointed_to,
    question_of,
    through_replay,
)
from cbi_stream.doors.unpacking import TooLarge, Unpacked, Unreadable
from cbi_stream.registry.fetching import Fetch
from cbi_stream.shapes.connector import Answer, Want
from cbi_stream.words.errors import SourceRefused, SourceUnavailable

__all__ = ["Conditional", "Fetcher", "Patience", "Unchanged"]

MOST_REDIRECTS = 5
_MOST_WORDS = 64 * 1024  # of a body that says why there is no answer
_REDIRECTS = {301, 302, 303, 307, 308}
_WITH_BODY = {307, 308}
_TALKING = ("httpx", *(f"httpcore.{n}" for n in ("connection", "http11", "proxy")))


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a question is repeated; tests have less of it."""

    tries: int = 5
    first: float = 1.0
    """Seconds before the second try; doubled each time, and up to `first` more."""
    longest: float = 60.0
    bound: float = 120.0
    """A source that asks for more seconds than this is not waited for."""
    connect: float = 10.0


class Fetcher:
    """Asks questions, one at a time, with a connection for each."""

    def __init__(
        self,
        *,
        turns: Turns | None = None,
        replay: str | None = None,
        log: Log | None = None,
        stop: threading.Event | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._turns = None if replay else turns
        self._replay = replay.rstrip("/") if replay else None
        self._log = log or silent()
        self._stop = stop or threading.Event()
        self._patience = patience or Patience()
        self._client: httpx.Client | None = None

    def __enter__(self) -> Fetcher:
        _silence()
        # A server on this machine is not asked through somebody's proxy.
        self._client = httpx.Client(
            trust_env=self._replay is None,
            follow_redirects=False,
            # What one answer sets must not change the next question.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            self._client.close()

    def ask(
        self,
        want: Want,
        fetch: Fetch,
        *,
        source: str,
        secret: str | None,
        conditional: Conditional | None = None,
    ) -> Answer | Unchanged:
        """Return the answer to a question.

        With `conditional` it may be that nothing has changed since.

        Raises:
            NoSecret: it needs a key, and there is none.
            SourceRefused: asking again cannot help.
            SourceUnavailable: it may help, later.
        """
        question = question_of(want, fetch, secret)
        for value in question.known:
            hide(value)
        asked = Asked(want, fetch, source, question, conditional)
        repeat = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._patience.tries),
            retry=tenacity.retry_if_result(_may_help),
            wait=self._wait_of,
            sleep=self._pause,
            before_sleep=self._tell,
            retry_error_callback=_last,
        )
        outcome: Answer | Unchanged | Failure = repeat(self._try, asked)
        if not isinstance(outcome, Failure):
            return outcome
        tries = repeat.statistics["attempt_number"] if outcome.again else 0
        after = f" ({tries} tries)" if tries > 1 else ""
        where = question.told.partition("?")[0]
        msg = asked.clean(f"{source}: {want.name} at {where}: {outcome.said}{after}")
        raise outcome.error(msg)

    def _try(self, asked: Asked) -> Answer | Unchanged | Failure:
        """Ask once, and where the answer points to on the same host."""
        url = asked.question.url
        for _ in range(MOST_REDIRECTS + 1):
            host = host_of(asked.told(url), asked.fetch, source=asked.source)
            if self._turns is not None:
                self._turns.take(host, asked.fetch.pace)
            heard = self._exchange(asked, url)
            if isinstance(heard, Failure):
                return heard
            if heard.status not in _REDIRECTS or heard.status in asked.want.accept:
                outcome = judged(heard, asked, url)
                return bounded(outcome, self._patience.bound)
            target = pointed_to(url, location(heard), replay=self._replay)
            unfit = asked.question.body and heard.status not in _WITH_BODY
            if target is None or unfit:
                return pointed_away(heard)
            url = target
        said = f"expected an answer; found more than {MOST_REDIRECTS} redirects"
        return Failure(said, again=False)

    def _exchange(self, asked: Asked, url: str) -> Heard | Failure:
        """Send one request, and tell the log what came of it."""
        began = time.perf_counter()
        with Deadline(asked.fetch.seconds, self._stop) as deadline:
            heard = self._send(asked, url, deadline)
        if deadline.over:
            # What was cut may look whole: its end is the end of the connection.
            heard = Failure(deadline.over, again=not self._stop.is_set())
        seconds = round(time.perf_counter() - began, 3)
        if isinstance(heard, Failure):
            about = asked.about(reason=asked.clean(heard.said), seconds=seconds)
            self._log.warning("question.failed", **about)
        else:
            about = asked.about(status=heard.status, bytes=len(heard.data))
            self._log.info("answer.received", **about, seconds=seconds)
        return heard

    def _send(self, asked: Asked, url: str, deadline: Deadline) -> Heard | Failure:
        assert self._client is not None, "a Fetcher asks inside its with block only"
        question, seconds = asked.question, asked.fetch.seconds
        connect = min(self._patience.connect, seconds)
        try:
            with self._client.stream(
                "GET" if question.body is None else "POST",
                through_replay(url, self._replay),
                content=question.body,
                headers=headers_of(asked),
                timeout=httpx.Timeout(
                    connect=connect, read=seconds, write=seconds, pool=connect
                ),
                extensions={"trace": deadline.trace},
            ) as response:
                return _read(response, asked)
        except TooLarge:
            return too_large(asked.fetch)
        except Unreadable as error:
            return Failure(str(error), again=False)
        except httpx.TransportError as error:
            return _not_heard(error)
        except httpx.InvalidURL as error:
            return Failure(f"no address: {error}", again=False, error=SourceRefused)

    def _wait_of(self, state: tenacity.RetryCallState) -> float:
        first, longest = self._patience.first, self._patience.longest
        grows = tenacity.wait_exponential_jitter(
            multiplier=first, max=longest, jitter=first
        )
        failure: Failure = _last(state)
        return max(grows(state), failure.wait)

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            msg = "asked to stop before a question was repeated; ask again later"
            raise SourceUnavailable(msg)

    def _tell(self, state: tenacity.RetryCallState) -> None:
        asked: Asked = state.args[0]
        about = asked.about(reason=asked.clean(_last(state).said))
        wait = round(state.upcoming_sleep, 3)
        self._log.warning(
            "question.repeated", **about, attempt=state.attempt_number, seconds=wait
        )


def _may_help(outcome: object) -> bool:
    return isinstance(outcome, Failure) and outcome.again


def _last(state: tenacity.RetryCallState) -> Any:
    assert state.outcome is not None
    return state.outcome.result()


def _read(response: httpx.Response, asked: Asked) -> Heard:
    """Read a body as far as it may be kept; of a redirect none."""
    status, headers = response.status_code, dict(response.headers.items())
    accepted = status in asked.want.accept
    if status in _REDIRECTS and not accepted:
        return Heard(status, headers)
    most = asked.fetch.most_bytes if accepted else _MOST_WORDS
    packing = headers.get("content-encoding", "").strip().lower()
    unpacked = Unpacked("", most)
    try:
        unpacked = Unpacked("" if asked.want.expect == "gzip" else packing, most)
        for chunk in response.iter_raw():
            unpacked.add(chunk)
    except (TooLarge, Unreadable):
        # Of a body that only says why there is no answer, the beginning is enough.
        if accepted:
            raise
    cut = accepted and unpacked.is_cut()
    return Heard(status, headers, bytes(unpacked.data), cut=cut)


def _not_heard(error: httpx.TransportError) -> Failure:
    said = f"no whole answer: {type(error).__name__}: {error}".rstrip(": ")
    # Neither a certificate nor a header of ours gets better by asking again.
    unfit = "CERTIFICATE_VERIFY_FAILED" in said
    unfit |= isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol)
    return Failure(said, again=not unfit)


def _silence() -> None:
    # They tell whole addresses and headers to whoever listens.
    for name in _TALKING:
        logging.getLogger(name).disabled = True
