"""Each switch goes wrong in its own way, for its host alone, as often as it is told.

Nothing here leaves this machine.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
import zipfile
from dataclasses import replace
from datetime import date
from time import perf_counter

import pytest

from cbi_stream.doors.reading import is_simulated
from cbi_stream.replay import switches
from cbi_stream.replay.drift import renamed, reordered, retyped
from cbi_stream.replay.server import Replay
from cbi_stream.replay.sites import Reply
from cbi_stream.replay.switches import IN_WORDS, Fault
from cbi_stream.replay.world import KEY, World
from tests.replay.asking import KEYED, OPEN, SITES, ask, rows_of

WORLD = World(today=date(2024, 6, 28))
ROWS, TABLE = f"{KEYED}/rows?key={KEY}", f"{OPEN}/rows.csv"


@pytest.fixture
def replay():
    """Return a running server with the two toy sites."""
    with Replay(WORLD, sites=SITES) as running:
        yield running


def test_no_switch_changes_nothing(replay):
    """What the other tests compare with: twice the same whole answer."""
    assert ask(replay, ROWS).data == ask(replay, ROWS).data
    assert json.loads(ask(replay, ROWS).data)["count"] > 100


def test_empty_bad_key_and_too_many_say_what_the_site_says(replay):
    """The site's own bodies, without a mark, though the question was right."""
    replay.switches.set(KEYED, switches.empty(), first=1)
    assert ask(replay, ROWS).text == '{"count":0,"data":[]}'
    replay.switches.set(KEYED, switches.bad_key(), first=1)
    assert ask(replay, ROWS).status == 403
    replay.switches.set(KEYED, switches.too_many(), first=1)
    said = ask(replay, ROWS)
    assert (said.status, said.text) == (429, '{"error":"slow down"}')
    assert "Retry-After" not in said.headers
    replay.switches.set(OPEN, switches.too_many(retry_after=3), first=1)
    said = ask(replay, TABLE)
    assert (said.status, said.headers["Retry-After"]) == (429, "3")
    assert ask(replay, ROWS).status == ask(replay, TABLE).status == 200


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_gateways_fail_with_a_page(replay, status):
    """Each of the statuses, as HTML."""
    replay.switches.set(OPEN, switches.failing(status))
    said = ask(replay, TABLE)
    assert said.status == status
    assert said.headers["Content-Type"] == "text/html"
    assert said.text.startswith("<html>")


def test_a_page_stands_where_data_was_asked_for(replay):
    """Status 200 and HTML."""
    replay.switches.set(KEYED, switches.page())
    said = ask(replay, ROWS)
    assert said.status == 200
    assert said.text.startswith("<!DOCTYPE html>")


def test_a_redirect_on_the_same_host_leads_to_the_answer(replay):
    """Once followed, the answer is the one without the switch."""
    whole = ask(replay, ROWS)
    replay.switches.set(KEYED, switches.moved(), first=2)
    assert ask(replay, f"{KEYED}/moved/rows?key={KEY}").status == 200
    assert ask(replay, ROWS).status == 302
    said = ask(replay, ROWS)
    assert said.status == 302
    assert ask(replay, ROWS).status == 200
    there = said.headers["Location"]
    assert there == f"https://{KEYED}/moved/rows?key={KEY}"
    assert ask(replay, there.removeprefix("https://")).data == whole.data


def test_a_redirect_to_another_host_names_it(replay):
    """The same path and query there."""
    replay.switches.set(KEYED, switches.moved_away("evil.example.com"))
    said = ask(replay, ROWS)
    assert said.status == 302
    assert said.headers["Location"] == f"https://evil.example.com/rows?key={KEY}"


def test_a_slow_body_drips_and_is_whole(replay):
    """All bytes come in the end; the header is there long before."""
    whole = ask(replay, TABLE)
    replay.switches.set(OPEN, switches.slow(0.4))
    start = perf_counter()
    assert ask(replay, TABLE).data == whole.data
    assert perf_counter() - start > 0.3


def test_a_dripping_body_does_not_hold_up_the_end():
    """The server stops while it drips: it would have taken an hour."""
    start = perf_counter()
    with Replay(WORLD, sites=SITES) as replay:
        replay.switches.set(OPEN, switches.slow(3_600))
        line = http.client.HTTPConnection(replay.base[7:], timeout=20)
        line.request("GET", f"/{TABLE}")
        answer = line.getresponse()
        assert answer.read(1)
    assert perf_counter() - start < 600
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    line.close()


