"""Asking a source over real sockets: what is repeated, what is refused, what is cut.

Each source stands on this machine, and no test waits for longer than a few seconds.
"""

from __future__ import annotations

import gzip
import io
import json
import threading
import time
import tracemalloc
import zipfile
from datetime import timedelta
from email.utils import format_datetime

import pytest

from cbi_stream.doors.fetch import Conditional, Fetcher, Patience, Unchanged
from cbi_stream.doors.logs import open_log
from cbi_stream.shapes.connector import Answer, Want
from cbi_stream.words import clock
from cbi_stream.words.errors import SourceRefused, SourceUnavailable
from tests.doors.serving import HOST, PAIR, Source, dripping, fetch_of, said

SOON = Patience(first=0.001, longest=0.01, connect=2.0)
ONCE = Patience(tries=1, first=0.001, connect=2.0)
PAGE = b"<!DOCTYPE html><html><head><title>Sorry &amp; closed</title></head></html>"
OK = b'{"rows": [1]}'


def want(path="/v1/rows", **more):
    """Return a question to the source."""
    return Want("rows.json", f"https://{HOST}{path}", **more)


def ask(source, asked=None, *, fetch=None, conditional=None, **more):
    """Ask a source of this machine one question."""
    more = {"patience": SOON, **more}
    with Fetcher(replay=source.base, **more) as fetcher:
        return fetcher.ask(
            asked or want(),
            fetch or fetch_of(),
            source="example",
            secret=None,
            conditional=conditional,
        )


def refused(error, *says, **more):
    """Return the message with which a question ends, and how often it was asked."""
    with Source(*says) as source, pytest.raises(error) as caught:
        ask(source, **more)
    assert type(caught.value) is error
    assert "example" in str(caught.value)
    return str(caught.value), len(source.asked)


@pytest.fixture
def events(tmp_path):
    """Return a log, and a function that reads its lines."""
    (tmp_path / "lake.json").write_text("{}")
    log = open_log(tmp_path, to_stderr=False, level="debug", strict=True)

    def lines():
        text = (tmp_path / "logs" / "cbi.log").read_text()
        return [json.loads(line) for line in text.splitlines() if line]

    return log, lines


def test_an_answer_has_its_parts(events):
    """Address, status, type, bytes, headers and time reach the caller; the log tells."""
    log, lines = events
    before = clock.now()
    with Source(said(OK, Content_Type="application/json", ETag='"a"')) as source:
        found = ask(source, want(params=(("a b", "c&d"), ("a b", "e"))), log=log)
    assert isinstance(found, Answer)
    assert found.url == f"https://{HOST}/v1/rows?a%20b=c%26d&a%20b=e"
    assert (found.status, found.content_type) == (200, "application/json")
    assert (found.data, found.headers["etag"]) == (OK, '"a"')
    assert before <= found.fetched_at <= clock.now()
    ((command, path, headers, _),) = source.asked
    assert (command, path) == ("GET", f"/{HOST}/v1/rows?a%20b=c%26d&a%20b=e")
    assert headers["user-agent"].startswith("cbi-stream/0.")
    (line,) = lines()
    told = {k: line[k] for k in ("event", "source", "name", "status", "bytes")}
    assert told == {
        "event": "answer.received",
        "source": "example",
        "name": "rows.json",
        "status": 200,
        "bytes": len(OK),
    }
    assert line["seconds"] >= 0


def test_own_headers_speak_last_and_a_body_is_posted():
    """A question names itself otherwise, and sends JSON."""
    asked = want(headers={"User-Agent": "Mozilla/5.0"}, body={"ids": ["a"], "n": 3})
    with Source(said(OK)) as source:
        ask(source, asked)
    ((command, _, headers, body),) = source.asked
    assert (command, headers["user-agent"]) == ("POST", "Mozilla/5.0")
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {"ids": ["a"], "n": 3}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_repeated(status, events):
    """Overload and faults of the source are asked again, and each try is an event."""
    log, lines = events
    with Source(said(b"busy", status), said(b"busy", status), said(OK)) as source:
        assert ask(source, log=log).data == OK
    assert len(source.asked) == 3
    names = [line["event"] for line in lines()]
    assert names == ["answer.received", "question.repeated"] * 2 + ["answer.received"]
    assert lines()[1]["attempt"] == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_stays_is_not_repeated(status):
    """A refusal is asked once, and its words reach the person."""
    body = b'{"error_message": "Bad Request. The series does not exist."}'
    message, times = refused(SourceRefused, said(body, status))
    assert times == 1
    assert f"found {status}" in message
    assert "The series does not exist" in message


def test_tries_have_an_end():
    """After five tries it is the caller's turn."""
    message, times = refused(SourceUnavailable, said(b"<h1>Busy</h1> again", 503))
    assert times == 5
    assert "found 503" in message
    assert "'Busy again'" in message
    assert "(5 tries)" in message


