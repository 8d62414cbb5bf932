"""Where an answer may point to: the same host, over https, five times. Real sockets.

No other host is ever asked, and nothing is sent to an address that is not the source's.
"""

from __future__ import annotations

import pytest

from cbi_stream.doors.fetch import Fetcher, Patience
from cbi_stream.doors.question import host_of, pointed_to, through_replay
from cbi_stream.shapes.connector import Want
from cbi_stream.words.errors import SourceRefused, SourceUnavailable
from tests.doors.serving import HOST, Source, fetch_of, said

SOON = Patience(first=0.001, longest=0.01, connect=2.0)
OK = b'{"rows": [1]}'
OTHER = "www.example.org"


def ask(source, *, fetch=None, url=f"https://{HOST}/a/b", **more):
    """Ask a source of this machine one question."""
    with Fetcher(replay=source.base, patience=SOON) as fetcher:
        asked = Want("rows.json", url, **more)
        return fetcher.ask(asked, fetch or fetch_of(), source="example", secret=None)


def moved(where, status=302):
    """Return what points somewhere else."""
    return said(b"moved", status, Location=where)


@pytest.mark.parametrize(
    ("where", "path"),
    [
        (f"https://{HOST}/c", "/c"),
        (f"HTTPS://{HOST.upper()}/c", "/c"),
        ("/c?d=1", "/c?d=1"),
        ("c", "/a/c"),
        (f"//{HOST}/c", "/c"),
        ("/c d\u00e9", "/c%20d%C3%A9"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_same_host_is_followed(where, path, status):
    """A redirect stays at the host that it stands for, also behind a replay server."""
    with Source(moved(where, status), said(OK)) as source:
        found = ask(source)
    assert found.data == OK
    assert found.url == f"https://{HOST}{path}"
    assert source.paths[1] == f"/{HOST}{path}"


def test_a_replay_server_may_name_itself():
    """An address of the replay server stands for the host behind it."""
    with Source() as source:
        source.says = (moved(f"{source.base}/{HOST}/c"), said(OK))
        assert ask(source).url == f"https://{HOST}/c"
        source.says = (moved(f"{source.base}/{OTHER}/c"),)
        source.asked.clear()
        with pytest.raises(SourceUnavailable, match=OTHER):
            ask(source)
    assert len(source.asked) == 1


@pytest.mark.parametrize(
    "where",
    [
        f"https://{OTHER}/a",
        f"//{OTHER}/a",
        f"http://{HOST}/a",
        f"https://{HOST}:8443/a",
        f"https://{HOST}@{OTHER}/a",
        f"https://user@{HOST}/a",
        f"https://{HOST}.evil.org/a",
        "ftp://example.org/a",
        "http://127.0.0.1:1/a",
    ],
)
def test_nowhere_else_is_followed(where):
    """Another host, http, a port or a user is not followed; both hosts being allowed."""
    fetch = fetch_of(hosts=(HOST, OTHER))
    for status, error in ((301, SourceRefused), (302, SourceUnavailable)):
        with Source(moved(where, status)) as source, pytest.raises(error) as caught:
            ask(source, fetch=fetch)
        assert type(caught.value) is error
        assert where in str(caught.value)
        assert len(source.asked) == 1


def test_a_loop_has_an_end():
    """Five redirects are followed, the sixth is not."""
    with Source(*[moved("/c")] * 5, said(OK)) as source:
        assert ask(source).data == OK
    with Source(moved("/c")) as source, pytest.raises(SourceUnavailable) as caught:
        ask(source)
    assert "more than 5 redirects" in str(caught.value)
    assert len(source.asked) == 6


def test_a_posted_body_is_not_lost_on_the_way():
    """A POST goes on as a POST, or not at all."""
    with Source(moved("/c", 307), said(OK)) as source:
        assert ask(source, body={"n": 1}).data == OK
    assert [(command, body) for command, _, _, body in source.asked] == [
        ("POST", b'{"n": 1}')
    ] * 2
    with Source(moved("/c", 302)) as source, pytest.raises(SourceUnavailable):
        ask(source, body={"n": 1})
    assert len(source.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}/a",
        f"https://{OTHER}/a",
        f"https://{HOST}@{OTHER}/a",
        f"https://{OTHER}\\@{HOST}/a",
        f"https://{HOST}.evil.org/a",
        f"https://user:word@{HOST}/a",
        "https:///a",
        "file:///etc/hosts",
        HOST,
    ],
)
def test_no_other_host_is_asked(url):
    """An address that is not https, or not at a host of the source, is not asked."""
    with (
        Source(said(OK)) as source,
        pytest.raises(SourceRefused, match=r"fetch\.hosts"),
    ):
        ask(source, url=url)
    assert source.asked == []


def test_addresses_are_judged_by_what_they_stand_for():
    """The host is found where it ends; a replay address stands for a host."""
    assert host_of(f"https://{HOST}?x", fetch_of(), source="x") == HOST
    base = "http://127.0.0.1:8765"
    assert through_replay(f"https://{HOST}/a", base) == f"{base}/{HOST}/a"
    assert through_replay(f"https://{HOST}/a", None) == f"https://{HOST}/a"
    here = f"https://{HOST}/a"
    assert pointed_to(here, f"{base}/{HOST}/c", replay=None) is None
    assert pointed_to(here, "", replay=None) == here
