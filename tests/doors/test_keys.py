"""The key of a source: it arrives where it should, and nobody else ever sees it.

The key is sought in all that an answer, an error and the log can tell. Real sockets.
"""

from __future__ import annotations

import base64
import json
import logging
import traceback
from urllib.parse import quote, quote_plus

import pytest

from cbi_stream.doors import logs
from cbi_stream.doors.fetch import Fetcher, Patience
from cbi_stream.doors.logs import open_log
from cbi_stream.shapes.connector import SECRET, Want
from cbi_stream.words.errors import CbiError, NoSecret, SourceRefused
from tests.doors.serving import HOST, Source, dripping, everything_of, fetch_of, said

KEY = "c4n4ry/7f+3b0=d'x é"
PLAIN = "c4n4ry7f3b0d"
FORMS = [
    KEY,
    quote(KEY),
    quote(KEY, safe=""),
    quote(KEY, safe="").lower(),
    quote_plus(KEY),
    json.dumps(KEY)[1:-1],
    json.dumps(KEY, ensure_ascii=False)[1:-1],
    json.dumps(KEY)[1:-1].replace("/", "\\/").replace("+", "\\u002B"),
]
SOON = Patience(tries=2, first=0.001, longest=0.01, connect=2.0)
URL = f"https://{HOST}/v1/rows"


def ask(source, asked, *, key=KEY, fetch=None, **more):
    """Ask a source of this machine one question with a key."""
    with Fetcher(replay=source.base, patience=SOON, **more) as fetcher:
        return fetcher.ask(asked, fetch or fetch_of(), source="example", secret=key)


@pytest.fixture
def tells(tmp_path):
    """Return a log, and a function that reads its text; its secrets are forgotten."""
    (tmp_path / "lake.json").write_text("{}")
    log = open_log(tmp_path, to_stderr=False, level="debug", strict=True)
    path = tmp_path / "logs" / "cbi.log"
    yield log, lambda: path.read_text() if path.exists() else ""
    logs._hidden.clear()


def seen(text, key=KEY):
    """Return the forms of a key that stand in a text."""
    code = base64.b64encode(f"{key}:".encode()).decode().rstrip("=")
    return [form for form in [key, code, *FORMS, "c4n4ry"] if form in text]


def test_a_key_arrives():
    """It stands in address, parameters, headers and body as the question is sent."""
    asked = Want(
        "rows.json",
        f"{URL}/{SECRET}",
        params=(("api_key", SECRET), ("n", "1")),
        headers={"X-Token": f"t {SECRET}"},
        body={"key": SECRET, "deep": [{"key": f"a{SECRET}"}], "n": 1},
    )
    with Source(said(b"{}")) as source:
        found = ask(source, asked)
    ((_, path, headers, body),) = source.asked
    quoted = quote(KEY, safe="")
    assert path == f"/{HOST}/v1/rows/{quoted}?api_key={quoted}&n=1"
    assert headers["x-token"].encode("latin-1").decode() == f"t {KEY}"
    assert json.loads(body) == {"key": KEY, "deep": [{"key": f"a{KEY}"}], "n": 1}
    assert found.url == f"{URL}/***?api_key=***&n=1"


def test_a_key_may_be_a_name_without_a_password():
    """Basic: the key is the user."""
    with Source(said(b"{}")) as source:
        ask(source, Want("n", URL, basic=True), key=PLAIN)
    kind, code = source.asked[0][2]["authorization"].split()
    assert (kind, base64.b64decode(code)) == ("Basic", f"{PLAIN}:".encode())


def test_an_echo_is_taken_out(tells):
    """A source that repeats the key, in any form, is not believed by anyone else."""
    log, text = tells
    code = base64.b64encode(f"{KEY}:".encode()).decode()
    echo = json.dumps({"rows": [1, 2]}).encode() + b"\n"
    echo = b"[" + "\n".join([*FORMS, code]).encode() + echo + b"]"
    asked = Want("rows.json", URL, params=(("api_key", SECRET),), basic=True)
    answer = said(echo, X_Echo=f"key {quote(KEY)}", Content_Type=f"text/{PLAIN}")
    with Source(answer) as source:
        found = ask(source, asked, log=log)
    assert b'{"rows": [1, 2]}' in found.data
    assert found.data.count(b"***") == len(FORMS) + 1
    told = repr(found) + found.data.decode() + text()
    assert "answer.received" in text()
    assert seen(told.replace(PLAIN, "")) == []


