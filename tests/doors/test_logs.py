"""The log: whole lines under every trouble, no secret, no exception to its caller."""

from __future__ import annotations

import ast
import errno
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import MappingProxyType

import numpy as np
import polars as pl
import pytest

from cbi_stream.doors import logs
from cbi_stream.doors.logs import EVENT, hide, open_log, silent
from cbi_stream.words import clock

ROOT = Path(__file__).resolve().parents[2]
CANARY = "c4n4ry-7f/3+b0 d'x"
WRITER = """
import sys, pathlib
from cbi_stream.doors.logs import open_log
log = open_log(pathlib.Path(sys.argv[1]), to_stderr=False, most_bytes=20_000, keep=90)
log = log.bind(source=sys.argv[2])
for n in range(2000):
    log.info("line.written", n=n, text="x" * (n % 150))
"""
NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def at(tmp_path):
    """Return the folder of a lake, as far as a log looks at it."""
    (tmp_path / "lake.json").write_text("{}")
    return tmp_path


@pytest.fixture
def forget():
    """Forget the secrets of a test after it."""
    yield
    logs._hidden.clear()


def read(folder):
    """Return the text of the whole log, oldest file first."""
    found = (folder / "logs").glob("cbi.log*")
    ordered = sorted(found, key=lambda p: -int("0" + p.name[8:]))
    return "".join(path.read_text() for path in ordered)


def fields(folder):
    """Return every line of the log as its fields; an empty one says nothing."""
    return [json.loads(line) for line in read(folder).splitlines() if line]


def opened(folder, **more):
    """Return a strict log that takes every level."""
    return open_log(folder, to_stderr=False, level="debug", strict=True, **more)


def test_a_line_has_its_parts_in_order(at):
    """Time, level and event stand first, then what was bound, then the values."""
    with clock.held_at(NOON):
        opened(at).bind(run_id="r1").info("batch.landed", rows=3, source="fred")
    assert read(at) == (
        '{"at": "2024-05-01T12:00:00.000000+00:00", "level": "info", "event": '
        '"batch.landed", "run_id": "r1", "rows": 3, "source": "fred"}\n'
    )


def test_bound_values_stay_apart(at):
    """A log made by bind says more; the one it was made from does not."""
    log = opened(at)
    log.bind(table="a").bind(partition="2024").info("partition.committed")
    log.info("wave.settled")
    first, second = fields(at)
    assert (first["table"], first["partition"]) == ("a", "2024")
    assert "table" not in second


def test_what_is_below_the_level_is_not_written(at):
    """A log opened at warning writes no info."""
    log = open_log(at, to_stderr=False, level="warning")
    log.info("batch.landed")
    log.warning("file.refused")
    assert [line["event"] for line in fields(at)] == ["file.refused"]


def test_the_file_is_its_owners_alone(at):
    """Others on the machine may not read the log."""
    opened(at).info("batch.landed")
    assert (at / "logs").stat().st_mode & 0o77 == 0
    assert (at / "logs" / "cbi.log").stat().st_mode & 0o77 == 0


@pytest.mark.parametrize(
    "name", ["Batch.landed", "batch landed", "batch", "a.land", ""]
)
def test_a_wrong_name_is_refused_where_strict(at, name):
    """Strict logs, silent ones too, raise; any other log writes the line all the same."""
    for log in (opened(at), silent(strict=True)):
        with pytest.raises(ValueError, match=r"noun\.past_participle"):
            log.info(name)
    open_log(at, to_stderr=False).info(name)
    assert [line["event"] for line in fields(at)] == [name]


def test_the_names_of_the_design_are_right():
    """Every event that the design names is one."""
    named = "batch.landed partition.committed wave.settled gate.failed file.refused"
    named += " handler.set_aside daemon.started daemon.stopped observer.died"
    named += " lines.dropped error.repeated"
    assert [name for name in named.split() if not EVENT.fullmatch(name)] == []


def test_no_text_takes_long(at):
    """Texts made to keep the search for secrets busy are done in no time."""
    began = time.perf_counter()
    for unit in ("a", "a.", "a-", "?a", "key", "a://", "token ", "cookie", "=", "'"):
        opened(at).info("page.fetched", text=unit * 20_000)
    assert time.perf_counter() - began < 5


