"""A file is read when it rests, and never through a link, a pipe or a trick."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cbi_stream.doors import dropping, landing, settling
from cbi_stream.doors.landing import Hint, Receipt, take_in, waiting
from cbi_stream.doors.receipts import Waits
from cbi_stream.doors.settling import Settling, copied, glimpse
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock
from cbi_stream.words.errors import BadInput, WrongUsage

Put = Callable[..., Path]
Mine = Callable[..., Path]
Drop = Callable[..., Receipt]
FRED = b"observation_date,VIXCLS\n2024-05-01,15.39\n2024-05-02,14.68\n"


def test_a_copy_by_hand_waits_until_it_rests(
    lake: Lake, graph: Graph, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just written: it waits; seen the same two seconds later: it is taken."""
    monkeypatch.setattr(settling, "SECONDS", 0.15)
    path = put("VIXCLS.csv", FRED, at=time.time() + 3600)  # no clock helps here
    rest = Settling()
    (receipt,) = take_in(lake, graph, settling=rest)
    assert (receipt.end, receipt.unsettled) == ("waiting", True)
    assert "still be being copied" in (receipt.reason or "")
    assert take_in(lake, graph, settling=rest)[0].unsettled
    with path.open("ab") as file:
        file.write(b"2024-05-03,13.49\n")
    os.utime(path, (time.time() + 3600,) * 2)
    settling.pause(0.2)
    assert take_in(lake, graph, settling=rest)[0].unsettled
    settling.pause(0.2)
    (receipt,) = take_in(lake, graph, settling=rest)
    assert (receipt.end, receipt.lines) == ("archive", 3)


@pytest.mark.parametrize(
    ("age", "whole"),
    [(0.0, False), (1.9, False), (2.0, True), (9e6, True), (-60, False)],
)
def test_a_time_two_seconds_old_counts_at_once(
    tmp_path: Path, age: float, *, whole: bool
) -> None:
    """A time of change in the future says nothing, however long it has been there."""
    path = tmp_path / "x.csv"
    path.write_bytes(FRED)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    at = (now - timedelta(seconds=age)).timestamp()
    os.utime(path, (at, at))
    with clock.held_at(now):
        assert Settling().is_whole(path, glimpse(path)) is whole


def test_what_was_dropped_needs_no_rest(lake: Lake, graph: Graph, mine: Mine) -> None:
    """The hash that was announced is the hash of the bytes: the file is whole."""
    landing.drop(lake, mine(FRED, "VIXCLS.csv"), Hint())
    assert [r.taken for r in take_in(lake, graph)] == [True]


def test_other_bytes_than_announced_must_rest_and_bring_no_hint(
    lake: Lake, graph: Graph, mine: Mine, put: Put
) -> None:
    """What was said of the bytes that were announced is not said of these."""
    landing.drop(
        lake, mine(FRED, "VIXCLS.csv"), Hint(as_of=datetime(2024, 6, 1, tzinfo=UTC))
    )
    same_size = FRED.replace(b"15.39", b"15.40")
    put("VIXCLS.csv", same_size, at=None)
    assert [r.unsettled for r in take_in(lake, graph)] == [True]
    put("VIXCLS.csv", same_size)
    (receipt,) = take_in(lake, graph)
    assert (receipt.taken, receipt.as_of_by) == (True, "sight")


