"""The journal of questions survives power cuts, refusals and clocks that go wrong.

No test asks a source anything; the lines are written here.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbi_stream.doors import journal as room
from cbi_stream.doors.journal import Journals, Question
from cbi_stream.doors.questions import PREFIX, Journal, line_of, read_line
from cbi_stream.doors.receipts import Receipt
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import LockHeld, WrongUsage

AT = datetime(2024, 3, 1, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHAS = [hashlib.sha256(bytes([n])).hexdigest() for n in range(4)]


def _asked(outcome: str = "landed", *, hours: int = 0, **more: Any) -> Question:
    plain: dict[str, Any] = {"at": AT + hours * HOUR, "name": "DGS10.csv"}
    return Question(**plain | {"outcome": outcome} | more)


@pytest.fixture
def journals(lake: Lake) -> Journals:
    """Return the journals of an empty lake."""
    return Journals(lake)


@pytest.fixture
def path(lake: Lake) -> Path:
    """Return where the journal of FRED stands."""
    return lake.folder / "fetches" / "fred.jsonl"


def _told(journal: Journal) -> dict[str, Any]:
    """Return all that a journal says."""
    names = ("last_success", "last_asked", "last_by_name", "cursors", "landed")
    names += ("newest", "failing", "consecutive_failures", "reason")
    told = {name: getattr(journal, name) for name in names}
    return told | {n: journal.validators(n) for n in journal.last_by_name}


def test_a_question_is_one_line_with_all_that_is_known(
    journals: Journals, path: Path
) -> None:
    """Whoever opens the file with other tools finds each field by its name."""
    journals.append(
        "fred",
        _asked(
            series="DGS10",
            status=200,
            url="https://api.example.org/observations?series_id=DGS10",
            content_type="text/csv",
            bytes=12,
            sha256=SHAS[0],
            etag='W/"1"',
            last_modified="Fri, 01 Mar 2024 21:00:00 GMT",
            cursor="2024-02-29",
            newest=date(2024, 2, 29),
        ),
    )
    (line,) = path.read_text().splitlines()
    assert json.loads(line) == {
        "at": "2024-03-01T22:00:00+00:00",
        "name": "DGS10.csv",
        "series": "DGS10",
        "outcome": "landed",
        "status": 200,
        "url": "https://api.example.org/observations?series_id=DGS10",
        "content_type": "text/csv",
        "bytes": 12,
        "sha256": SHAS[0],
        "etag": 'W/"1"',
        "last_modified": "Fri, 01 Mar 2024 21:00:00 GMT",
        "cursor": "2024-02-29",
        "newest": "2024-02-29",
        "reason": None,
    }
    found = journals.read("fred")
    assert found.last_success == AT
    assert found.cursors == {"DGS10.csv": "2024-02-29"}
    assert found.newest == {"DGS10": date(2024, 2, 29)}
    assert found.last_by_name["DGS10.csv"].bytes == 12
    assert found.validators("DGS10.csv") == {
        "If-None-Match": 'W/"1"',
        "If-Modified-Since": "Fri, 01 Mar 2024 21:00:00 GMT",
    }
    assert found.validators("nobody.csv") == {}


def test_no_secret_reaches_the_disk(journals: Journals, path: Path) -> None:
    """Neither in an address nor in a reason, also where whoever asks forgot it."""
    url = "https://me:pw123@h.example/a?id=ZL&api_key=abc1&registrationkey=abc2&token=abc3"
    journals.append("fred", _asked("failed", url=url, reason=f"403 for {url}"))
    text = path.read_text()
    assert "id=ZL" in text
    assert not [
        secret for secret in ("pw123", "abc1", "abc2", "abc3") if secret in text
    ]


def test_days_are_those_of_the_source(lake: Lake, journals: Journals) -> None:
    """An answer at three in the morning UTC belongs to the day before in Chicago."""
    journals.append("fred", _asked(hours=5))
    journals.append("fred", _asked(hours=8, name="NFCI.csv"))
    assert journals.read("fred").landed == {
        "DGS10.csv": date(2024, 3, 1),
        "NFCI.csv": date(2024, 3, 2),
    }


def test_a_torn_line_is_passed_over_and_mended(
    lake: Lake, journals: Journals, path: Path
) -> None:
    """Cut anywhere in the last line: what was acknowledged stands, the next line too."""
    journals.append("fred", _asked(cursor="first"))
    whole = path.read_bytes()
    torn = line_of(_asked("failed", hours=1, reason="a {brace} and a \n line"))
    for cut in range(1, len(torn)):
        path.write_bytes(whole + torn[:cut])
        found = Journals(lake).read("fred")
        assert (found.last_asked, found.consecutive_failures) == (AT, 0), cut
        Journals(lake).append("fred", _asked(hours=2, cursor="third"))
        assert path.read_bytes().startswith(whole + torn[:cut])
        found = Journals(lake).read("fred")
        assert found.cursors == {"DGS10.csv": "third"}, cut
        assert found.last_asked == AT + 2 * HOUR


@pytest.mark.parametrize(
    "line",
    [
        b"\0" * 300,
        b"{}",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"at":"2024-03-01T22:00:00+00:00","name":"x"}',
        b'{"at":"2024-03-01T22:00:00","name":"x","outcome":"failed"}',
        b'{"at":"2024-03-01T22:00:00+00:00","name":"x","outcome":"fine"}',
        b'{"at":"2024-03-01T22:00:00+00:00","name":"x","outcome":["failed"]}',
        b'{"at":"2024-03-01T22:00:00+00:00","name":5,"outcome":"failed"}',
        b'{"at":"2024-03-01T22:00:00+00:00","name":"x","outcome":"landed","sha256":5}',
        b'{"at":"2024-03-01T22:00:00+00:00","name":"x","outcome":"landed","bytes":"5"}',
        b'{"at":"2024-03-01T22:00:00+00:00","name":"x","outcome":"same","newest":"x"}',
        b'{"at":1,"name":"x","outcome":"failed"}',
    ],
)
def test_a_line_that_says_nothing_is_passed_over(
    journals: Journals, path: Path, line: bytes
) -> None:
    """What a power cut or a person left there hides no other line."""
    journals.append("fred", _asked())
    with path.open("ab") as file:
        file.write(line + b"\n")
    journals.append("fred", _asked(hours=1, name="NFCI.csv"))
    assert sorted(journals.read("fred").last_by_name) == ["DGS10.csv", "NFCI.csv"]


def test_a_line_by_hand_in_another_order_counts(path: Path, journals: Journals) -> None:
    """Fewer fields, blanks, another order: it says what it says."""
    path.parent.mkdir()
    path.write_text(
        '{ "outcome": "landed",  "name": "x", "at": "2024-03-01T23:00:00+01:00" }\n'
    )
    assert journals.read("fred").last_success == AT


def test_a_line_that_found_no_room_is_told_and_mended(
    journals: Journals, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk takes half a line: that is an error, and the next line stands alone."""
    journals.append("fred", _asked())
    write = room.os.write
    monkeypatch.setattr(room.os, "write", lambda file, data: write(file, data[:40]))
    with pytest.raises(OSError, match="no room for a whole line"):
        journals.append("fred", _asked("failed", hours=1))
    monkeypatch.undo()
    journals.append("fred", _asked(hours=2))
    assert journals.read("fred").last_asked == AT + 2 * HOUR
    assert journals.read("fred").consecutive_failures == 0