def test_a_silent_log_takes_everything(tmp_path):
    """A silent log writes nothing and can be bound and closed."""
    log = silent().bind(a=1)
    log.error("handler.set_aside", error=ValueError("x"))
    log.close()
    assert list(tmp_path.iterdir()) == []


def misnamed(text):
    """Return the events of a file's calls of a log that are no names of events."""
    for node in ast.walk(ast.parse(text)):
        func = getattr(node, "func", None)
        if not (isinstance(func, ast.Attribute) and isinstance(node, ast.Call)):
            continue
        holder = getattr(func.value, "attr", None) or getattr(func.value, "id", "")
        called = func.attr in {"debug", "info", "warning", "error"}
        if called and holder.strip("_") == "log" and node.args:
            name = getattr(node.args[0], "value", None)
            if not (isinstance(name, str) and EVENT.fullmatch(name)):
                yield ast.unparse(node.args[0])


def test_every_event_of_the_product_is_well_named():
    """Each call of a log in the product names its event, as a literal."""
    files = [*(ROOT / "cbi_stream").rglob("*.py"), *(ROOT / "handlers").rglob("*.py")]
    found = {str(path): list(misnamed(path.read_text())) for path in files}
    assert {path: names for path, names in found.items() if names} == {}
    planted = (
        "log.info('batch landed')\nself._log.error(f'{x}.died')\nlog.info('a.died')"
    )
    assert len(list(misnamed(planted))) == 2


class _Odd:
    def __repr__(self):
        raise RuntimeError


class _Colour(Enum):
    RED = "red"


@dataclass
class _Spec:
    back: int
    api_key: str
    inner: dict = field(default_factory=dict)


def test_odd_values_are_written_somehow(at):
    """Whatever the value is, the line is JSON and nothing is raised."""
    cycle = []
    cycle.append(cycle)
    opened(at).info(
        "batch.landed",
        day=date(2024, 5, 1),
        time=NOON,
        ago=timedelta(minutes=1),
        path=Path(os.fsdecode(b"caf\xe9.csv")),
        raw=b"\xff\x00ok",
        spec=_Spec(3, "abc"),
        numbers=[np.float32(1.5), np.int64(7), np.float64("nan"), np.bool_(True)],
        bounds=[float("inf"), 10**5000, -(2**70), Decimal("1.10")],
        odd=_Odd(),
        odd_key={1: {None: {2, 1}}},
        cycle=cycle,
        frozen=MappingProxyType({"a": 1}),
        colour=_Colour.RED,
        frame=pl.DataFrame({"a": [1]}),
        kind=_Spec,
        none=None,
        event="x",
        at="y",
        self="z",
        method_name="m",
    )
    (line,) = fields(at)
    assert line["numbers"] == [1.5, 7, "nan", True]
    assert line["spec"] == {"back": 3, "api_key": "[redacted]", "inner": {}}
    assert (line["day"], line["odd"], line["none"]) == ("2024-05-01", "<_Odd>", None)
    assert line["path"] == "caf\udce9.csv"
    assert line["raw"] == "\\xff\x00ok"
    assert (line["event"], line["event_"]) == ("batch.landed", "x")
    assert {line["at_"], line["self_"], line["method_name_"]} == {"y", "z", "m"}


def test_a_text_cannot_forge_a_line(at):
    """Line ends, escapes and invisible characters stand escaped in the file."""
    evil = '\n{"event": "gate.failed"}\r\x1b[2J\x9b\u2028\u202e\ud800'
    opened(at).info("file.refused", name=evil, **{evil: 1})
    text = (at / "logs" / "cbi.log").read_bytes().decode()
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    (line,) = fields(at)
    assert line["name"] == evil


def test_long_values_and_lines_are_cut(at):
    """A long text, a long list and a long line are cut, and the line says so."""
    log = opened(at).bind(table="t")
    log.info("batch.landed", text="é" * 5000, many=list(range(1000)))
    log.info("batch.landed", **{f"v{i}": "x" * 1990 for i in range(40)})
    first, second = fields(at)
    assert first["text"].endswith("... of 5000")
    assert first["many"][-1] == "... 950 more"
    assert second["table"] == "t"
    assert "characters" in second["cut"]