def test_the_announcement_is_written_first(
    lake: Lake, mine: Mine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash between the two leaves an announcement, never a file without one."""
    names: list[str] = []
    write = dropping.durable.write

    def noted(path: Path, data: bytes) -> None:
        names.append(path.name)
        write(path, data)

    with monkeypatch.context() as patched:
        patched.setattr(dropping.durable, "write", noted)
        landing.drop(lake, mine(FRED, "VIXCLS.csv"), Hint())
    assert names == ["VIXCLS.csv.hint.json", "VIXCLS.csv"]


def test_a_file_that_changes_while_it_is_read_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Grown, shrunk, replaced, or the same size at another time: each is seen."""
    path = tmp_path / "x.csv"
    for change in (FRED + b"1", FRED[:-1], FRED.replace(b"1", b"2")):
        path.write_bytes(FRED)
        seen = glimpse(path)
        path.write_bytes(change)
        os.utime(path, ns=(seen.mtime_ns + 1, seen.mtime_ns + 1))
        with pytest.raises(Waits, match="changed while it was read") as waits:
            copied(path, seen)
        assert waits.value.unsettled


def _make(kind: str, path: Path, target: Path) -> None:
    target.write_bytes(FRED)
    makers: dict[str, Callable[[], object]] = {
        "a symbolic link": lambda: path.symlink_to(target),
        "a symbolic link to nowhere": lambda: path.symlink_to(target.parent / "no"),
        "a symbolic link to a device": lambda: path.symlink_to("/dev/zero"),
        "a symbolic link to a folder": lambda: path.symlink_to(target.parent),
        "a socket": lambda: _socket(path),
        "hard links": lambda: os.link(target, path),
        "a folder": path.mkdir,
        "a pipe": lambda: os.mkfifo(path),
    }
    makers[kind]()


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made, contextlib.chdir(path.parent):
        made.bind(path.name)  # the whole path may be longer than a socket's can be


@pytest.mark.parametrize(
    "kind",
    [
        "a symbolic link",
        "a symbolic link to nowhere",
        "a symbolic link to a device",
        "a symbolic link to a folder",
        "hard links",
        "a folder",
        "a pipe",
        "a socket",
    ],
)
def test_what_is_no_file_of_its_own_is_never_opened(
    lake: Lake, graph: Graph, tmp_path: Path, kind: str
) -> None:
    """It waits with a receipt that says what it is: nobody can make us read or hang."""
    _make(kind, lake.folder / "landing" / "VIXCLS.csv", tmp_path / "target.csv")
    (receipt,) = take_in(lake, graph)
    assert receipt.end == "waiting"
    assert kind.split(" to ", maxsplit=1)[0] in (receipt.reason or "")
    assert receipt.mend
    assert lake.table("raw.fred").head()[0] == -1


def test_a_link_that_comes_between_two_looks_is_not_followed(tmp_path: Path) -> None:
    """The file is opened without following links, whatever it looked like before."""
    path, target = tmp_path / "x.csv", tmp_path / "secret"
    path.write_bytes(FRED)
    seen = glimpse(path)
    path.rename(target)
    path.symlink_to(target)
    with pytest.raises(Waits, match="cannot be read"):
        copied(path, seen)


def test_a_file_that_is_too_large_waits_unread(
    lake: Lake, graph: Graph, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is told, with what was found, on both roads into the landing."""
    monkeypatch.setattr(settling, "MOST_BYTES", 10)
    monkeypatch.setattr(dropping, "MOST_BYTES", 10)
    path = put("VIXCLS.csv", FRED)
    (receipt,) = take_in(lake, graph)
    assert receipt.end == "waiting"
    assert f"at most 10 bytes; found {len(FRED)}" in (receipt.reason or "")
    with pytest.raises(BadInput, match="at most 10 bytes"):
        landing.drop(lake, path, Hint())


def test_a_file_nobody_may_read_waits(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The permissions are named; the file stays."""
    path = put("VIXCLS.csv", FRED)
    seen = glimpse(path)

    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refused)
        with pytest.raises(Waits, match="Permission denied"):
            copied(path, seen)
    assert path.read_bytes() == FRED


ODD = [
    "new\nline.csv",
    "esc\x1b[2J.csv",
    b"not-\xff-utf8.csv".decode(errors="surrogateescape"),
    "a" * 250 + ".csv",
    "..csv.csv",
    "glob*[1].csv",
    "-rf.csv",
    "$(reboot).csv",
]


@pytest.mark.parametrize("name", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("data", [FRED, b"time,price\n", b"PK\x03\x04"])
def test_an_odd_name_breaks_nothing(
    lake: Lake, graph: Graph, put: Put, name: str, data: bytes
) -> None:
    """A name is data: it is told with its odd characters written out."""
    put(f"x{name}" if name.startswith(".") else name, data)
    (receipt,) = take_in(lake, graph)
    ends = {FRED[:2]: "archive", b"ti": "waiting", b"PK": "quarantine"}
    assert receipt.end == ends[data[:2]], receipt.reason
    told = [p for p in (lake.folder / "landing").iterdir() if p.suffix == ".json"]
    assert len(told) == 1
    assert b"\x1b" not in told[0].read_bytes()
    again = take_in(lake, graph)
    assert len(again) == (1 if receipt.end == "waiting" else 0)


@pytest.mark.parametrize(
    "name", [".hidden", "x.csv.part", "x.csv~", "x.crdownload", "x.tmp", "x.csv.asof"]
)
def test_names_of_unfinished_files_are_passed_over(
    lake: Lake, graph: Graph, put: Put, name: str
) -> None:
    """A browser's and an editor's own files are none of ours."""
    put(name, FRED)
    assert take_in(lake, graph) == []


def test_a_link_or_folder_or_nothing_is_not_handed_in(
    lake: Lake, tmp_path: Path, mine: Mine
) -> None:
    """Only a regular file is handed in; a link could change under our hands."""
    link = tmp_path / "VIXCLS.csv"
    link.symlink_to(mine(FRED))
    for path in (link, tmp_path, tmp_path / "nowhere.csv"):
        with pytest.raises(WrongUsage, match="expected a regular file"):
            landing.drop(lake, path, Hint())
    assert waiting(lake) == []


def test_another_file_of_a_waiting_name_is_refused(
    lake: Lake, graph: Graph, mine: Mine
) -> None:
    """What nobody looked at yet is not written over; the same bytes may come twice."""
    landing.drop(lake, mine(FRED, "VIXCLS.csv"), Hint())
    landing.drop(lake, mine(FRED, "VIXCLS.csv"), Hint(key="VIXCLS"))
    other = mine(FRED + b"2024-05-06,1\n", "VIXCLS.csv", "other")
    with pytest.raises(WrongUsage, match="of that name waits"):
        landing.drop(lake, other, Hint())
    assert [r.lines for r in take_in(lake, graph)] == [2]
    landing.drop(lake, other, Hint())
    assert [r.lines for r in take_in(lake, graph)] == [3]


def test_a_file_that_waits_makes_room_and_is_kept(
    lake: Lake, graph: Graph, mine: Mine
) -> None:
    """It was looked at and waits: the next one of its name moves it to the quarantine."""
    landing.drop(lake, mine(FRED[:-1], "VIXCLS.csv"), Hint())
    assert [r.end for r in take_in(lake, graph)] == ["waiting"]
    landing.drop(lake, mine(FRED, "VIXCLS.csv", "mended"), Hint())
    kept = list((lake.folder / "quarantine" / "files").glob("*.csv"))
    assert FRED[:-1] in [path.read_bytes() for path in kept]
    assert [r.end for r in take_in(lake, graph)] == ["archive"]


def test_a_hint_is_replaced_by_the_next_one(
    lake: Lake, graph: Graph, mine: Mine
) -> None:
    """After a slip of the pen the same file is handed in again, and looked at again."""
    data = b"date,value\n2024-05-01,1.5\n"
    landing.drop(lake, mine(data, "foo.csv"), Hint())
    assert [r.end for r in take_in(lake, graph)] == ["waiting"]
    landing.drop(lake, mine(data, "foo.csv"), Hint(key="NFCI"))
    assert [(r.end, r.key) for r in take_in(lake, graph)] == [("archive", "NFCI")]
    assert not list((lake.folder / "landing").glob("*.hint.json"))


def test_a_hint_that_cannot_be_read_says_nothing(
    lake: Lake, graph: Graph, put: Put
) -> None:
    """Whoever may write into the landing cannot break a run with it."""
    for i, hint in enumerate((b"", b"[]", b"{}", b'{"sha256": 1}', b"\xff")):
        put(f"VIXCLS {i}.csv", FRED)
        put(f"VIXCLS {i}.csv.hint.json", hint)
    assert [r.end for r in take_in(lake, graph)] == ["archive"] * 5