@pytest.mark.parametrize("name", ["api_key", "KEY", "registrationkey", "token"])
def test_what_is_named_like_a_key_is_not_recorded(name):
    """A parameter that is always a key is not told, whatever its value."""
    params = ((name, "abc"), ("monkey", "1"))
    with Source(said(b"{}")) as source:
        found = ask(source, Want("n", URL, params=params), key=None)
    assert found.url == f"{URL}?{name}=***&monkey=1"
    assert f"{name}=abc" in source.paths[0]


def test_no_failure_tells_a_key(tells):
    """No error, no cause of an error and no line of the log holds the key."""
    log, text = tells
    echo = f"bad key {KEY} or {quote(KEY)} of {json.dumps(KEY)}".encode()
    long = b"x" * 150 + KEY.encode()  # the quoted words end within the key
    away = f"https://www.example.org/{quote(KEY, safe='')}?api_key={quote(KEY)}"
    failures = [
        said(echo, 403),
        said(echo, 500),
        said(long, 400),
        said(b"<title>" + echo + b"</title>"),
        said(echo),
        said(b"", 302, Location=away),
        said(b"", 302, Location=f"/{quote(KEY, safe='')}"),
        said(b"{", content_length=100),
        dripping(b"HTTP/1.1 200 OK\r\n\r\n"),
        lambda handler: handler.wfile.write(b"HTTP/9 what\r\n\r\n" + KEY.encode()),
        lambda handler: handler.connection.close(),
    ]
    asked = Want(
        "rows.json",
        f"{URL}/{SECRET}",
        params=(("api_key", SECRET),),
        headers={"X-Token": SECRET},
    )
    for number, failure in enumerate(failures):
        with Source(failure) as source, pytest.raises(CbiError) as caught:
            ask(source, asked, log=log, fetch=fetch_of(seconds=0.4))
        error = caught.value
        told = everything_of(error) + "".join(traceback.format_exception(error))
        assert seen(told) == [], number
        assert error.__cause__ is error.__context__ is None, number
    assert seen(text()) == []
    assert text().count("question.repeated") >= 5


def test_an_address_that_is_refused_tells_no_key():
    """A host that is not on the list is named, the rest of the address without key."""
    asked = Want("n", f"https://www.example.org/{SECRET}", params=(("k", SECRET),))
    with Source(said(b"{}")) as source, pytest.raises(SourceRefused) as caught:
        ask(source, asked)
    assert "www.example.org/***" in str(caught.value)
    assert seen(everything_of(caught.value)) == []


def test_a_header_that_cannot_be_sent_tells_no_key():
    """What the client says against a header holds the header; our error does not."""
    asked = Want("n", URL, headers={"X Token": SECRET})
    with Source(said(b"{}")) as source, pytest.raises(CbiError) as caught:
        ask(source, asked)
    assert "LocalProtocolError" in str(caught.value)
    assert seen(everything_of(caught.value)) == []
    assert source.asked == []


def test_the_clients_own_log_is_silent(caplog):
    """The client tells whole addresses and headers; here it tells nothing."""
    for name in ("httpx", "httpcore", "httpcore.http11", "httpcore.connection"):
        caplog.set_level(logging.DEBUG, logger=name)
    caplog.set_level(logging.DEBUG)
    asked = Want("n", URL, params=(("q", SECRET),), headers={"X-Token": SECRET})
    with Source(said(b"{}")) as source:
        ask(source, asked, key=PLAIN)
    assert PLAIN not in caplog.text
    assert "httpx" not in caplog.text


@pytest.mark.parametrize(
    "asked",
    [
        Want("n", f"{URL}/{SECRET}"),
        Want("n", URL, params=(("k", SECRET),)),
        Want("n", URL, headers={"X": f"a {SECRET}"}),
        Want("n", URL, body={"deep": [{"k": SECRET}]}),
        Want("n", URL, basic=True),
    ],
)
def test_without_a_key_nothing_is_asked(asked):
    """A question with a place for the key needs one, and one that can be hidden."""
    with Source(said(b"{}")) as source:
        for key in (None, "", "short", "two\nlines here"):
            with pytest.raises(NoSecret, match="EXAMPLE_KEY") as caught:
                ask(source, asked, key=key)
            assert not key or key not in everything_of(caught.value)
    assert source.asked == []


def test_a_key_that_is_not_asked_for_changes_nothing():
    """A short word that happens to be set is not taken out of the numbers."""
    with Source(said(b'{"n": 2024}')) as source:
        assert ask(source, Want("n", URL), key="2024").data == b'{"n": 2024}'