def test_a_question_says_what_else_may_pass():
    """A status of `retry` is repeated, and is no refusal at the end."""
    with Source(said(b"", 404), said(OK)) as source:
        assert ask(source, want(retry=(404,))).data == OK
    _, times = refused(SourceUnavailable, said(b"no", 404), asked=want(retry=(404,)))
    assert times == 5


def test_an_accepted_status_reaches_the_caller():
    """The judge sees a status that the question accepts, whatever its body is."""
    with Source(said(PAGE, 400)) as source:
        found = ask(source, want(accept=(200, 400)))
    assert (found.status, found.data, len(source.asked)) == (400, PAGE, 1)


def test_a_wait_that_is_asked_for_is_kept():
    """Retry-After counts in seconds and as a date, and what it says badly counts not."""
    for said_so, least in (("1", 1.0), ("a date", 1.0), ("soon", 0.0), ("-5", 0.0)):
        # A date has whole seconds: up to one of its three is cut off.
        then = format_datetime(clock.now() + timedelta(seconds=3), usegmt=True)
        asked = then if said_so == "a date" else said_so
        began = time.perf_counter()
        with Source(said(b"", 429, Retry_After=asked), said(OK)) as source:
            assert ask(source).data == OK
        assert time.perf_counter() - began >= least, asked


def test_a_wait_that_is_too_long_ends_the_tries():
    """Who is to come back in an hour is told when, and asks no second time."""
    hour = clock.now() + timedelta(hours=1)
    for asked in ("3600", format_datetime(hour, usegmt=True)):
        answer = said(b"slow down", 429, Retry_After=asked)
        message, times = refused(SourceUnavailable, answer)
        assert times == 1
        assert f"asked again at {hour:%Y-%m-%dT%H:}" in message


def test_a_page_instead_of_data_is_repeated_and_named():
    """A web page with status 200 is no answer; its title is quoted."""
    with Source(said(PAGE), said(OK)) as source:
        assert ask(source).data == OK
    message, times = refused(SourceUnavailable, said(PAGE))
    assert times == 5
    assert "expected json; found a web page: 'Sorry & closed'" in message


def test_another_form_is_not_repeated():
    """Bytes of another form do not get better by asking again."""
    message, times = refused(SourceUnavailable, said(b"Too many"))
    assert times == 1
    assert "expected json; found bytes that begin otherwise: 'Too many'" in message


def zipped():
    """Return a zip with one small file."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.csv", "a,b\n" * 50)
    return held.getvalue()


@pytest.mark.parametrize(
    ("whole", "form", "cut"),
    [
        (OK, "json", said(OK[:5], content_length=len(OK))),
        (OK, "json", said(OK[:5], length=False)),
        (zipped(), "zip", said(zipped()[:60], length=False)),
        (
            OK,
            "json",
            said(gzip.compress(OK)[:-9], length=False, Content_Encoding="gzip"),
        ),
    ],
)
def test_a_cut_answer_is_repeated(whole, form, cut):
    """Fewer bytes than announced, or no end where the form has one: asked again."""
    with Source(cut, cut, said(whole)) as source:
        assert ask(source, want(expect=form)).data == whole
    assert len(source.asked) == 3
    message, _ = refused(SourceUnavailable, cut, asked=want(expect=form))
    assert "whole answer" in message


def test_a_packed_answer_is_unpacked():
    """The transfer's own packing is taken off; a packed file stays as it is."""
    packed = gzip.compress(OK) + gzip.compress(b" ]")
    with Source(said(packed, Content_Encoding="gzip")) as source:
        assert ask(source).data == OK + b" ]"
        assert source.asked[0][2]["accept-encoding"] == "gzip"
        assert ask(source, want(expect="gzip")).data == packed
        assert source.asked[1][2]["accept-encoding"] == "identity"
    message, times = refused(SourceUnavailable, said(OK, Content_Encoding="br"))
    assert times == 1
    assert "found 'br'" in message


def test_no_more_is_taken_than_may_be_kept():
    """A body over the cap is refused at once, announced or not, packed or not."""
    small = fetch_of(most_bytes=1000)
    large = b"[" + b" " * 2000 + b"]"
    for answer in (
        said(large),
        said(large, length=False),
        said(gzip.compress(large), Content_Encoding="gzip"),
        said(gzip.compress(large)[:900] + bytes(2000), Content_Encoding="gzip"),
    ):
        message, times = refused(SourceRefused, answer, fetch=small)
        assert times == 1
        assert "at most 1000 bytes" in message
    with Source(said(b"[" + b" " * 998 + b"]")) as source:
        assert len(ask(source, fetch=small).data) == 1000


