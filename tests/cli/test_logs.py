"""The verb `logs`: which lines it shows, how, and that it follows without a gap."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from cyclopts import App

from cbi_stream.cli.logging import logs
from cbi_stream.doors import tailing
from cbi_stream.doors.logs import open_log
from cbi_stream.words import clock
from cbi_stream.words.errors import WrongUsage

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
VERB = """
import signal, sys
from cyclopts import App
signal.signal(signal.SIGINT, signal.default_int_handler)
app = App()
app.command("cbi_stream.cli.logging:logs", name="logs")
sys.exit(app(result_action="return_value"))
"""


def opened(folder, **more):
    """Return a log that takes every level."""
    return open_log(folder, to_stderr=False, level="debug", strict=True, **more)


@pytest.fixture
def at(tmp_path, monkeypatch):
    """Return the folder of a lake, as far as the log goes, on a clock of UTC."""
    (tmp_path / "lake.json").write_text("{}")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield tmp_path
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def said(at):
    """Return the folder of a lake whose log has a few lines of each kind."""
    log = opened(at).bind(run_id="7f3a9c")
    with clock.held_at(NOON - timedelta(days=1)):
        log.debug("daemon.started", pid=11)
    with clock.held_at(NOON):
        log.info("batch.landed", source="fred", rows=3, file="VIX CLS.csv")
        log.info("batch.taken", source="yahoo")
        error = ValueError("no close")
        more = {"table": "staging.prices", "partition": 2024}
        log.error("handler.set_aside", error=error, **more)
    with (at / "logs" / "cbi.log").open("a") as file:
        file.write("Traceback \x1b[2J of a library\n")
    with clock.held_at(NOON + timedelta(minutes=5)):
        opened(at).bind(run_id="e1").warning("gate.failed", table="features.panel")
    return at


@pytest.fixture
def shown(capsys):
    """Return a function that runs the verb and returns its lines and its notes."""

    def run(lake, **flags):
        assert logs(lake=lake, **flags) == 0
        captured = capsys.readouterr()
        return captured.out.splitlines(), captured.err

    return run


def events(lines):
    """Return the events of lines shown with --json."""
    return [json.loads(line)["event"] for line in lines if line.startswith("{")]


def test_lines_are_shown_for_a_person(said, shown):
    """Date where it changes, time, level, event, values; odd lines are made harmless."""
    assert shown(said) == (
        [
            "2024-04-30",
            "12:00:00 debug   daemon.started       run_id=7f3a9c pid=11",
            "2024-05-01",
            "12:00:00 info    batch.landed         run_id=7f3a9c source=fred rows=3 "
            'file="VIX CLS.csv"',
            "12:00:00 info    batch.taken          run_id=7f3a9c source=yahoo",
            '12:00:00 error   handler.set_aside    run_id=7f3a9c error="ValueError: '
            'no close" trace=0a456bb3 table=staging.prices partition=2024',
            "Traceback \\x1b[2J of a library",
            "12:05:00 warning gate.failed          run_id=e1 table=features.panel",
        ],
        "",
    )


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"level": "warning"}, ["handler.set_aside", "gate.failed"]),
        ({"event": "batch.landed"}, ["batch.landed"]),
        ({"event": "batch.*"}, ["batch.landed", "batch.taken"]),
        ({"event": "batch"}, []),
        ({"source": "yahoo"}, ["batch.taken"]),
        ({"table": "prices"}, ["handler.set_aside"]),
        ({"table": "staging.prices", "partition": "2024"}, ["handler.set_aside"]),
        ({"run": "e"}, ["gate.failed"]),
        ({"since": "2024-05-01T12:01"}, ["gate.failed"]),
        ({"since": "2024-05-01T14:01+02:00"}, ["gate.failed"]),
        ({"since": "6m"}, ["gate.failed"]),
        (
            {"since": "1d"},
            ["batch.landed", "batch.taken", "handler.set_aside", "gate.failed"],
        ),
        ({"level": "info", "lines": 2}, ["handler.set_aside", "gate.failed"]),
        ({"grep": "VIX .*csv"}, ["batch.landed"]),
        ({"grep": "a", "level": "error"}, ["handler.set_aside"]),
        ({"lines": 0}, []),
    ],
)
def test_filters_show_what_is_asked(said, shown, flags, expected):
    """Each filter alone and together with others shows exactly its lines."""
    with clock.held_at(NOON + timedelta(minutes=10)):
        lines, _ = shown(said, json=True, **flags)
    assert events(lines) == expected


def test_json_passes_lines_through(said, shown):
    """With --json each line is the one in the file, to the byte."""
    lines, _ = shown(said, json=True, run="7f3a9c")
    text = (said / "logs" / "cbi.log").read_text()
    assert lines == text.splitlines()[:4]


def test_lines_that_are_no_events_are_counted_where_left_out(said, shown):
    """They cannot have a table, so a filter leaves them out, and says how many."""
    _, note = shown(said, table="prices")
    assert note == "1 lines that are no events were left out\n"
    lines, note = shown(said, grep="library")
    assert (len(lines), note) == (1, "")


def test_strange_json_is_no_trouble(at, shown):
    """Numbers, lists, other people's objects and broken bytes are shown somehow."""
    (at / "logs").mkdir()
    strange = (
        b'12\n[1]\n{"level": 3}\n{"at": "?", "event": ["x"]}\n\xff\xfe\n' + b"[" * 9999
    )
    (at / "logs" / "cbi.log").write_bytes(strange)
    assert len(shown(at)[0]) == 6
    assert shown(at, level="info")[0] == []


