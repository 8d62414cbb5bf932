"""A question as it is sent, and as it may be told: without its key.

It checks every address before it is asked, also those that a source points to. It
never opens a connection.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urljoin

from cbi_stream.doors.secrets import INSTEAD, redact
from cbi_stream.registry.fetching import Fetch
from cbi_stream.shapes.connector import SECRET, Want
from cbi_stream.words.errors import NoSecret, SourceRefused

SHORTEST_SECRET = 8
"""A shorter one could not be taken out of an answer without touching its numbers."""
_ADDRESS = re.compile(r"https://([a-z0-9-]+(?:\.[a-z0-9-]+)+)(:\d+)?(?=[/?#]|$)")
_KEYS = "api_key|apikey|key|registrationkey|subscription-key|token|userid"
_KEY_IN_URL = re.compile(rf"([?&](?:{_KEYS})=)[^&#]*", re.I)
_URL_SIGNS = ":/?#[]@!$&'()*+,;=%"


@dataclass(frozen=True, slots=True, repr=False)
class Question:
    """What is sent. It has no repr: nothing of it is to be printed but `told`."""

    url: str
    headers: Mapping[str, bytes]
    body: bytes | None
    known: tuple[str, ...]
    """The values that nobody may see."""
    told: str
    """The address without secrets."""


def question_of(want: Want, fetch: Fetch, secret: str | None) -> Question:
    """Put the key into a question.

    Raises:
        NoSecret: it needs a key, and there is none that can be sent.
    """
    if want.basic or SECRET in repr((want.url, want.params, want.headers, want.body)):
        secret = _usable(secret, fetch)
    key = secret or ""
    url = want.url.replace(SECRET, quote(key, safe=""))
    if want.params:
        params = [(name, value.replace(SECRET, key)) for name, value in want.params]
        url += ("&" if "?" in url else "?") + urlencode(params, quote_via=quote)
    headers = {n.lower(): v.replace(SECRET, key) for n, v in want.headers.items()}
    known: tuple[str, ...] = (key,) if len(key) >= SHORTEST_SECRET else ()
    if want.basic:
        code = base64.b64encode(f"{key}:".encode()).decode()
        headers["authorization"] = f"Basic {code}"
        known += (code.rstrip("="),)
    body = None
    if want.body is not None:
        body = json.dumps(_with_key(want.body, key)).encode()
        headers.setdefault("content-type", "application/json")
    sent = {name: value.encode() for name, value in headers.items()}
    return Question(url, sent, body, known, told=told(url, known))


def told(url: str, known: tuple[str, ...]) -> str:
    """Return an address as it may be recorded."""
    return _KEY_IN_URL.sub(rf"\1{INSTEAD}", redact(url, known))


def host_of(url: str, fetch: Fetch, *, source: str) -> str:
    """Return the host of an address that may be asked.

    Raises:
        SourceRefused: it is not https, or not a host of the source.
    """
    found = _ADDRESS.match(url)
    if found and found[1] in fetch.hosts:
        return found[1]
    where = url.partition("?")[0]
    msg = (
        f"{source}: expected an https address at {' or '.join(fetch.hosts)}; found "
        f"{where!r}. Mend: its connector, or `fetch.hosts` in data_sources.yaml"
    )
    raise SourceRefused(msg)


def pointed_to(url: str, location: str, *, replay: str | None) -> str | None:
    """Return the address that a redirect from `url` stands for; None if not followed.

    It is followed on the same host, over https. A replay server on this machine may
    name itself: then the address behind its own counts.
    """
    if replay and location.startswith(f"{replay}/"):
        location = f"https://{location.removeprefix(f'{replay}/')}"
    target = urljoin(url, quote(location, safe=_URL_SIGNS))
    here, there = _ADDRESS.match(url), _ADDRESS.match(target.lower())
    if not here or not there or here[0] != there[0]:
        return None
    return here[0] + target[here.end() :]


def through_replay(url: str, replay: str | None) -> str:
    """Return the address that is asked in place of a host's."""
    return url if replay is None else f"{replay}/{url.removeprefix('https://')}"


def _usable(secret: str | None, fetch: Fetch) -> str:
    name = fetch.secret or "the variable in fetch.secret"
    if not secret:
        msg = (
            f"expected a key in {name}; it is set nowhere. Mend: set the variable, or "
            f"put the key into a file of that name in the folder of secrets"
        )
        raise NoSecret(msg)
    if len(secret) < SHORTEST_SECRET or not secret.isprintable():
        msg = (
            f"expected a key of one line and at least {SHORTEST_SECRET} characters in "
            f"{name}; found {len(secret)} characters"
        )
        raise NoSecret(msg)
    return secret


def _with_key(value: Any, key: str) -> Any:
    if isinstance(value, str):
        return value.replace(SECRET, key)
    if isinstance(value, Mapping):
        return {name: _with_key(each, key) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_key(each, key) for each in value]
    return value