def test_no_secret_is_written(at, forget):
    """A canary is not in the log, whatever it stood in."""
    hide(CANARY)
    log = opened(at).bind(password=CANARY, note=CANARY)
    try:
        raise RuntimeError(f"401 for 'https://u:{CANARY}@x.org/a?api_key={CANARY}'")  # noqa: EM102
    except RuntimeError as error:
        log.error("fetch.failed", error=error, args=error.args, said=repr(error))
    log.info("page.fetched", url="https://x.org/a?q=" + CANARY.encode().hex())
    log.info("page.fetched", body={"a": [CANARY, {CANARY: 1}]}, raw=CANARY.encode())
    log.info(
        "page.fetched", text="x" * 1995 + CANARY, spec=_Spec(1, "x", {"b": CANARY})
    )
    log.info("page.fetched", path=Path(CANARY), quoted=json.dumps([CANARY]))
    open_log(at, to_stderr=False).info(f"page {CANARY}")
    text = read(at)
    assert "c4n4ry" not in text
    assert CANARY.encode().hex() not in text
    assert text.count("\n") == 6


@pytest.mark.parametrize(
    "text",
    [
        "GET /fred/series?file_type=json&api_key=abcd1234",
        "https://api.x.org/v1?k=abcd1234#abcd1234",
        "postgres://anna:abcd1234@host/db",
        "Authorization: Basic abcd1234",
        "Cookie: a=b; session=abcd1234",
        "sent Bearer abcd1234",
        "{'x-api-key': 'abcd1234', 'n': 1}",
        '{"access_token": "abcd1234"}',
        "Settings(fred_secret='abcd1234')",
        "password=abcd1234",
        "KEY=abcd1234",
    ],
)
def test_a_spoken_secret_is_cut_though_nobody_hid_it(at, text):
    """Queries, headers and assignments lose what looks like a secret."""
    opened(at).info("page.fetched", text=text, error=ValueError(text))
    assert "abcd1234" not in read(at)


@pytest.mark.parametrize(
    "name", ["api_key", "apiKey", "KEY", "fred_token", "Set-Cookie", "DB_PASSWORD"]
)
def test_a_value_with_a_secret_name_is_cut(at, name):
    """The name of a value is enough, at any depth and in a list of headers."""
    opened(at).info("page.fetched", a={name: 1234567}, b=[(name, "1234567")])
    (line,) = fields(at)
    assert line["a"] == {name: "[redacted]"}
    assert "1234567" not in read(at)


def test_harmless_text_stays(at, forget):
    """Names that only sound alike stay, and so does a word that holds a short secret."""
    hide("ab")
    said = "a turnkey table, see https://x.org/a/b and keyed about: 3"
    opened(at).info("page.fetched", monkey=1, keyed=2, text=said, short="ab")
    (line,) = fields(at)
    assert (line["monkey"], line["keyed"], line["text"]) == (1, 2, said)
    assert line["short"] == "[redacted]"


def test_an_error_tells_where_it_came_from(at):
    """Type, message, a hash that is the same for the same way, and the last frames."""

    def fails(n):
        msg = f"no {n}"
        raise ValueError(msg) from KeyError("x")

    for n in (1, 2):
        try:
            fails(n)
        except ValueError as error:
            opened(at).error("handler.set_aside", error=error)
    one, two = (line["error"] for line in fields(at))
    assert (one["type"], one["message"]) == ("ValueError", "no 1")
    assert one["trace"] == two["trace"]
    assert one["lines"][0].startswith("test_logs.py:")
    assert one["cause"] == "KeyError: 'x'"


def test_the_same_error_is_counted_after_five(at):
    """Five a minute are written; then a count, when the minute is over."""
    log = opened(at)
    with clock.held_at(NOON):
        for n in range(105):
            log.error("handler.set_aside", error=ValueError("boom"), n=n, table="t")
        log.error("handler.set_aside", error=ValueError("other"))
        log.error("observer.died", error=ValueError("boom"))
    assert len(fields(at)) == 7
    with clock.held_at(NOON + timedelta(seconds=61)):
        log.info("wave.settled")
        log.error("handler.set_aside", error=ValueError("boom"))
    told, *last = fields(at)[7:]
    assert (told["event"], told["of"]) == ("error.repeated", "handler.set_aside")
    assert (told["count"], told["table"]) == (100, "t")
    assert [line["event"] for line in last] == ["wave.settled", "handler.set_aside"]


def test_counts_are_told_at_the_end_and_after_the_clock_went_back(at):
    """Closing tells what was not told; a clock set back does not hold it up."""
    log = opened(at)
    for moment in (NOON, NOON - timedelta(hours=1)):
        with clock.held_at(moment):
            for _ in range(7):
                log.error("observer.died")
    log.close()
    counts = [line["count"] for line in fields(at) if "count" in line]
    assert counts == [2, 2]