def test_no_log_and_no_lake(at, shown, tmp_path):
    """A lake without a log is fine; no lake is wrong usage."""
    lines, note = shown(at)
    assert lines == []
    assert note.startswith("no log yet")
    with pytest.raises(WrongUsage, match="cbi init"):
        logs(lake=tmp_path / "none")


@pytest.mark.parametrize(
    "flags", [{"since": "soon"}, {"since": "999999w"}, {"grep": "("}, {"lines": -1}]
)
def test_wrong_flags_are_refused(at, flags):
    """A time, an expression or a number that makes no sense is wrong usage."""
    with pytest.raises(WrongUsage, match="expected --"):
        logs(lake=at, **flags)


def test_last_lines_go_over_rotations(at, shown):
    """The last lines are taken from older files where the newest has too few."""
    log = opened(at, most_bytes=400, keep=5)
    for n in range(20):
        log.info("line.written", n=n)
    assert (at / "logs" / "cbi.log.4").exists()
    lines, _ = shown(at, lines=12, json=True)
    assert [json.loads(line)["n"] for line in lines] == list(range(8, 20))


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colours_are_for_terminals_that_want_them(said, monkeypatch):
    """A terminal gets colours, unless NO_COLOR is set."""
    for no_color, expected in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", no_color)
        monkeypatch.setattr(sys, "stdout", _Terminal())
        logs(lake=said)
        assert ("\x1b[31merror" in sys.stdout.getvalue()) is expected


def test_flags_are_parsed(at, capsys):
    """Short and long flags reach the verb through the command line."""
    opened(at).warning("gate.failed", table="t")
    app = App(result_action="return_value")
    app.command("cbi_stream.cli.logging:logs", name="logs")
    words = ["logs", "-n", "3", "--level", "info", "--since", "1h", "--json"]
    assert app([*words, "--lake", str(at)]) == 0
    assert events(capsys.readouterr().out.splitlines()) == ["gate.failed"]


def test_follow_goes_on_until_interrupted(at):
    """It waits for a log, sees lines over turns and emptying, and leaves with 0."""
    command = [sys.executable, "-c", VERB, "logs", "-f", "--json", "--lake", str(at)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stderr.readline().startswith(b"no log yet")
        log = opened(at, most_bytes=2000, keep=20)
        seen = []
        for n in range(60):
            log.info("line.written", n=n)
        seen += [json.loads(child.stdout.readline())["n"] for _ in range(60)]
        (at / "logs" / "cbi.log").write_bytes(b"")
        time.sleep(0.5)
        log.info("line.written", n=60)
        seen.append(json.loads(child.stdout.readline())["n"])
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 0
    assert seen == list(range(61))


def test_following_takes_no_time_of_the_processor(at):
    """Two hundred idle looks take less than a tenth of a second."""
    opened(at).info("daemon.started")
    tail = tailing.Tail(at / "logs", following=True)
    began = time.process_time()
    assert [list(tail.fresh()) for _ in range(200)] == [[]] * 200
    assert time.process_time() - began < 0.1
    tail.close()


def test_following_sees_each_line_once(at):
    """Over many turns of the file between two looks, each line comes once, in order."""
    log = opened(at, most_bytes=500, keep=50)
    log.info("line.written", n=-1)
    tail = tailing.Tail(at / "logs", following=True)
    seen = []
    for n in range(200):
        log.info("line.written", n=n)
        if n % 7 == 0:
            seen += [json.loads(raw)["n"] for raw in tail.fresh()]
    seen += [json.loads(raw)["n"] for _ in range(2) for raw in tail.fresh()]
    tail.close()
    assert seen == list(range(200))


def test_following_survives_emptying_removing_and_a_late_writer(at):
    """An emptied file is read anew, a removed one replaced, an old one looked at again."""
    path = at / "logs" / "cbi.log"
    path.parent.mkdir()
    path.write_text("0\n1\nhal")
    (at / "logs" / "cbi.log.1").write_text("long ago\n")
    os.utime(at / "logs" / "cbi.log.1", (1, 1))
    tail = tailing.Tail(at / "logs", following=True)
    looks = [list(tail.backlog()), list(tail.fresh())]
    late = path.open("a")
    late.write("f\n")
    late.flush()
    looks.append(list(tail.fresh()))
    path.write_text("x\n")
    looks.append(list(tail.fresh()))
    path.replace(at / "logs" / "cbi.log.1")
    path.write_text("y\n")
    looks.append(list(tail.fresh()))
    late.write("late\n")
    late.close()
    looks += [list(tail.fresh()), list(tail.fresh())]
    os.utime(at / "logs" / "cbi.log.1", (2, 2))
    path.unlink()
    looks.append(list(tail.fresh()))
    path.write_text("z\n")
    looks.append(list(tail.fresh()))
    tail.close()
    assert looks == [
        [b"1", b"0", b"long ago"],
        [],
        [b"half"],
        [b"x"],
        [b"y"],
        [b"late"],
        [],
        [],
        [b"z"],
    ]


def test_the_last_lines_are_read_from_the_end(at, monkeypatch):
    """Of a hundred thousand lines the last twenty cost one block, not the file."""
    path = at / "logs" / "cbi.log"
    path.parent.mkdir()
    path.write_text("".join(f'{{"n": {n}}}\n' for n in range(100_000)))
    taken, pread = [], os.pread

    def counted(file, size, start):
        taken.append(size)
        return pread(file, size, start)

    monkeypatch.setattr(os, "pread", counted)
    tail = tailing.Tail(at / "logs")
    last = [
        json.loads(next(lines))["n"] for lines in [tail.backlog()] for _ in range(20)
    ]
    assert last == list(range(99_999, 99_979, -1))
    assert sum(taken) <= 1 << 16
    monkeypatch.undo()
    assert sum(1 for _ in tail.backlog()) == 100_000
    tail.close()
