"""The server answers by host and path over real sockets, marks, packs, and stops.

Nothing here leaves this machine.
"""

from __future__ import annotations

import gzip
import http.client
import io
import json
import threading
import zipfile
from dataclasses import replace
from datetime import date

import pytest

from cbi_stream.doors.reading import is_simulated
from cbi_stream.replay import sites
from cbi_stream.replay.marks import marked
from cbi_stream.replay.server import Replay
from cbi_stream.replay.sites import Question, Site, add, discover, in_basic, in_body
from cbi_stream.replay.world import KEY, World
from tests.replay.asking import KEYED, OPEN, SITES, ask, rows_of

WORLD = World(today=date(2024, 6, 28))


@pytest.fixture
def replay():
    """Return a running server with the two toy sites."""
    with Replay(WORLD, sites=SITES) as running:
        yield running


def test_it_answers_by_host_with_what_the_world_holds(replay):
    """The first part of the path is the host; its site answers from the world."""
    said = ask(replay, f"{KEYED}/v2/rows?key={KEY}")
    assert said.status == 200
    rows = json.loads(said.data)["data"]
    assert [(row["date"], row["value"]) for row in rows] == [
        (str(day), value) for day, value in rows_of(WORLD)
    ]
    table = ask(replay, f"{OPEN.upper()}/rows.csv")
    assert table.headers["Content-Type"] == "text/csv;charset=utf-8"
    assert table.text.count("\n") == len(rows) + 2  # header and mark


def test_it_remembers_what_was_asked(replay):
    """Method, host, path, query, headers and body of each question, in order."""
    ask(replay, f"{OPEN}/a%20b/%5EX%3DF?day=1&empty=&day=2", headers={"X-Name": "me"})
    ask(replay, f"{KEYED}/post?key={KEY}", method="POST", body=b'{"a": 1}')
    one, two = replay.asked
    assert (one.method, one.host, one.path) == ("GET", OPEN, "/a b/^X=F")
    assert one.params == (("day", "1"), ("empty", ""), ("day", "2"))
    assert one.target == "/a%20b/%5EX%3DF?day=1&empty=&day=2"
    assert one.headers["x-name"] == "me"
    assert (two.method, two.form()) == ("POST", {"a": 1})


def test_a_key_is_demanded_and_checked_by_the_frame(replay):
    """No key and a wrong one get what the site says of bad keys, each its own body."""
    for query, named in (("", "''"), ("?key=wrong", "'wrong'")):
        said = ask(replay, f"{KEYED}/rows{query}")
        assert (said.status, said.text) == (403, f'{{"error":"key {named}"}}')
    assert ask(replay, f"{KEYED}/rows?key={KEY}").status == 200
    assert ask(replay, f"{OPEN}/rows").status == 200


def test_a_key_is_found_where_sources_carry_it():
    """In a JSON body, and as the user name of HTTP Basic; noise there is no key."""

    def basic(coded):
        return in_basic(Question("GET", "h", "/", headers={"authorization": coded}))

    asked = Question("POST", "h", "/", body=b'{"registrationkey": "k"}')
    assert in_body("registrationkey")(asked) == "k"
    assert in_body("registrationkey")(Question("POST", "h", "/")) is None
    assert basic("Basic a2V5Og==") == "key"
    assert basic("Bearer key") is None
    assert basic("Basic ***") == "***"


def test_an_unknown_host_is_said_to_be_none(replay):
    """A host without a site is 404, and the asker is told why."""
    said = ask(replay, "nobody.example.org/x")
    assert said.status == 404
    assert "no site of the replay server speaks for nobody.example.org" in said.text


def test_everything_simulated_is_marked(replay):
    """JSON and text both; the reader of files finds the mark in each."""
    for target in (f"{KEYED}/rows?key={KEY}", f"{OPEN}/rows.csv"):
        assert is_simulated(ask(replay, target).data), target
    note = json.loads(ask(replay, f"{KEYED}/rows?key={KEY}").data)["note"]
    assert note.startswith("# SIMULATED")


