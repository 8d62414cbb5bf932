"""What goes wrong on purpose: faults, and the switches that turn them on for a host.

A fault changes nothing but the answers of the hosts and paths that it is set for. None
of them is drawn by chance: a question either meets a switch, or it does not.

    replay.switches.set("api.example.org", too_many(retry_after=1), first=2)
    replay.switches.set("api.example.org", cut(), path="/v8/*")
    replay.switches.clear("api.example.org")

In words, as `cbi replay --switch` takes them: HOST=empty, HOST/v8/*=failing:503,
HOST=too_many:1,first=2. Several switches may meet one question: the first fault that
stands instead of an answer is what is said, all others add up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Final, Literal

from cbi_stream.replay import drift
from cbi_stream.replay.sites import Question, Reply, Site
from cbi_stream.replay.world import World

MOVED: Final = "/moved"
"""What stands before the path to which a redirect on the same host leads."""
_MOVED: Final = "moved"
_STATUSES: Final = (500, 502, 503, 504)

Sending = Literal["whole", "cut", "cut_chunked", "truncated", "slow"]
"""How the bytes go out. cut: the connection closes before the promised length. truncated:
half of them, with the length of that half."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong; what it leaves out goes on as always."""

    name: str
    instead: Callable[[Site, Question], Reply] | None = None
    """What is said instead of the answer."""
    world: Callable[[World], World] | None = None
    """In which world the question is answered."""
    body: Callable[[Reply], Reply] | None = None
    """What becomes of the answer, before it is marked as simulated."""
    sending: Sending = "whole"
    seconds: float = 0.0
    """How long a slow answer takes as a whole."""
    needs_key: bool = False
    """Whether only a site with keys can have it."""


def empty() -> Fault:
    """Say truly that there is nothing."""
    return Fault("empty", lambda site, question: site.empty(question))


def bad_key() -> Fault:
    """Say that the key is wrong, whatever it is."""

    def told(site: Site, question: Question) -> Reply:
        if site.bad_key is None:
            msg = f"{question.host} asks for no key, so it cannot call one bad"
            raise ValueError(msg)
        return site.bad_key(question)

    return Fault("bad_key", told, needs_key=True)


def too_many(retry_after: int | None = None) -> Fault:
    """Say that too much was asked, with or without the seconds to wait."""

    def told(site: Site, question: Question) -> Reply:
        reply = site.too_many(question)
        if retry_after is None:
            return reply
        return replace(
            reply, headers={**reply.headers, "Retry-After": str(retry_after)}
        )

    return Fault("too_many", told)


def failing(status: int = 503) -> Fault:
    """Say 500, 502, 503 or 504 with a page, as gateways do."""
    if status not in _STATUSES:
        msg = f"expected a status among {_STATUSES}; got {status}"
        raise ValueError(msg)
    page = f"<html><head><title>{status}</title></head><body>{status}</body></html>"
    reply = Reply(page.encode(), "text/html", status)
    return Fault("failing", lambda *_: reply)


def page() -> Fault:
    """Give a web page with status 200 where data was asked for."""
    return Fault("page", lambda site, question: site.page(question))


def moved() -> Fault:
    """Send the asker to another path of the same host, where the answer is."""

    def told(_: Site, question: Question) -> Reply:
        return _redirect(f"https://{question.host}{MOVED}{question.target}")

    return Fault(_MOVED, told)


def moved_away(to: str = "elsewhere.example.org") -> Fault:
    """Send the asker to the same path of another host."""

    def told(_: Site, question: Question) -> Reply:
        return _redirect(f"https://{to}{question.target}")

    return Fault("moved_away", told)


def slow(seconds: float = 1.0) -> Fault:
    """Let the bytes drip, over so many seconds."""
    return Fault("slow", sending="slow", seconds=seconds)


def cut(*, chunked: bool = False) -> Fault:
    """Close the connection half way: before the promised length, or the last chunk."""
    return Fault("cut", sending="cut_chunked" if chunked else "cut")


def truncated() -> Fault:
    """Send half of the bytes and call that the whole, with a right length."""
    return Fault("truncated", sending="truncated")


def frozen(on: date) -> Fault:
    """Answer as on an earlier day, behind a fresh 200."""
    return Fault("frozen", world=lambda world: replace(world, today=on))


def revised(before: date) -> Fault:
    """Answer with all values that are dated earlier moved by a small amount."""
    return Fault("revised", world=lambda world: replace(world, revised_before=before))


def renamed(old: str = "", new: str = "") -> Fault:
    """Rename a field of JSON or CSV; without a name the last one of the rows."""
    return _drifted("renamed", lambda reply: drift.renamed(reply, old=old, new=new))


