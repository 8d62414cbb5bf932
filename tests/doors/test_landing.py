"""Each file ends in one of three places, with a receipt; nothing is lost or doubled."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.doors import filing, landing
from cbi_stream.doors.landing import Hint, Receipt, complete, take_in, waiting
from cbi_stream.engine import fates
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.registry.loader import Registry
from cbi_stream.words import clock
from cbi_stream.words.errors import CommitConflict, WrongUsage

Rows = Callable[[str], pl.DataFrame]
Drop = Callable[..., Receipt]
Put = Callable[..., Path]
Mine = Callable[..., Path]
YAHOO = b"""Date,Open,High,Low,Close,Adj Close,Volume
2024-05-01,45.090000,45.330002,43.020000,43.099998,43.099998,68022
2024-05-02,43.160000,43.529999,42.630001,43.320000,43.320000,51234
2024-05-03,null,null,null,null,null,null"""
FRED = b"observation_date,VIXCLS\n2024-05-01,15.39\n2024-05-02,14.68\n2024-05-03,\n"
MARK = b"# SIMULATED by cbi-stream: no real market data, seed 7\n"
BAD = b"Date,Open,High,Low,Close,Adj Close,Volume\nx,1\ny,2\n"


def told(lake: Lake, name: str) -> dict[str, object]:
    """Return a receipt as it stands in the landing."""
    path = lake.folder / "landing" / f"{name}.receipt.json"
    found: dict[str, object] = json.loads(path.read_bytes())
    return found


def test_a_file_is_taken_with_a_receipt(lake: Lake, drop: Drop, rows: Rows) -> None:
    """Lines, bytes and receipt agree, and the landing is empty afterwards."""
    receipt = drop(YAHOO)
    assert receipt.taken, receipt.reason
    assert (receipt.source, receipt.key, receipt.table) == ("yahoo", "ZL", "raw.yahoo")
    assert (receipt.lines, receipt.stored, receipt.duplicate) == (3, 3, 0)
    assert receipt.sha256 == hashlib.sha256(YAHOO).hexdigest()
    assert (receipt.bytes, receipt.batch) == (len(YAHOO), 1)
    assert (receipt.as_of_by, receipt.unreadable) == ("sight", 0)
    assert receipt.recognised_by == "header; symbol by file name"
    assert lake.archive.read(receipt.sha256) == YAHOO
    assert waiting(lake) == []
    assert told(lake, "ZL=F.csv")["stored"] == 3
    found = rows("raw.yahoo")
    assert found["close"].to_list() == ["43.099998", "43.320000", "null"]
    assert found["line"].to_list() == [2, 3, 4]
    assert set(found["as_of"]) == {receipt.as_of}


def test_an_unreadable_line_is_stored_and_counted(drop: Drop, rows: Rows) -> None:
    """One line in four cannot be read: the other three are taken as ever."""
    receipt = drop(YAHOO + b"\n2024-05-06,NaN,1,1,1,1,1")
    assert (receipt.end, receipt.lines, receipt.unreadable) == ("archive", 4, 1)
    found = rows("raw.yahoo").filter(pl.col("problem").is_not_null())
    assert found["problem"][0].startswith("non_finite: open: ")
    assert found["text"].to_list() == ["2024-05-06,NaN,1,1,1,1,1"]
    assert "1 of 4 lines:\nline 5: non_finite: open: " in (receipt.reason or "")
    assert "hand the file in again" in (receipt.mend or "")


def test_a_refused_file_is_moved_and_kept(lake: Lake, drop: Drop) -> None:
    """Its bytes, its receipt and the reason stand in the quarantine; raw has nothing."""
    receipt = drop(BAD)
    sha256 = hashlib.sha256(BAD).hexdigest()
    place = lake.folder / "quarantine" / "files" / f"{sha256[:16]}-ZL=F.csv"
    assert (receipt.end, receipt.taken) == ("quarantine", False)
    assert lake.folder / (receipt.place or "") == place
    assert place.read_bytes() == BAD
    assert "2 of 2 lines cannot be read" in (receipt.reason or "")
    assert receipt.mend
    beside = json.loads(place.with_name(place.name + ".receipt.json").read_bytes())
    assert beside == told(lake, "ZL=F.csv")
    assert waiting(lake) == []
    assert lake.table("raw.yahoo").head()[0] == -1


def test_the_same_bad_file_twice_is_kept_once(lake: Lake, drop: Drop) -> None:
    """Nothing is written over, and nothing is kept twice."""
    first, second = drop(BAD), drop(BAD)
    assert first.place == second.place
    other = drop(BAD + b"z,3\n")
    assert other.place != first.place
    kept = list((lake.folder / "quarantine" / "files").glob("*.csv"))
    assert len(kept) == 2


def test_a_mended_file_is_taken_after_the_bad_one(drop: Drop, rows: Rows) -> None:
    """What the receipt asks for works: mend the file and hand it in again."""
    assert drop(BAD).end == "quarantine"
    assert drop(YAHOO).taken
    assert rows("raw.yahoo").height == 3


def test_the_same_bytes_again_are_no_news(drop: Drop, rows: Rows) -> None:
    """Every line is a duplicate, and the receipt says so plainly."""
    assert drop(FRED, "VIXCLS.csv").stored == 3
    again = drop(FRED, "VIXCLS (1).csv")
    assert (again.taken, again.stored, again.duplicate) == (True, 0, 3)
    assert "no news" in (again.reason or "") or "nothing in it" in (again.reason or "")
    assert rows("raw.fred").height == 3


def test_a_header_alone_is_taken_and_stores_nothing(lake: Lake, drop: Drop) -> None:
    """No row is no news: no commit is made, and the bytes are archived."""
    data = FRED.split(b"\n")[0] + b"\n"
    receipt = drop(data, "VIXCLS.csv")
    assert (receipt.end, receipt.lines, receipt.batch) == ("archive", 0, None)
    assert "no lines" in (receipt.reason or "")
    assert lake.table("raw.fred").head()[0] == -1
    assert lake.archive.holds(hashlib.sha256(data).hexdigest())


def test_an_unregistered_series_is_taken_and_said_to_be_unused(drop: Drop) -> None:
    """Its header names it; the receipt says where to register it."""
    receipt = drop(FRED.replace(b"VIXCLS", b"NOSUCH"), "x.csv")
    assert (receipt.taken, receipt.key) == (True, "NOSUCH")
    assert "not registered" in (receipt.reason or "")
    assert "registry/data_sources.yaml" in (receipt.mend or "")


def test_a_settled_wave_completes_the_receipts(
    lake: Lake, graph: Graph, drop: Drop
) -> None:
    """What became of each line adds up to the lines, and stands in the file too."""
    late = YAHOO + b"\n2024-05-06,NaN,1,1,1,1,1\n2024-05-05,43,43,43,43,43,1"
    taken = [drop(late), drop(YAHOO, "ZL=F (1).csv"), drop(YAHOO, "LE=F.csv")]
    run_wave(lake, graph, probing="off")
    done = complete(lake, graph, taken)
    for receipt in done:
        parts = ("staged", "quarantined", "superseded", "provisional", "unused")
        counts = [getattr(receipt, name) for name in parts]
        assert None not in counts
        assert sum(counts) + receipt.duplicate == receipt.lines, receipt
        assert told(lake, receipt.file)["staged"] == receipt.staged
    assert [r.quarantined for r in done] == [2, 0, 0]
    assert "line 5: " in (done[0].reason or "")
    assert "line 6: weekend: found " in (done[0].reason or "")
    assert f"--file {(done[0].sha256 or '')[:8]}" in (done[0].mend or "")
    assert done[2].unused == 3
    assert complete(lake, graph, done) == done


def test_lines_that_are_missing_are_said_loudly(
    lake: Lake, graph: Graph, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform that loses a line must not keep quiet about it."""
    receipt = drop(FRED, "VIXCLS.csv")
    run_wave(lake, graph, probing="off")
    full = fates.of_lines
    with monkeypatch.context() as patched:
        patched.setattr(fates, "of_lines", lambda *a: full(*a).head(2))
        (done,) = complete(lake, graph, [receipt])
    assert "LINES ARE MISSING: 1 of 3" in (done.reason or "")


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n", b"\r\n", b" "])
@pytest.mark.parametrize("name", ["VIXCLS.csv", "strange.csv"])
def test_simulated_bytes_never_enter_a_real_lake(
    lake: Lake, drop: Drop, before: bytes, name: str
) -> None:
    """The mark is found whatever an editor puts before it, also in a strange file."""
    data = before + MARK + (FRED if name[0] == "V" else b"time,price\n1,2\n")
    receipt = drop(data, name)
    assert receipt.end == "quarantine"
    assert "simulated bytes cannot enter a real lake" in (receipt.reason or "")
    assert lake.table("raw.fred").head()[0] == -1


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_mark_far_down_counts_as_well(lake: Lake, drop: Drop, end: bytes) -> None:
    """A remark put above the mark does not make simulated data real."""
    lines = b"".join(b"2024-05-%02d,1.5\n" % (d % 28 + 1) for d in range(9000))
    data = (FRED + lines + MARK).replace(b"\n", end)
    assert len(data) > 100_000
    receipt = drop(data, "VIXCLS.csv")
    assert receipt.end == "quarantine"
    assert "simulated bytes" in (receipt.reason or "")