def _zipped() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "date,value\n")
    return held.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}',
        b"{}",
        b' \n[ {"a": 1}, {"b": 2}]',
        b"[{}]",
        b'\xef\xbb\xbf{"a": 1}',
        b"date,value\n2024-01-01,1\n",
        b"\xef\xbb\xbfdate,value\r\n",
        b'<?xml version="1.0"?>\n<a b="1"/>',
        b"<!DOCTYPE html><html><body>x</body></html>",
        b"<html></html>",
        gzip.compress(b"a\tb\n1\t2\n", mtime=0),
        _zipped(),
    ],
)
def test_a_mark_fits_every_form(data):
    """The reader finds it, the answer can still be read, and it is put in once."""
    assert not is_simulated(data)
    after = marked(data, seed=7)
    inside = gzip.decompress(after) if data[:2] == b"\x1f\x8b" else after
    assert is_simulated(inside)
    assert marked(after, seed=7) == after
    if data.lstrip(b"\xef\xbb\xbf \n")[:1] in (b"{", b"["):
        plain, noted = (
            json.loads(data.decode("utf-8-sig")),
            json.loads(after.decode("utf-8-sig")),
        )
        first = noted[0] if isinstance(noted, list) else noted
        assert first.pop("note").startswith("# SIMULATED")
        assert noted == plain
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(after)) as archive:
            assert archive.comment.startswith(b"\n# SIMULATED")
            assert archive.testzip() is None
            assert archive.read("a.csv") == b"date,value\n"


def test_what_has_no_place_for_a_mark_is_refused():
    """A list of lists and unknown bytes must be marked by their site; nothing is lost."""
    for data in (b'[["a"], ["1"]]', b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00"):
        with pytest.raises(ValueError, match=r"mark|SIMULATED"):
            marked(data, seed=7)
    for data in (b"[]", b" [ ]\n", b""):
        assert marked(data, seed=7) == data
    own = b'[["# SIMULATED by its site"], ["1"]]'
    assert marked(own, seed=7) == own
    assert is_simulated(own)


def test_a_world_from_a_folder_is_not_marked(tmp_path):
    """What was saved is served as it is."""
    world = World(kind="folder", folder=tmp_path, today=date(2024, 6, 28))
    with Replay(world, sites=SITES) as replay:
        assert ask(replay, f"{OPEN}/rows.csv").text == "date,value\n"


def test_the_world_may_change_while_it_runs(replay):
    """A later day shows more at the next question."""
    before = ask(replay, f"{OPEN}/rows.csv").text
    replay.world = replace(replay.world, today=date(2024, 6, 29))
    after = ask(replay, f"{OPEN}/rows.csv").text
    assert after.startswith(before)
    assert after != before


def test_many_may_ask_at_once(replay):
    """Twenty askers get the same bytes, and each question is counted."""
    told = []
    askers = [
        threading.Thread(target=lambda: told.append(ask(replay, f"{OPEN}/x").data))
        for _ in range(20)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(told) == len(replay.asked) == 20
    assert len(set(told)) == 1


def test_long_answers_are_packed_for_those_who_ask(replay):
    """Packed where gzip is accepted and worth it; the content is the same."""
    plain = ask(replay, f"{KEYED}/rows?key={KEY}")
    packed = ask(replay, f"{KEYED}/rows?key={KEY}", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert int(packed.headers["Content-Length"]) == len(packed.data)


def _asked_again(kept):
    kept.request("GET", f"/{OPEN}/x")
    return kept.getresponse()


def test_it_stops_by_itself_and_hangs_up():
    """After the block nobody listens, and a connection that was kept open is closed."""
    with Replay(WORLD, sites=SITES) as replay:
        kept = http.client.HTTPConnection(replay.base[7:], timeout=20)
        kept.request("GET", f"/{OPEN}/x")
        assert kept.getresponse().read()
    try:
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            _asked_again(kept)
    finally:
        kept.close()
    with pytest.raises(ConnectionError):
        ask(replay, f"{OPEN}/x")


def _broken(replay):
    with replay:
        said = ask(replay, f"{KEYED}/breaks?key={KEY}")
        assert said.status == 500
        assert "LookupError: /breaks" in said.text


def test_a_site_that_raises_is_told_and_raised_at_the_end():
    """The asker gets 500 with the reason; the block ends with the error itself."""
    replay = Replay(WORLD, sites=SITES)
    with pytest.raises(LookupError, match="/breaks"):
        _broken(replay)


def test_sites_are_found_and_no_host_has_two():
    """The folder is scanned; a second site for a host, and one half said, are refused."""
    found = discover()
    assert "query2.finance.yahoo.com" in found
    assert all(host in site.hosts for host, site in found.items())
    toy = SITES[OPEN]
    with pytest.raises(ValueError, match=f"one site for {OPEN}"):
        add({OPEN: replace(toy, keyless=False)}, [toy])
    with pytest.raises(ValueError, match="says `bad_key` too"):
        Site((OPEN,), toy.answer, toy.empty, toy.too_many, key_in=in_basic)


def test_a_module_without_a_site_is_seen(monkeypatch, tmp_path):
    """A file in the folder that declares no site is an error that names it."""
    (tmp_path / "idle.py").write_text('"""It says nothing."""\n')
    monkeypatch.setattr(sites, "__path__", [str(tmp_path)])
    with pytest.raises(ValueError, match=r"Site in cbi_stream\.replay\.sites\.idle"):
        discover()
