"""The sites of the replay server: one module here speaks for one source's hosts.

A site answers as its hosts would, from a `World` and nothing else: it opens no
connection, reads no clock, and never marks its own data as simulated (the server does).

HOW TO WRITE ONE. Make a file in this folder. It declares one or more values of type
`Site`; they are found by scanning the folder, so nothing else is edited:

    def answer(question: Question, world: World) -> Reply:
        day = question.param("startDate")
        rows = world.observations(_STATISTIC, first=..., last=...)
        return json_reply({"data": [...]})

    SITE = Site(
        hosts=("api.example.org",),
        answer=answer,
        empty=lambda _: json_reply({"data": []}),
        too_many=lambda _: text_reply("slow down", status=429),
        bad_key=lambda _: json_reply({"error": "bad key"}, status=403),
        key_in=in_param("api_key"),
        keyless=False,
    )

`answer` gets every question whose host is one of `hosts`. It looks at `question.path`
and answers a path that it does not know as its host would (`no_such_page` if nobody
knows how). It takes all data from the world it is handed: `world.bars`,
`world.observations`, `world.vintages`, `world.draws`, in a world from a folder
`world.folder` (see `shelf.files`); the world may be another at the next question.

`empty`, `too_many` and `bad_key` give the true bodies of a host that has nothing, is
asked too often, or does not know the key; the switches serve them, and they are never
marked. A host without keys leaves `bad_key` and `key_in` out. With `key_in` the server
itself turns down another key than the world's, and with `keyless=False` a question
without one; `bad_key` can tell the two apart by the question.

HOW DATA IS MARKED. What `answer` gives with status 200 is marked by its first bytes:
JSON gets a `note` in its outermost object or the first object of its outermost list,
text a first line, XML and pages a comment, zip and xlsx an archive comment, gzip a first
line inside. Any other form must hold `# SIMULATED` already: see `replay/marks.py`.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cbi_stream.replay.world import World


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked of a host."""

    method: str
    host: str
    path: str
    """From the slash on, with %-escapes undone, without the query."""
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """With names in lower case."""
    body: bytes = b""
    target: str = "/"
    """Path and query as they were asked."""

    def param(self, name: str, default: str = "") -> str:
        """Return the first value of a parameter of the query."""
        return next((value for key, value in self.params if key == name), default)

    def form(self) -> Any:
        """Return the JSON body; an empty object where there is none."""
        return json.loads(self.body) if self.body else {}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a host says."""

    data: bytes
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(content: Any, *, status: int = 200) -> Reply:
    """Return a value as JSON, without blanks."""
    text = json.dumps(
        content, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return Reply(text.encode(), "application/json;charset=utf-8", status)


def text_reply(
    text: str, *, content_type: str = "text/plain", status: int = 200
) -> Reply:
    """Return text."""
    return Reply(text.encode(), f"{content_type};charset=utf-8", status)


def no_such_page(_: Question) -> Reply:
    """Return what a web server says of a path that it does not have."""
    page = (
        "<html><head><title>404 Not Found</title></head><body>Not Found</body></html>"
    )
    return text_reply(page, content_type="text/html", status=404)


def web_page(_: Question) -> Reply:
    """Return a page with status 200 where data was asked for."""
    page = (
        "<!DOCTYPE html><html><head><title>Scheduled maintenance</title></head>"
        "<body><h1>We will be right back</h1></body></html>\n"
    )
    return text_reply(page, content_type="text/html")


Answering = Callable[[Question, World], Reply]
Saying = Callable[[Question], Reply]
KeyIn = Callable[[Question], str | None]


@dataclass(frozen=True, slots=True)
class Site:
    """One source's hosts, and what they say."""

    hosts: tuple[str, ...]
    answer: Answering
    empty: Saying
    """A true answer that there is nothing."""
    too_many: Saying
    """What is said to those who ask too often, with status 429."""
    bad_key: Saying | None = None
    """What is said of a wrong or missing key."""
    key_in: KeyIn | None = None
    """Where a question carries its key: `in_param`, `in_header`, `in_body`, `in_basic`."""
    keyless: bool = True
    """Whether a question without a key is answered."""
    page: Saying = web_page
    """A page with status 200 where data was asked for."""

    def __post_init__(self) -> None:
        if self.key_in is not None and self.bad_key is None:
            msg = f"{self.hosts[0]}: a site with `key_in` says `bad_key` too"
            raise ValueError(msg)


def in_param(name: str) -> KeyIn:
    """Look for the key in a parameter of the query."""
    return lambda question: question.param(name) or None


def in_header(name: str) -> KeyIn:
    """Look for the key in a header."""
    return lambda question: question.headers.get(name.lower()) or None


def in_body(name: str) -> KeyIn:
    """Look for the key in a field of the JSON body."""
    return lambda question: question.form().get(name) or None


def in_basic(question: Question) -> str | None:
    """Look for the key in the user name of HTTP Basic."""
    kind, _, coded = question.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        said = base64.b64decode(coded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return coded  # it carries something, and that is no key
    return said.partition(":")[0] or None


def discover() -> dict[str, Site]:
    """Import every module of this folder and return the sites by host.

    Raises:
        ValueError: a module declares no site, or two speak for one host.
    """
    by_host: dict[str, Site] = {}
    for found in pkgutil.iter_modules(__path__, prefix=f"{__name__}."):
        module = importlib.import_module(found.name)
        sites = [value for value in vars(module).values() if isinstance(value, Site)]
        if not sites:
            msg = f"expected a value of type Site in {found.name}; found none"
            raise ValueError(msg)
        add(by_host, sites)
    return by_host


def add(by_host: dict[str, Site], sites: list[Site]) -> None:
    """Add sites to those that there are.

    Raises:
        ValueError: another site speaks for one of their hosts.
    """
    for site in sites:
        for host in site.hosts:
            if by_host.setdefault(host, site) is not site:
                msg = f"expected one site for {host}; found two: see replay/sites/"
                raise ValueError(msg)
