"""The child reads what this process reads; whatever ends it refuses one file only."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator

import pytest

from cbi_stream.doors import child, reading
from cbi_stream.doors.readers import Child, Here
from cbi_stream.doors.reading import Task, reading_of, unpacked_head
from cbi_stream.shapes.source import Parser, source
from cbi_stream.words.errors import BadInput
from handlers.ingest.cftc import cftc_json
from handlers.ingest.fred import fred, fred_json
from tests.ingest.weeks import LEGACY_JSON, portal

FRED = b"observation_date,VIXCLS\n2024-05-01,15.39\n2024-05-02,oops\n2024-05-03,1\n"
TASK = Task("VIXCLS")


@pytest.fixture
def reader() -> Iterator[Child]:
    """Return a child that is ended after the test."""
    with Child() as found:
        yield found


def _function_called(name: str) -> Parser:
    """Return a parser whose function is one of tests.doors.children, for the child."""

    def parse(data: bytes, key: str | None) -> None:
        raise AssertionError

    parse.__module__, parse.__qualname__ = "tests.doors.children", name
    return Parser("toy", (), lambda _: True, lambda _: None, parse)  # type: ignore[arg-type]


def test_only_lines_of_text_have_a_last_line_that_ends() -> None:
    """JSON and archives end as they end, whatever the source's texts do."""
    whole = Task(None, final_newline=True)
    weeks = portal(LEGACY_JSON)
    assert not weeks.endswith(b"\n")
    assert Here().read(cftc_json, weeks, whole).lines.height == 1
    assert Here().read(fred, FRED[:-1], Task("VIXCLS", final_newline=True)).cut


def test_the_child_says_what_this_process_says(reader: Child) -> None:
    """Rows, problems, mark and cut are the same, also from a gzip, also the second time."""
    whole = Task("VIXCLS", final_newline=True)
    cases = [
        (FRED, TASK),
        (b"# SIMULATED\n" + FRED, whole),
        (FRED[:-1], whole),
        (gzip.compress(FRED), Task("VIXCLS", gzipped=True)),
        (
            gzip.compress(FRED) + gzip.compress(b"2024-05-06,2\n"),
            Task("VIXCLS", gzipped=True),
        ),
        (b"nonsense\n", TASK),
    ]
    for data, task in cases:
        here, there = Here().read(fred, data, task), reader.read(fred, data, task)
        assert there.lines.equals(here.lines)
        assert there.lines.schema == here.lines.schema
        told = (there.simulated, there.cut, there.refusal)
        assert told == (here.simulated, here.cut, here.refusal)


def test_only_lines_can_be_cut_unseen() -> None:
    """JSON without a line end is whole; lines of the same source without one are not."""
    task = Task("GDP", final_newline=True)
    answer = (
        b'{"realtime_start":"2024-07-01","realtime_end":"2024-07-01","observations":[]}'
    )
    found = Here().read(fred_json, answer, task)
    assert (found.cut, found.refusal, found.lines.height) == (None, None, 0)
    assert Here().read(fred, FRED[:-1], task).cut is not None


def test_one_child_reads_file_after_file(reader: Child) -> None:
    """It is started once, and ends with its context."""
    reader.read(fred, FRED, TASK)
    first = reader._process
    reader.read(fred, b"nonsense", TASK)
    assert reader._process is first
    assert first is not None
    reader.close()
    assert first.poll() is not None


@pytest.mark.parametrize("name", ["ends_itself", "takes_all_memory", "prints_and_dies"])
def test_a_file_that_ends_the_reader_is_refused_and_no_other(
    reader: Child, name: str
) -> None:
    """The next file gets a fresh child, and is read."""
    found = reader.read(_function_called(name), FRED, TASK)
    assert "the reader ended its process" in (found.refusal or "")
    assert reader.read(fred, FRED, TASK).lines.height == 3