def test_a_line_is_synced_before_it_is_acknowledged(
    journals: Journals, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the file, and when it is the first line its folder as well."""
    synced: list[Path] = []
    monkeypatch.setattr(durable, "sync", synced.append)
    journals.append("fred", _asked())
    assert synced[-2:] == [path, path.parent]
    journals.append("fred", _asked())
    assert synced[-1:] == [path]
    assert len(synced) == 4  # the lake's folder, when `fetches` was made in it


def test_what_was_refused_afterwards_did_not_land(
    lake: Lake, journals: Journals, drop: Callable[..., Receipt]
) -> None:
    """The quarantine names the bytes: then the answer before them is the newest."""
    journals.append("fred", _asked(cursor="a", sha256=SHAS[0], etag="one"))
    bad = b"<html>maintenance</html>\n"
    sha256 = hashlib.sha256(bad).hexdigest()
    later = _asked(hours=24, cursor="b", sha256=sha256, etag="two")
    journals.append("fred", later)
    assert journals.read("fred").cursors == {"DGS10.csv": "b"}
    assert drop(bad, "DGS10.csv").end == "quarantine"
    found = journals.read("fred")
    assert found.cursors == {"DGS10.csv": "a"}
    assert found.landed == {"DGS10.csv": date(2024, 3, 1)}
    assert found.validators("DGS10.csv") == {"If-None-Match": "one"}
    assert _told(found) == _told(Journals(lake).read("fred"))


def _refuse(lake: Lake, sha256: str) -> None:
    folder = lake.folder / "quarantine" / "files"
    durable.make_folder(folder)
    (folder / f"{sha256[:PREFIX]}-x.csv").write_bytes(b"")


def test_the_same_again_confirms_only_what_was_taken(
    lake: Lake, journals: Journals
) -> None:
    """A fresh validator of the same bytes is used; one of refused bytes never is."""
    journals.append("fred", _asked(sha256=SHAS[0], etag="one"))
    journals.append("fred", _asked("same", hours=1, sha256=SHAS[0], etag="two"))
    assert journals.read("fred").validators("DGS10.csv") == {"If-None-Match": "two"}
    journals.append("fred", _asked(hours=2, sha256=SHAS[1], etag="three"))
    journals.append("fred", _asked("same", hours=3, status=304, etag="three"))
    assert journals.read("fred").validators("DGS10.csv") == {"If-None-Match": "three"}
    _refuse(lake, SHAS[1])
    assert journals.read("fred").validators("DGS10.csv") == {"If-None-Match": "two"}
    assert journals.read("fred").landed == {"DGS10.csv": date(2024, 3, 1)}
    journals.append("fred", _asked(hours=4, sha256=SHAS[2], etag="four"))
    journals.append("fred", _asked("same", hours=5, status=304, etag="five"))
    assert journals.read("fred").validators("DGS10.csv") == {"If-None-Match": "five"}


def test_failures_are_counted_by_question(journals: Journals) -> None:
    """One series that never answers is seen among thirty that do."""
    for day in range(3):
        journals.append("fred", _asked("failed", hours=24 * day, reason=f"day {day}"))
        journals.append("fred", _asked("same", hours=24 * day, name="NFCI.csv"))
    found = journals.read("fred")
    assert (found.failing, found.consecutive_failures) == ({"DGS10.csv": 3}, 3)
    assert found.reason == "day 2"
    assert found.last_success == AT + 48 * HOUR
    journals.append("fred", _asked("empty", hours=72))
    assert journals.read("fred").consecutive_failures == 0
    assert journals.read("fred").reason is None


def test_a_question_that_is_no_longer_asked_fails_no_longer(journals: Journals) -> None:
    """The file of a year that is over is left out of two polls: nobody waits for it."""
    journals.append("fred", _asked("failed", name="2023.txt"))
    journals.append("fred", _asked("failed", name="2024.txt"))
    journals.append("fred", _asked("failed", hours=24, name="2024.txt"))
    # That poll ended early, so the other question may still be meant.
    assert journals.read("fred").failing == {"2023.txt": 1, "2024.txt": 2}
    journals.append("fred", _asked("landed", hours=48, name="2024.txt"))
    assert journals.read("fred").failing == {}


def test_the_order_is_that_of_the_file(journals: Journals) -> None:
    """A line of a clock that ran ahead a year is older than the line behind it."""
    journals.append("fred", _asked(hours=24 * 365, cursor="ahead"))
    journals.append("fred", _asked(cursor="right"))
    found = journals.read("fred")
    assert (found.last_success, found.last_asked) == (AT, AT)
    assert found.cursors == {"DGS10.csv": "right"}


_lines = st.lists(
    st.tuples(
        st.sampled_from(["landed", "same", "empty", "failed"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from([None, *SHAS]),
        st.sampled_from([None, "x", "y"]),
    ),
    max_size=25,
)


@given(_lines, st.sets(st.sampled_from(SHAS)))
def test_a_line_more_says_what_a_look_at_all_lines_says(
    lines: list[tuple[str, str, str | None, str | None]], refused: set[str]
) -> None:
    """The index that grows holds what a plain walk over all lines finds."""
    journal = Journal("UTC", frozenset(sha256[:PREFIX] for sha256 in refused))
    questions = [
        _asked(outcome, hours=n, name=name, sha256=sha256, cursor=mark, etag=mark)
        for n, (outcome, name, sha256, mark) in enumerate(lines)
    ]
    for question in questions:
        line = read_line(line_of(question))
        assert line is not None
        assert line.question() == question
        journal.take(line)
    for name in ("a", "b"):
        mine = [q for q in questions if q.name == name]
        taken = [q for q in mine if q.outcome == "landed" and q.sha256 not in refused]
        days = {q.at.date() for q in taken[-1:]}
        assert {journal.landed.get(name)} - {None} == days
        marks = [q.cursor for q in taken if q.cursor]
        assert journal.cursors.get(name) == (marks[-1] if marks else None)
        assert journal.last_by_name.get(name) == (mine[-1] if mine else None)
        assert taken or journal.validators(name) == {}
    good = [q.at for q in questions if q.outcome != "failed"]
    assert journal.last_success == (good[-1] if good else None)


def test_only_what_came_is_read_again(
    lake: Lake, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand lines are read once; after that, the lines that came since."""
    path.parent.mkdir()
    line = line_of(_asked("same", sha256=SHAS[0]))
    path.write_bytes(line * 100_000)
    read = []
    monkeypatch.setattr(
        room, "read_line", lambda data: read.append(1) or read_line(data)
    )
    journals = Journals(lake)
    assert journals.read("fred").last_success == AT
    assert len(read) == 100_000
    journals.append("fred", _asked("failed", hours=1))
    assert journals.read("fred").consecutive_failures == 1
    assert journals.read("fred").last_asked == AT + HOUR
    assert len(read) == 100_001


def test_a_journal_that_was_replaced_is_read_anew(
    journals: Journals, path: Path
) -> None:
    """Another file under the name, or a shorter one: nothing of the old one stays."""
    journals.append("fred", _asked("failed"))
    journals.append("fred", _asked("failed", hours=1))
    assert journals.read("fred").consecutive_failures == 2
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert journals.read("fred").consecutive_failures == 1
    first = line_of(_asked("failed", name="first.csv"))
    durable.write(path, first + line_of(_asked("same", hours=2)) * 3)
    assert list(journals.read("fred").last_by_name) == ["first.csv", "DGS10.csv"]
    path.unlink()
    assert journals.read("fred").last_asked is None


def test_a_source_nobody_knows_has_no_journal(lake: Lake, journals: Journals) -> None:
    """A slip of the pen, or a path, makes no file."""
    for name in ("freed", "../fred"):
        with pytest.raises(WrongUsage, match="expected one of the sources"):
            journals.append(name, _asked())
    assert not (lake.folder / "fetches").exists()


_HOLD = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_one_run_per_source_across_processes(lake: Lake, journals: Journals) -> None:
    """A second one leaves at once and says so; another source is free; it ends, too."""
    with journals.asking("fred"):
        pass
    lock = lake.folder / "fetches" / "fred.lock"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with (
            pytest.raises(LockHeld, match=r"fred is being asked already: .*fred\.lock"),
            journals.asking("fred"),
        ):
            pass
        with journals.asking("cftc"):
            pass
        other.communicate(b"")
    with journals.asking("fred"), pytest.raises(LockHeld), journals.asking("fred"):
        pass


def test_an_error_of_whoever_asks_frees_the_lock(journals: Journals) -> None:
    """It goes on to the caller as it is, and the next run may ask."""
    with pytest.raises(WrongUsage, match="freed"), journals.asking("fred"):
        journals.read("freed")
    with journals.asking("fred"):
        assert journals.read("fred").last_asked is None