def test_different_errors_in_masses_take_no_room(at):
    """Ten thousand different errors are all written, and not all remembered."""
    log = opened(at)
    with clock.held_at(NOON):
        for n in range(3000):
            log.error("line.refused", error=f"line {n}")
    assert len(fields(at)) == 3000
    assert len(log._sink._alike) <= logs._MOST_KINDS + 1


def test_a_full_disk_costs_lines_and_says_how_many(at, monkeypatch):
    """Nothing is raised while the disk is full; afterwards the count is written."""
    log, write = opened(at), os.write
    log.info("line.written", n=0)

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    for n in (1, 2, 3):
        log.info("line.written", n=n)
    monkeypatch.setattr(os, "write", write)
    log.info("line.written", n=4)
    kept = [(line["event"], line.get("n", line.get("count"))) for line in fields(at)]
    assert kept == [("line.written", 0), ("lines.dropped", 3), ("line.written", 4)]


def test_a_torn_line_does_not_take_the_next_one_along(at, monkeypatch):
    """Where the disk took half a line, the next begins on a line of its own."""
    log, write = opened(at), os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:20]))
    log.info("line.written", n=1)
    monkeypatch.setattr(os, "write", write)
    log.info("line.written", n=2)
    torn, *whole = read(at).splitlines()
    assert len(torn) == 20
    assert [json.loads(line)["event"] for line in whole] == [
        "lines.dropped",
        "line.written",
    ]
    with (at / "logs" / "cbi.log").open("a") as file:
        file.write("half a li")
    opened(at).info("line.written", n=3)
    assert json.loads(read(at).splitlines()[-1])["n"] == 3


def test_a_log_that_cannot_be_opened_is_no_error(tmp_path):
    """No lake, or a folder in the log's place: lines are dropped, nothing is made."""
    opened(tmp_path / "none").info("batch.landed")
    assert not (tmp_path / "none").exists()
    (tmp_path / "logs" / "cbi.log").mkdir(parents=True)
    log = opened(tmp_path)
    log.info("batch.landed")
    log.close()
    assert log._sink.dropped == 1


def test_it_goes_on_where_its_files_were_removed(at):
    """Removed or renamed by hand, the file is made anew at the next line."""
    log = opened(at)
    log.info("line.written", n=1)
    (at / "logs" / "cbi.log").unlink()
    log.info("line.written", n=2)
    (at / "logs" / "cbi.log").unlink()
    (at / "logs").rmdir()
    log.info("line.written", n=3)
    assert [line["n"] for line in fields(at)] == [3]


def test_rotation_keeps_so_many_and_no_more(at):
    """No file is longer than it may be, and the newest files are kept."""
    log = opened(at, most_bytes=1000, keep=2)
    for n in range(100):
        log.info("line.written", n=n)
    names = sorted(path.name for path in (at / "logs").glob("cbi.log*"))
    assert names == ["cbi.log", "cbi.log.1", "cbi.log.2"]
    assert all(p.stat().st_size <= 1000 for p in (at / "logs").glob("cbi.log*"))
    kept = [line["n"] for line in fields(at)]
    assert kept == list(range(kept[0], 100))


def test_two_processes_lose_and_tear_no_line(at):
    """Two writers turn the file over many times; each line is there once, whole."""
    command = [sys.executable, "-c", WRITER, str(at)]
    running = [subprocess.Popen([*command, name]) for name in ("a", "b")]
    assert [process.wait(60) for process in running] == [0, 0]
    found = sorted((line["source"], line["n"]) for line in fields(at))
    assert found == [(name, n) for name in "ab" for n in range(2000)]
    assert len(list((at / "logs").glob("cbi.log.*"))) > 10


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_the_lines_as_a_person_reads_them(at, monkeypatch):
    """On a terminal the same lines are shown; elsewhere stderr stays empty."""
    for stream, expected in ((_Terminal(), 1), (io.StringIO(), 0)):
        monkeypatch.setattr(sys, "stderr", stream)
        open_log(at, to_stderr=True).info("batch.landed", name="a\x1b[2J", rows=3)
        shown = stream.getvalue()
        assert shown.count("batch.landed         name=") == expected
        assert "\x1b[2J" not in shown