def test_a_file_that_never_ends_is_stopped() -> None:
    """A wall limit ends the child by its own id."""
    with Child(wall_seconds=3) as reader:
        assert reader.read(fred, FRED, TASK).refusal is None
        reader.wall_seconds = 0.3
        found = reader.read(_function_called("sleeps"), FRED, TASK)
        assert "took more than 0.3 seconds" in (found.refusal or "")
        reader.wall_seconds = 60
        assert reader.read(fred, FRED, TASK).lines.height == 3


def test_a_parser_that_raises_is_told_and_its_child_stays(reader: Child) -> None:
    """An error of a parser refuses its file, whatever it is."""
    found = reader.read(_function_called("raises"), FRED, TASK)
    assert found.refusal == "the parser of toy failed: ZeroDivisionError: oh"
    assert reader.read(fred, FRED, TASK).lines.height == 3


def test_the_child_sees_no_key_of_ours(
    reader: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets of the environment stay out of the process that reads strange bytes."""
    monkeypatch.setenv("FRED_API_KEY", "canary")
    found = reader.read(_function_called("tells_environment"), FRED, TASK)
    assert "POLARS_MAX_THREADS" in (found.refusal or "")
    assert "FRED_API_KEY" not in (found.refusal or "")
    assert "canary" in os.environ["FRED_API_KEY"]


def test_the_child_has_its_limits(reader: Child) -> None:
    """Memory, time and files are limited where the platform can; else that is said."""
    found = reader.read(_function_called("tells_limits"), FRED, TASK)
    told = dict(
        each.split("=") for each in (found.refusal or "").split(": ")[-1].split()
    )
    assert told["files"] == "0" or "files" in reader.skipped
    assert 0 < int(told["memory"]) < 64 * 1024**3 or "memory" in reader.skipped
    assert 0 < int(told["time"]) <= child.CPU_SECONDS + 60


def test_a_limit_that_is_refused_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without /proc there is no limit on memory, and that is said."""

    def absent() -> int:
        raise OSError

    monkeypatch.setattr(child, "_memory_now", absent)
    monkeypatch.setattr(child, "_lower", lambda *_: None)
    assert child.limited() == ["memory"]


@pytest.mark.parametrize("size", [300_000_000, 2_000_000])
def test_a_bomb_is_stopped_while_it_unfolds(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """More than 200 times its size, or more than the cap: refused, never held."""
    if size < 10_000_000:
        monkeypatch.setattr(reading, "MOST_BYTES", 1_000_000)
    bomb = gzip.compress(bytes(size), 9)
    found = reading_of(fred, bomb, Task("VIXCLS", gzipped=True))
    assert "does not shrink so much" in (found.refusal or "")


def test_a_small_gzip_may_shrink_a_lot() -> None:
    """Up to a megabyte the ratio says nothing: a short file of equal lines is fine."""
    data = FRED + b"2024-05-06,1\n" * 20_000
    found = reading_of(fred, gzip.compress(data, 9), Task("VIXCLS", gzipped=True))
    assert (found.refusal, found.lines.height) == (None, 20_003)


def test_the_head_of_a_gzip_is_bounded() -> None:
    """To recognise a file only its beginning is unpacked, also where it breaks."""
    packed = gzip.compress(FRED * 10_000)
    assert unpacked_head(packed, 100) == (FRED * 2)[:100]
    broken = gzip.compress(FRED)[:-8] + bytes(8)
    assert unpacked_head(broken, 1000) == FRED
    assert unpacked_head(b"\x1f\x8bnothing", 1000) == b""


def test_a_parser_says_what_it_refuses() -> None:
    """BadInput of a parser is told as it is."""

    @source("toy", headers=(), recognises=lambda _: True)
    def toy(data: bytes, key: str | None) -> None:
        msg = "line 7: expected better"
        raise BadInput(msg)

    assert Here().read(toy, b"x", Task(None)).refusal == "line 7: expected better"