def test_a_cut_body_is_seen_by_who_counts(replay):
    """The promised length never comes."""
    whole = ask(replay, TABLE)
    replay.switches.set(OPEN, switches.cut(), first=1)
    with pytest.raises(http.client.IncompleteRead) as seen:
        ask(replay, TABLE)
    assert whole.data.startswith(seen.value.partial)
    assert 0 < len(seen.value.partial) < len(whole.data)
    assert ask(replay, TABLE).data == whole.data


def test_a_chunked_body_ends_without_its_end(replay):
    """Half of the bytes, in a chunk, and no last chunk."""
    whole = ask(replay, TABLE)
    replay.switches.set(OPEN, switches.cut(chunked=True))
    with pytest.raises(http.client.IncompleteRead) as seen:
        ask(replay, TABLE)
    assert whole.data.startswith(seen.value.partial)
    with socket.create_connection(("127.0.0.1", int(replay.base[17:]))) as line:
        line.settimeout(20)
        line.sendall(f"GET /{TABLE} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        sent = b"".join(iter(lambda: line.recv(65_536), b""))
    assert b"Transfer-Encoding: chunked" in sent
    assert b"Content-Length" not in sent
    assert not sent.endswith(b"0\r\n\r\n")


def test_a_truncated_body_calls_itself_whole(replay):
    """The length is right, the content is half: only its form can tell."""
    whole = ask(replay, ROWS)
    replay.switches.set(KEYED, switches.truncated())
    half = ask(replay, ROWS)
    assert half.status == 200
    assert int(half.headers["Content-Length"]) == len(half.data) < len(whole.data)
    assert whole.data.startswith(half.data)
    with pytest.raises(json.JSONDecodeError):
        json.loads(half.data)


def test_a_frozen_host_answers_as_of_an_earlier_day(replay):
    """What it says is what it said then, bit for bit."""
    earlier = replace(WORLD, today=date(2024, 5, 17))
    replay.switches.set(OPEN, switches.frozen(earlier.today))
    last = ask(replay, TABLE).text.splitlines()[-1]
    assert last == ",".join(map(str, rows_of(earlier)[-1]))
    assert ask(replay, ROWS).status == 200


def test_revised_history_moves_what_is_dated_earlier_alone(replay):
    """Every value before the day is another, by little; none from it on."""
    before = ask(replay, TABLE).text.splitlines()[2:]
    replay.switches.set(OPEN, switches.revised(date(2024, 3, 1)))
    after = ask(replay, TABLE).text.splitlines()[2:]
    assert [line[:10] for line in before] == [line[:10] for line in after]
    for old, new in zip(before, after, strict=True):
        assert (old != new) == (old[:10] < "2024-03-01")
        assert abs(float(old[11:]) - float(new[11:])) < 0.1


def test_a_renamed_field_is_the_rows_own(replay):
    """Without a name the last field of the rows; with one, that field."""
    replay.switches.set(KEYED, switches.renamed(), first=1)
    said = ask(replay, ROWS)
    rows = json.loads(said.data)["data"]
    assert {tuple(row) for row in rows} == {("date", "value_renamed")}
    assert is_simulated(said.data)
    replay.switches.set(KEYED, switches.renamed("count", "n"), first=1)
    assert "n" in json.loads(ask(replay, ROWS).data)
    replay.switches.set(OPEN, switches.renamed("date", "day"))
    assert ask(replay, TABLE).text.splitlines()[1] == "day,value"


def test_drift_of_json():
    """Numbers to strings and back, one field alone, and keys in reverse."""
    reply = Reply(b'{"a":[{"x":1,"y":"2.5","z":true},{"x":1.5,"y":"w","z":null}]}')
    assert json.loads(retyped(reply).data)["a"] == [
        {"x": "1", "y": "2.5", "z": True},
        {"x": "1.5", "y": "w", "z": None},
    ]
    assert json.loads(retyped(reply, name="y").data)["a"][0]["y"] == 2.5
    assert json.loads(retyped(reply, name="y").data)["a"][0]["x"] == 1
    assert reordered(reply).data.startswith(b'{"a":[{"z":true,"y":"2.5","x":1}')
    deep = Reply(b'{"q":[{"open":[1],"close":[2]}],"m":{"k":[{"c":1}]}}')
    assert "c_renamed" in json.loads(renamed(deep).data)["m"]["k"][0]


def test_drift_of_csv():
    """A column renamed, a decimal comma, columns in reverse with their cells."""
    reply = Reply(b'# note\ndate,"a, b",c\n2024-01-01,1.5,x\n2024-01-02,2,y\n')
    assert b'# note\ndate,"a, b",c_renamed\n' in renamed(reply).data
    assert b"date,B,c\n" in renamed(reply, old="a, b", new="B").data
    assert b'2024-01-01,"1,5",x\n2024-01-02,2,y\n' in retyped(reply).data
    assert b'c,"a, b",date\nx,1.5,2024-01-01\n' in reordered(reply).data


def test_drift_reaches_into_an_archive_and_lines_of_json():
    """The member's schema changes, its name and the mark stay."""
    lines = b'{"id":"a","data":[1]}\n{"id":"b","data":[2]}\n'
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        packed.writestr("rows.txt", lines)
        packed.comment = b"\n# SIMULATED\n"
    changed = renamed(Reply(held.getvalue(), "application/zip"))
    with zipfile.ZipFile(io.BytesIO(changed.data)) as packed:
        assert packed.namelist() == ["rows.txt"]
        assert packed.comment == b"\n# SIMULATED\n"
        said = [json.loads(line) for line in packed.read("rows.txt").splitlines()]
    assert said == [{"id": "a", "data_renamed": [1]}, {"id": "b", "data_renamed": [2]}]


def test_a_switch_of_drift_passes_pages_by():
    """A page has no schema; what it links to on the same host has."""
    page = Reply(b"<!DOCTYPE html><html></html>", "text/html;charset=utf-8")
    for fault in (switches.renamed(), switches.retyped(), switches.reordered()):
        assert fault.body is not None
        assert fault.body(page) == page


def test_a_drift_that_changes_nothing_is_no_drift():
    """A field that is not there, one field alone in reverse, a page: each raises."""
    reply = Reply(b'{"a":[{"x":true}]}')
    for change in (
        lambda: renamed(reply, old="nothing"),
        lambda: retyped(reply),
        lambda: reordered(reply),
        lambda: renamed(Reply(b"<html></html>")),
        lambda: renamed(Reply(b"[]")),
    ):
        with pytest.raises(ValueError, match="expected"):
            change()


def test_a_switch_keeps_to_its_host_path_and_count(replay):
    """Another host, another path and the question after the last are served."""
    replay.switches.set(OPEN, switches.failing(), path="/old/*", first=2)
    assert ask(replay, f"{OPEN}/current/a").status == 200
    assert ask(replay, ROWS).status == 200
    told = [ask(replay, f"{OPEN}/old/a").status for _ in range(4)]
    assert told == [503, 503, 200, 200]


def test_switches_add_up_and_are_cleared(replay):
    """What stands instead comes first; clearing one host leaves the other."""
    replay.switches.set(OPEN, switches.frozen(date(2024, 5, 17)))
    replay.switches.set(OPEN, switches.reordered())
    replay.switches.set(OPEN, switches.too_many(), first=1)
    replay.switches.set(KEYED, switches.failing())
    assert ask(replay, TABLE).status == 429
    lines = ask(replay, TABLE).text.splitlines()
    assert lines[1] == "value,date"
    assert lines[-1].endswith("2024-05-16")
    replay.switches.clear(OPEN)
    assert ask(replay, TABLE).text.splitlines()[1] == "date,value"
    assert ask(replay, ROWS).status == 503
    replay.switches.clear()
    assert ask(replay, ROWS).status == 200


def test_a_switch_without_sense_is_refused(replay):
    """An unknown host, a key where there is none, another status: said at once."""
    with pytest.raises(ValueError, match=f"expected a host among {KEYED}"):
        replay.switches.set("nobody.example.org", switches.empty())
    with pytest.raises(ValueError, match="asks for no key"):
        replay.switches.set(OPEN, switches.bad_key())
    with pytest.raises(ValueError, match="expected a status among"):
        switches.failing(404)


@pytest.mark.parametrize("name", sorted(IN_WORDS))
def test_each_fault_has_words(replay, name):
    """Each can be made from the word alone, or with an argument where it needs one."""
    given = {"frozen": ":2024-05-17", "revised": ":2024-05-17", "renamed": ":count>n"}
    replay.switches.set_in_words(f"{KEYED}={name}{given.get(name, '')}")
    assert isinstance(IN_WORDS[name](given.get(name, "")[1:]), Fault)
    if name in {"cut", "cut_chunked"}:
        with pytest.raises(http.client.IncompleteRead):
            ask(replay, ROWS)
    else:
        assert ask(replay, ROWS).status in {200, 302, 403, 429, 503}


def test_words_say_path_argument_and_count(replay):
    """HOST/PATH=FAULT:ARGUMENT,first=N, and what is none of that is named."""
    replay.switches.set_in_words(f"{OPEN}/old/*=failing:502,first=1")
    told = [ask(replay, f"{OPEN}/{at}").status for at in ("new", "old/a", "old/a")]
    assert told == [200, 502, 200]
    for text in (OPEN, f"{OPEN}=nothing", f"{OPEN}=failing:x", f"{OPEN}=empty,first=x"):
        with pytest.raises(ValueError, match=r"expected HOST.*=FAULT"):
            replay.switches.set_in_words(text)