def test_real_bytes_never_enter_a_simulated_lake(
    tmp_path: Path, registry: Registry, graph: Graph
) -> None:
    """Neither kind meets the other, in either direction."""
    lake = Lake.create(tmp_path / "toy", registry, kind="simulated")
    for data, end in ((FRED, "quarantine"), (MARK + FRED, "archive")):
        file = tmp_path / "VIXCLS.csv"
        file.write_bytes(data)
        landing.drop(lake, file, Hint())
        (receipt,) = take_in(lake, graph)
        assert receipt.end == end, receipt.reason
    assert (receipt.lines, receipt.stored) == (3, 3)


def test_one_bad_file_keeps_no_other_out(
    lake: Lake, graph: Graph, put: Put, rows: Rows
) -> None:
    """Files are judged one by one."""
    put("A.csv", b"nonsense\n")
    put("B.csv", b"\x00\x01\x02")
    put("VIXCLS.csv", FRED)
    ends = {r.file: r.end for r in take_in(lake, graph)}
    assert ends == {"A.csv": "waiting", "B.csv": "quarantine", "VIXCLS.csv": "archive"}
    assert rows("raw.fred").height == 3


@pytest.mark.parametrize("name", ["VIXCLS.csv", "ZL=F.csv"])
def test_a_crash_before_the_file_is_removed_stores_nothing_twice(
    *,
    lake: Lake,
    graph: Graph,
    put: Put,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """Committed but still in the landing: the next run counts duplicates, and ends.

    The price file holds one date twice, with two values.
    """
    twice = YAHOO + b"\n2024-05-02,43.1,43.5,42.6,43.9,43.9,51299"
    data, table = (FRED, "raw.fred") if name[0] == "V" else (twice, "raw.yahoo")
    put(name, data)

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", cut)
        with pytest.raises(KeyboardInterrupt):
            take_in(lake, graph)
    before, root = rows(table), lake.table(table).head()[1].root
    assert before.height == len(data.strip().split(b"\n")) - 1
    (receipt,) = take_in(lake, graph)
    assert (receipt.taken, receipt.stored) == (True, 0)
    assert rows(table).equals(before)
    assert lake.table(table).head()[1].root == root
    assert waiting(lake) == []


def test_a_crash_before_the_commit_loses_nothing(
    lake: Lake, graph: Graph, put: Put, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Archived but not stored: the file still waits and is taken the next time."""
    put("VIXCLS.csv", FRED)

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(filing, "append_files", cut)
        with pytest.raises(KeyboardInterrupt):
            take_in(lake, graph)
    assert [r.stored for r in take_in(lake, graph)] == [3]
    assert rows("raw.fred").height == 3


def test_a_conflict_leaves_the_file_waiting(
    lake: Lake, graph: Graph, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that passes is told, and the file is taken the next time."""
    put("VIXCLS.csv", FRED)

    def crowded(*_: object, **__: object) -> None:
        msg = "somebody else"
        raise CommitConflict(msg)

    with monkeypatch.context() as patched:
        patched.setattr(filing, "append_files", crowded)
        (receipt,) = take_in(lake, graph)
    assert (receipt.end, receipt.reason) == ("waiting", "somebody else")
    assert [r.taken for r in take_in(lake, graph)] == [True]


def test_a_file_that_comes_while_another_is_taken_stays(
    lake: Lake, graph: Graph, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer bytes of the same name are not removed with the older ones."""
    put("VIXCLS.csv", FRED)
    append = filing.append_files

    def slowly(*args: object, **kwargs: object) -> object:
        put("VIXCLS.csv", FRED + b"2024-05-06,13.49\n", at=None)
        return append(*args, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(filing, "append_files", slowly)
        assert [r.lines for r in take_in(lake, graph)] == [3]
    assert [path.name for path in waiting(lake)] == ["VIXCLS.csv"]
    put("VIXCLS.csv", FRED + b"2024-05-06,13.49\n")
    assert [(r.lines, r.stored) for r in take_in(lake, graph)] == [(4, 1)]


@pytest.mark.parametrize("step", ["take in", "drop"])
def test_two_processes_never_handle_the_same_file(
    lake: Lake, graph: Graph, mine: Mine, step: str
) -> None:
    """While one holds the landing, another waits; then it goes on."""
    file = mine(FRED, "VIXCLS.csv")

    def work() -> None:
        if step == "drop":
            landing.drop(lake, file, Hint())
        else:
            take_in(lake, graph)

    other = threading.Thread(target=work)
    with durable.locked(lake.folder / "landing.lock"):
        other.start()
        other.join(0.3)
        assert other.is_alive()
    other.join(10)
    assert not other.is_alive()


def test_what_was_seen_first_is_taken_first(
    lake: Lake, graph: Graph, put: Put, rows: Rows
) -> None:
    """Stated times come first, in their order; then it goes by name."""
    put("VIXCLS b.csv", FRED.replace(b"15.39", b"15.40"))
    put("VIXCLS a.csv", FRED)
    put("VIXCLS_asof_2024-05-09.csv", FRED)
    put("VIXCLS_asof_2024-05-07.csv", FRED)
    found = [(r.file, r.stored) for r in take_in(lake, graph)]
    assert found == [
        ("VIXCLS_asof_2024-05-07.csv", 3),
        ("VIXCLS_asof_2024-05-09.csv", 0),
        ("VIXCLS a.csv", 0),
        ("VIXCLS b.csv", 1),
    ]


@pytest.mark.parametrize(
    ("name", "data", "table", "day"),
    [
        ("VIXCLS.csv", FRED, "staging.fred", date(2024, 5, 2)),
        ("ZL=F.csv", YAHOO, "staging.prices", date(2024, 5, 2)),
    ],
)
def test_what_was_seen_before_its_release_is_staged_when_seen_again(
    *,
    lake: Lake,
    graph: Graph,
    drop: Drop,
    rows: Rows,
    name: str,
    data: bytes,
    table: str,
    day: date,
) -> None:
    """The same bytes seen after the release are the observation, not a duplicate.

    At noon of 2 May that day's bar is not finished; the same bytes a week later are
    the first sight that counts.
    """
    with clock.held_at(datetime(2024, 5, 2, 17, tzinfo=UTC)):
        assert drop(data, name).taken
    with clock.held_at(datetime(2024, 5, 9, 12, tzinfo=UTC)):
        receipt = drop(data, name)
        run_wave(lake, graph, probing="off")
    assert receipt.taken
    assert day in rows(table)["date"].to_list()


def test_a_look_ahead_changes_nothing(lake: Lake, graph: Graph, put: Put) -> None:
    """What would become of files is told without moving or taking one."""
    put("prices.csv", YAHOO)
    put("zip.csv", b"PK\x03\x04")
    put("VIXCLS.csv", FRED)
    before = sorted(lake.folder.rglob("*"))
    told = landing.foresee(lake, graph, {"prices.csv", "VIXCLS.csv", "zip.csv"})
    ends = {r.file: (r.end, r.reason is None) for r in told}
    assert ends == {
        "VIXCLS.csv": ("waiting", True),
        "prices.csv": ("waiting", False),
        "zip.csv": ("quarantine", False),
    }
    assert sorted(lake.folder.rglob("*")) == before


def test_a_wrong_name_is_said_at_once(lake: Lake, mine: Mine) -> None:
    """Nothing is said to wait that will never be looked at."""
    for name in (".a.csv", "a.csv.receipt.json", "a.csv.asof", "a.csv~", "a.csv.part"):
        with pytest.raises(WrongUsage, match="passed over"):
            landing.drop(lake, mine(YAHOO, name), Hint())