def retyped(name: str = "") -> Fault:
    """Turn numbers to strings or the reverse; in CSV to a decimal comma."""
    return _drifted("retyped", lambda reply: drift.retyped(reply, name=name))


def reordered() -> Fault:
    """Reverse the order of the fields or columns."""
    return _drifted("reordered", drift.reordered)


def _drifted(name: str, change: Callable[[Reply], Reply]) -> Fault:
    """Return a fault of the data that a host gives, and of none of its pages.

    A page has no schema; what it links to has.
    """

    def body(reply: Reply) -> Reply:
        return reply if reply.content_type.startswith("text/html") else change(reply)

    return Fault(name, body=body)


@dataclass(slots=True)
class _Switch:
    host: str
    path: str
    fault: Fault
    left: int | None


class Switches:
    """What is turned on, for which questions. Any thread may change it at any time."""

    def __init__(self, sites: dict[str, Site]) -> None:
        self._sites = sites
        self._set: list[_Switch] = []
        self._lock = threading.Lock()

    def set(
        self, host: str, fault: Fault, *, path: str = "*", first: int | None = None
    ) -> None:
        """Turn a fault on.

        Args:
            host: the host that it is for.
            fault: what goes wrong.
            path: a pattern of paths, with * and ?.
            first: how many questions meet it, so that asking again heals; None: all.

        Raises:
            ValueError: no site speaks for the host, or it cannot have that fault.
        """
        site = self._sites.get(host)
        if site is None:
            msg = (
                f"expected a host among {', '.join(sorted(self._sites))}; got {host!r}"
            )
            raise ValueError(msg)
        if fault.needs_key and site.bad_key is None:
            msg = (
                f"{host} asks for no key, so the switch {fault.name} has nothing to say"
            )
            raise ValueError(msg)
        with self._lock:
            self._set.append(_Switch(host, path, fault, first))

    def clear(self, host: str | None = None) -> None:
        """Turn off what is set for a host, or for all."""
        with self._lock:
            self._set = [one for one in self._set if host not in (None, one.host)]

    def met_by(self, question: Question, *, arrived: bool = False) -> list[Fault]:
        """Return the faults that a question meets, and count it.

        One that has arrived where a redirect led to is not redirected again.
        """
        met = []
        with self._lock:
            for one in self._set:
                fits = one.host == question.host and fnmatchcase(
                    question.path, one.path
                )
                again = arrived and one.fault.name == _MOVED
                if not fits or again or one.left == 0:
                    continue
                if one.left is not None:
                    one.left -= 1
                met.append(one.fault)
        return met

    def set_in_words(self, text: str) -> None:
        """Turn on what HOST[/PATH]=FAULT[:ARGUMENT][,first=N] says.

        Raises:
            ValueError: it says something else.
        """
        where, _, what = text.partition("=")
        host, slash, path = where.partition("/")
        what, _, count = what.partition(",first=")
        name, _, argument = what.partition(":")
        known = ", ".join(IN_WORDS)
        said = f"expected HOST[/PATH]=FAULT[:ARGUMENT][,first=N] with one of {known}"
        if name not in IN_WORDS:
            msg = f"{said}; got {text!r}"
            raise ValueError(msg)
        try:
            fault, first = IN_WORDS[name](argument), int(count) if count else None
        except ValueError as error:
            msg = f"{said}; got {text!r}: {error}"
            raise ValueError(msg) from None
        self.set(host, fault, path=slash + path or "*", first=first)


def _renamed_in_words(argument: str) -> Fault:
    old, _, new = argument.partition(">")
    return renamed(old, new)


IN_WORDS: Final[dict[str, Callable[[str], Fault]]] = {
    "empty": lambda _: empty(),
    "bad_key": lambda _: bad_key(),
    "too_many": lambda said: too_many(int(said) if said else None),
    "failing": lambda said: failing(int(said or 503)),
    "page": lambda _: page(),
    "moved": lambda _: moved(),
    "moved_away": lambda said: moved_away(said) if said else moved_away(),
    "slow": lambda said: slow(float(said or 1.0)),
    "cut": lambda _: cut(),
    "cut_chunked": lambda _: cut(chunked=True),
    "truncated": lambda _: truncated(),
    "frozen": lambda said: frozen(date.fromisoformat(said)),
    "revised": lambda said: revised(date.fromisoformat(said)),
    "renamed": _renamed_in_words,
    "retyped": retyped,
    "reordered": lambda _: reordered(),
}
"""The faults by name, and what makes them of the words after the colon."""


def _redirect(to: str) -> Reply:
    return Reply(b"", "text/html", 302, {"Location": to})