def test_a_bomb_does_not_fill_the_memory():
    """A few kilobytes that unpack to 200 MB cost no more than the cap."""
    bomb = gzip.compress(b"[" + bytes(200_000_000), 9)
    assert len(bomb) < 1_000_000
    answer = said(bomb, Content_Encoding="gzip")
    tracemalloc.start()
    try:
        refused(SourceRefused, answer, fetch=fetch_of(most_bytes=1_000_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n[", b" "),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        (b"", b""),
    ],
)
def test_an_answer_that_drips_in_has_an_end(head, piece):
    """Neither a slow body nor slow headers nor silence outlast the time for one answer."""
    began = time.perf_counter()
    message, times = refused(
        SourceUnavailable,
        dripping(head, piece),
        fetch=fetch_of(seconds=0.4),
        patience=ONCE,
    )
    assert time.perf_counter() - began < 20
    assert times == 1
    assert "no whole answer" in message


def test_an_empty_body_is_no_answer():
    """Nothing at all is a failure, unless the question accepts 204."""
    for answer in (said(b""), said(b" \n"), said(b"", 204)):
        _, times = refused(SourceUnavailable, answer)
        assert times == 1
    with Source(said(b"", 204)) as source:
        assert ask(source, want(accept=(200, 204))).data == b""


def test_what_has_not_changed_is_not_sent_again():
    """Tags and times go along, and 304 is an outcome of its own."""
    known = Conditional('W/"7"', "Wed, 21 Oct 2015 07:28:00 GMT")
    with Source(said(b"", 304)) as source:
        found = ask(source, conditional=known)
    assert isinstance(found, Unchanged)
    assert found.url == f"https://{HOST}/v1/rows"
    headers = source.asked[0][2]
    assert headers["if-none-match"] == 'W/"7"'
    assert headers["if-modified-since"] == "Wed, 21 Oct 2015 07:28:00 GMT"
    with Source(said(OK, ETag='"b"')) as source:
        answer = ask(source, conditional=known)
    assert Conditional.of(answer) == Conditional('"b"', None)
    refused(SourceRefused, said(b"", 304))


def test_a_stop_ends_a_wait_at_once(events):
    """A minute's wait before the next try ends when a stop is asked for."""
    log, _ = events
    for answer in (said(b"", 503), dripping(b"HTTP/1.1 200 OK\r\n\r\n[")):
        stop = threading.Event()
        threading.Timer(0.3, stop.set).start()
        began = time.perf_counter()
        with Source(answer) as source, pytest.raises(SourceUnavailable, match="stop"):
            ask(source, log=log, stop=stop, patience=Patience(first=60.0))
        assert time.perf_counter() - began < 30
        assert len(source.asked) == 1


def test_nobody_there_is_repeated(events):
    """A connection that is refused is tried again, and each try is told."""
    log, lines = events
    with Source(said(OK)) as source:
        pass
    with pytest.raises(SourceUnavailable, match="ConnectError"):
        ask(source, log=log)
    names = [line["event"] for line in lines()]
    assert names == ["question.failed", "question.repeated"] * 4 + ["question.failed"]


def test_no_cookie_is_kept():
    """What one answer sets does not change the next question, nor is it told."""
    with (
        Source(said(OK, Set_Cookie="id=1; Path=/")) as source,
        Fetcher(replay=source.base) as fetcher,
    ):
        for _ in range(2):
            found = fetcher.ask(want(), fetch_of(), source="example", secret=None)
            assert "set-cookie" not in found.headers
    assert "cookie" not in source.asked[1][2]


def test_a_strange_certificate_is_refused(tmp_path, monkeypatch):
    """A host that cannot prove its name gets no question; one that can does."""
    pair = tmp_path / "pair.pem"
    pair.write_text(PAIR)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Source(said(OK), pair=pair) as source:
        url = f"https://127.0.0.1:{source.server_port}/v1"
        fetch = fetch_of(hosts=("127.0.0.1",))

        def directly():
            with Fetcher(patience=SOON) as fetcher:
                return fetcher.ask(Want("n", url), fetch, source="x", secret=None)

        with pytest.raises(SourceUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            directly()
        assert source.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(pair))
        assert directly().data == OK


def test_a_proxy_is_for_the_world_only(monkeypatch):
    """The proxy of the environment is used for hosts, never for a replay server."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Source(said(b"", 502)) as proxy, Source(said(OK)) as source:
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy.base)
        assert ask(source).data == OK
        assert proxy.asked == []
        with Fetcher(patience=ONCE) as fetcher, pytest.raises(SourceUnavailable):
            fetcher.ask(want(), fetch_of(), source="example", secret=None)
        ((command, path, _, _),) = proxy.asked
        assert (command, path) == ("CONNECT", f"{HOST}:443")
