"""Files are taken whole or stay where they are, with a receipt that says why."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.landing import Hint, Receipt, take_in, waiting
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.registry.loader import Registry
from cbi_stream.words import clock
from cbi_stream.words.errors import BadInput, CommitConflict, WrongUsage

Rows = Callable[[str], pl.DataFrame]
Drop = Callable[..., Receipt]
YAHOO = b"""Date,Open,High,Low,Close,Adj Close,Volume
2024-05-01,45.090000,45.330002,43.020000,43.099998,43.099998,68022
2024-05-02,43.160000,43.529999,42.630001,43.320000,43.320000,51234
2024-05-03,null,null,null,null,null,null"""
FRED = b"observation_date,VIXCLS\n2024-05-01,15.39\n2024-05-02,14.68\n2024-05-03,\n"
MARK = b"# SIMULATED by cbi-stream: no real market data, seed 7\n"


@pytest.fixture
def drop(lake: Lake, graph: Graph, tmp_path: Path) -> Drop:
    """Return a function that hands one file in and takes it in."""

    def dropped(data: bytes, name: str = "ZL=F.csv", hint: Hint = Hint()) -> Receipt:  # noqa: B008
        file = tmp_path / "mine" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
        landing.drop(lake, file, hint)
        (receipt,) = take_in(lake, graph)
        return receipt

    return dropped


def _place(lake: Lake, name: str, data: bytes) -> Path:
    path = lake.folder / "landing" / name
    path.write_bytes(data)
    return path


def test_a_file_is_taken_with_a_receipt(lake: Lake, drop: Drop, rows: Rows) -> None:
    """Lines, bytes and receipt agree, and the landing is empty afterwards."""
    receipt = drop(YAHOO)
    assert receipt.taken, receipt.reason
    assert (receipt.source, receipt.key, receipt.table) == ("yahoo", "ZL", "raw.yahoo")
    assert (receipt.lines, receipt.stored, receipt.duplicate) == (3, 3, 0)
    assert receipt.sha256 == hashlib.sha256(YAHOO).hexdigest()
    assert lake.archive.read(receipt.sha256) == YAHOO
    assert waiting(lake) == []
    plain = json.loads((lake.folder / "landing" / "ZL=F.csv.receipt.json").read_bytes())
    assert plain["stored"] == 3
    found = rows("raw.yahoo")
    assert found["close"].to_list() == ["43.099998", "43.320000", "null"]
    assert found["line"].to_list() == [2, 3, 4]


def test_cells_are_kept_as_they_were_written(drop: Drop, rows: Rows) -> None:
    """Raw neither rounds nor fills: an empty cell stays empty text."""
    assert drop(FRED, "VIXCLS.csv").taken
    assert rows("raw.fred")["value"].to_list() == ["15.39", "14.68", ""]


@pytest.mark.parametrize(
    "data",
    [
        FRED.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + FRED,
        FRED.rstrip(b"\n"),
        b"# a remark\n\n" + FRED + b"\n\n",
        FRED.replace(b"observation_date", b"DATE"),
        FRED.replace(b"2024-05-03,\n", b"2024-05-03,.\n"),
    ],
)
def test_harmless_dialects_are_read(drop: Drop, rows: Rows, data: bytes) -> None:
    """Line ends, byte order mark, remarks and the older header are the same file."""
    receipt = drop(data, "VIXCLS.csv")
    assert receipt.taken, receipt.reason
    assert receipt.lines == 3
    assert rows("raw.fred")["value"].to_list()[:2] == ["15.39", "14.68"]


@pytest.mark.parametrize(("data", "name"), [(YAHOO, "ZL=F.csv"), (FRED, "VIXCLS.csv")])
def test_old_line_ends_never_swallow_a_file(drop: Drop, data: bytes, name: str) -> None:
    """A file whose lines end in a lone CR is read whole or refused, never as empty."""
    receipt = drop(data.strip().replace(b"\n", b"\r"), name)
    assert not receipt.taken or receipt.lines == 3


@pytest.mark.parametrize(
    ("name", "key"),
    [("VIXCLS.csv", "VIXCLS"), ("VIXCLS (1).csv", "VIXCLS")],
)
def test_the_name_says_the_series(drop: Drop, name: str, key: str) -> None:
    """Browsers number a second download; the series stays the same."""
    receipt = drop(FRED, name)
    assert (receipt.taken, receipt.key) == (True, key)


def test_an_unknown_header_waits_and_says_what_to_do(lake: Lake, drop: Drop) -> None:
    """The file stays, nothing is archived, and the receipt names header and way out."""
    receipt = drop(b"time,price\n2024-05-01,1\n", "x.csv")
    assert not receipt.taken
    assert receipt.reason is not None
    assert "x.csv:1: no source has the header 'time,price'" in receipt.reason
    assert "--source" in receipt.reason
    assert [path.name for path in waiting(lake)] == ["x.csv"]
    assert not lake.archive.folder.exists()


def test_a_name_without_its_symbol_waits(lake: Lake, drop: Drop, rows: Rows) -> None:
    """Which symbol a file is about is never guessed; --key says it."""
    receipt = drop(YAHOO, "soybean oil.csv")
    assert receipt.reason is not None
    assert "does not say its symbol" in receipt.reason
    assert "--key" in receipt.reason
    assert drop(YAHOO, "soybean oil.csv", Hint(key="ZL")).taken
    assert set(rows("raw.yahoo")["symbol"]) == {"ZL"}
    assert waiting(lake) == []


def test_a_key_hint_wins_over_the_name(drop: Drop, rows: Rows) -> None:
    """What a person says about a file counts more than its name."""
    assert drop(YAHOO, "ZS=F.csv", Hint(key="ZL")).key == "ZL"
    assert set(rows("raw.yahoo")["symbol"]) == {"ZL"}


def test_a_series_under_another_name_is_refused(drop: Drop) -> None:
    """The header says VIXCLS, the name DGS10: one of them is wrong."""
    receipt = drop(FRED, "DGS10.csv")
    assert receipt.reason is not None
    assert "line 1: expected the header observation_date,DGS10" in receipt.reason


@pytest.mark.parametrize(
    ("source", "message"),
    [("fred", "not a header of fred"), ("bloomberg", "found 'bloomberg'")],
)
def test_a_wrong_source_hint_is_refused(drop: Drop, source: str, message: str) -> None:
    """A hint helps to recognise a file and never overrules its header."""
    receipt = drop(YAHOO, hint=Hint(source=source))
    assert receipt.reason is not None
    assert message in receipt.reason
    assert not receipt.taken


def test_a_right_source_hint_is_taken(drop: Drop) -> None:
    """Saying what the header says as well does no harm."""
    assert drop(YAHOO, hint=Hint(source="yahoo")).taken


def test_a_corrected_hint_replaces_the_wrong_one(lake: Lake, drop: Drop) -> None:
    """After a slip of the pen the same file can be handed in again without it."""
    assert not drop(YAHOO, hint=Hint(source="fred")).taken
    receipt = drop(YAHOO)
    assert receipt.taken, receipt.reason
    assert waiting(lake) == []


def test_a_stated_time_is_the_as_of(drop: Drop, rows: Rows) -> None:
    """When a person says that a file was seen, its lines say so too."""
    as_of = datetime(2024, 5, 6, 12, tzinfo=UTC)
    receipt = drop(FRED, "VIXCLS.csv", Hint(as_of=as_of))
    assert receipt.taken, receipt.reason
    found = rows("raw.fred")
    assert set(found["as_of"]) == {as_of}
    assert set(found["stated"]) == {True}
    assert (found["first_seen_at"] > as_of).all()


def test_without_a_stated_time_it_was_seen_now(drop: Drop, rows: Rows) -> None:
    """A file's own times are never looked at."""
    now = datetime(2024, 6, 1, tzinfo=UTC)
    with clock.held_at(now):
        drop(FRED, "VIXCLS.csv")
    assert set(rows("raw.fred")["as_of"]) == {now}
    assert set(rows("raw.fred")["stated"]) == {False}


BAD = [
    (b"2024-05-02,43,43,43,43,43", "line 3: expected 7 cells; found 6"),
    (b"2024-05-02,43,43,43,43,43,1,9", "line 3: expected 7 cells; found 8"),
    (b"02.05.2024,43,43,43,43,43,1", "line 3: expected a date like 2024-01-31"),
    (b"2024-02-30,43,43,43,43,43,1", "line 3: expected a date"),
    (b"20240502,43,43,43,43,43,1", "line 3: expected a date"),
    (b"0224-05-02,43,43,43,43,43,1", "line 3: expected a date"),
    (b"2024-05-02,43,43,NaN,43,43,1", "line 3: expected a number.*'NaN'"),
    (b"2024-05-02,43,43,inf,43,43,1", "line 3: expected a number"),
    (b'2024-05-02,"43",43,43,43,43,1', "line 3: expected a number"),
    (b"2024-05-02,43,43, 43,43,43,1", "line 3: expected a number"),
    (b"2024-05-02,4e1,43,43,43,43,1", "line 3: expected a number"),
    (b"2024-05-02,0x1F,43,43,43,43,1", "line 3: expected a number"),
    ("2024-05-02,٤٣,43,43,43,43,1".encode(), "line 3: expected a number"),
    (b"2024-05-02,43,43,43,43,43,12.5", "line 3: .*12\\.5"),
    (b"2024-05-02,43,43,43,43,43," + b"9" * 20, "line 3: "),
    (b"2024-05-02," + b"9" * 400 + b",43,43,43,43,1", "line 3: "),
    (b"\xff\xfe", "UTF-8"),
]


@pytest.mark.parametrize(("bad", "message"), BAD)
def test_a_bad_line_keeps_the_whole_file_out(
    lake: Lake, drop: Drop, bad: bytes, message: str
) -> None:
    """The receipt names file, line, finding and the mend; nothing was taken in."""
    lines = YAHOO.split(b"\n")
    receipt = drop(b"\n".join([*lines[:2], bad, *lines[2:]]))
    assert not receipt.taken
    reason = (receipt.reason or "").replace("\n", " ")
    assert reason.startswith("ZL=F.csv: ")
    assert re.search(message, reason), reason
    assert lake.table("raw.yahoo").head()[0] == -1
    assert [path.name for path in waiting(lake)] == ["ZL=F.csv"]


def test_many_bad_lines_are_counted_and_mended_with_one_hint(drop: Drop) -> None:
    """The first five are shown, the others counted, and the mend is said once."""
    bad = b"\n".join([b"x,1,1,1,1,1,1"] * 9)
    reason = drop(YAHOO + b"\n" + bad).reason or ""
    assert reason.count("expected a date") == 5
    assert "(and 4 more)" in reason
    assert reason.count("Download the file again") == 1


def test_a_mended_file_replaces_the_one_that_was_refused(
    lake: Lake, drop: Drop, rows: Rows
) -> None:
    """What the receipt asks for works: mend the file and hand it in again."""
    assert not drop(YAHOO + b"\n2024-05-06,bad").taken
    receipt = drop(YAHOO)
    assert receipt.taken, receipt.reason
    assert rows("raw.yahoo").height == 3
    assert waiting(lake) == []


def test_a_refused_file_is_kept_when_another_takes_its_place(
    lake: Lake, drop: Drop
) -> None:
    """The bytes that could not be read are still in the archive: nothing is lost."""
    bad = YAHOO + b"\n2024-05-06,bad"
    assert not drop(bad).taken
    assert drop(YAHOO).taken
    assert lake.archive.read(hashlib.sha256(bad).hexdigest()) == bad


def test_a_mended_file_that_waits_is_not_written_over(
    lake: Lake, drop: Drop, tmp_path: Path
) -> None:
    """The receipt of a refused file says nothing of the one that stands there now."""
    assert not drop(YAHOO + b"\n2024-05-06,bad").taken
    mended, another = tmp_path / "b" / "ZL=F.csv", tmp_path / "c" / "ZL=F.csv"
    for file, data in ((mended, YAHOO), (another, YAHOO + b"\n")):
        file.parent.mkdir()
        file.write_bytes(data)
    landing.drop(lake, mended, Hint())
    with pytest.raises(WrongUsage, match="of that name waits"):
        landing.drop(lake, another, Hint())
    assert (lake.folder / "landing" / "ZL=F.csv").read_bytes() == YAHOO


def test_one_bad_file_keeps_no_other_out(lake: Lake, graph: Graph, rows: Rows) -> None:
    """Files are judged one by one."""
    _place(lake, "A.csv", b"nonsense\n")
    _place(lake, "VIXCLS.csv", FRED)
    taken = {r.file: r.taken for r in take_in(lake, graph)}
    assert taken == {"A.csv": False, "VIXCLS.csv": True}
    assert rows("raw.fred").height == 3


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n", b"\r\n", b" "])
def test_simulated_bytes_never_enter_a_real_lake(
    lake: Lake, drop: Drop, before: bytes
) -> None:
    """The mark is found whatever an editor puts before it."""
    receipt = drop(before + MARK + FRED, "VIXCLS.csv")
    assert not receipt.taken
    if not before:
        assert "simulated bytes cannot enter a real lake" in (receipt.reason or "")
    assert lake.table("raw.fred").head()[0] == -1


def test_a_mark_further_down_counts_as_well(lake: Lake, drop: Drop) -> None:
    """A remark put above the mark does not make simulated data real."""
    receipt = drop(b"# my download\n" + MARK + FRED, "VIXCLS.csv")
    assert not receipt.taken
    assert lake.table("raw.fred").head()[0] == -1


def test_real_bytes_never_enter_a_simulated_lake(
    tmp_path: Path, registry: Registry, graph: Graph
) -> None:
    """The two kinds never meet, in neither direction."""
    lake = Lake.create(tmp_path / "simulated", registry, kind="simulated")
    _place(lake, "VIXCLS.csv", FRED)
    (receipt,) = take_in(lake, graph)
    assert "real bytes cannot enter a simulated lake" in (receipt.reason or "")
    _place(lake, "VIXCLS.csv", MARK + FRED)
    (receipt,) = take_in(lake, graph)
    assert receipt.taken
    assert (receipt.lines, receipt.stored) == (3, 3)


def test_a_link_or_folder_or_nothing_is_refused(lake: Lake, tmp_path: Path) -> None:
    """Only a regular file is handed in; a link could change under our hands."""
    target = tmp_path / "target.csv"
    target.write_bytes(FRED)
    link = tmp_path / "VIXCLS.csv"
    link.symlink_to(target)
    for path in (link, tmp_path, tmp_path / "nowhere.csv"):
        with pytest.raises(WrongUsage, match="expected a regular file"):
            landing.drop(lake, path, Hint())
    assert waiting(lake) == []


def test_a_link_in_the_landing_is_not_followed(
    lake: Lake, graph: Graph, tmp_path: Path
) -> None:
    """Whoever can write into the landing cannot make us read other files."""
    target = tmp_path / "target.csv"
    target.write_bytes(FRED)
    (lake.folder / "landing" / "VIXCLS.csv").symlink_to(target)
    assert not any(receipt.taken for receipt in take_in(lake, graph))
    assert lake.table("raw.fred").head()[0] == -1


def test_a_file_that_is_too_large_is_refused(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is said, with what was found."""
    monkeypatch.setattr(landing, "MOST_BYTES", 10)
    file = tmp_path / "VIXCLS.csv"
    file.write_bytes(FRED)
    with pytest.raises(BadInput, match=f"at most 10 bytes; found {len(FRED)}"):
        landing.drop(lake, file, Hint())


@pytest.mark.parametrize(
    "name", [".ZL=F.csv", "ZL=F.csv.receipt.json", "ZL=F.csv.hint.json"]
)
def test_a_name_that_is_passed_over_is_refused_at_once(
    lake: Lake, tmp_path: Path, name: str
) -> None:
    """Nothing is said to wait that will never be looked at."""
    file = tmp_path / name
    file.write_bytes(YAHOO)
    with pytest.raises((WrongUsage, BadInput)):
        landing.drop(lake, file, Hint())


def test_another_file_of_a_waiting_name_is_refused(lake: Lake, tmp_path: Path) -> None:
    """A file that was not looked at yet is not lost under another one."""
    for i, data in enumerate((FRED, FRED + b"2024-05-06,1\n")):
        file = tmp_path / str(i) / "VIXCLS.csv"
        file.parent.mkdir()
        file.write_bytes(data)
        if i == 0:
            landing.drop(lake, file, Hint())
            landing.drop(lake, file, Hint())
        else:
            with pytest.raises(WrongUsage, match="of that name waits"):
                landing.drop(lake, file, Hint())
    assert (lake.folder / "landing" / "VIXCLS.csv").read_bytes() == FRED


def test_a_file_is_copied_and_stays_with_its_owner(
    lake: Lake, graph: Graph, tmp_path: Path
) -> None:
    """What was handed in is still there when it was taken in."""
    file = tmp_path / "VIXCLS.csv"
    file.write_bytes(FRED)
    landing.drop(lake, file, Hint())
    take_in(lake, graph)
    assert file.read_bytes() == FRED


@pytest.mark.parametrize("name", ["VIXCLS.csv", "ZL=F.csv"])
def test_a_crash_before_the_file_is_removed_stores_nothing_twice(
    lake: Lake, graph: Graph, rows: Rows, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Committed but still in the landing: the next run counts duplicates, and ends.

    The price file holds one date twice, with two values.
    """
    twice = YAHOO + b"\n2024-05-02,43.1,43.5,42.6,43.9,43.9,51299"
    data, table = (FRED, "raw.fred") if name[0] == "V" else (twice, "raw.yahoo")
    _place(lake, name, data)

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
    lake: Lake, graph: Graph, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Archived but not stored: the file still waits and is taken the next time."""
    _place(lake, "VIXCLS.csv", FRED)

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(landing, "append_lines", cut)
        with pytest.raises(KeyboardInterrupt):
            take_in(lake, graph)
    assert [r.stored for r in take_in(lake, graph)] == [3]
    assert rows("raw.fred").height == 3


def test_a_conflict_leaves_the_file_waiting(
    lake: Lake, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that passes is told, and the file is taken the next time."""
    _place(lake, "VIXCLS.csv", FRED)

    def crowded(*_: object, **__: object) -> None:
        msg = "somebody else"
        raise CommitConflict(msg)

    with monkeypatch.context() as patched:
        patched.setattr(landing, "append_lines", crowded)
        assert [r.reason for r in take_in(lake, graph)] == ["somebody else"]
    assert [r.taken for r in take_in(lake, graph)] == [True]


def test_files_are_taken_by_name(lake: Lake, graph: Graph, rows: Rows) -> None:
    """The order does not depend on the folder: what is first by name is first."""
    later = FRED.replace(b"15.39", b"15.40")
    _place(lake, "VIXCLS b.csv", later)
    _place(lake, "VIXCLS a.csv", FRED)
    receipts = take_in(lake, graph)
    assert [(r.file, r.stored) for r in receipts] == [
        ("VIXCLS a.csv", 3),
        ("VIXCLS b.csv", 1),
    ]
    assert rows("raw.fred").filter(pl.col("batch") == 2)["value"].to_list() == ["15.40"]


@pytest.mark.parametrize(
    ("name", "data", "table", "day"),
    [
        ("VIXCLS.csv", FRED, "staging.fred", date(2024, 5, 2)),
        ("ZL=F.csv", YAHOO, "staging.prices", date(2024, 5, 2)),
    ],
)
def test_what_was_seen_before_its_release_is_staged_when_seen_again(
    lake: Lake,
    graph: Graph,
    drop: Drop,
    rows: Rows,
    name: str,
    data: bytes,
    table: str,
    day: date,
) -> None:
    """The same value seen after its release is the observation, not a duplicate.

    At noon of 2 May neither that day's bar nor its index is released; the same
    bytes a week later are the first sight that counts.
    """
    early = datetime(2024, 5, 2, 17, tzinfo=UTC)
    with clock.held_at(early):
        assert drop(data, name).taken
        run_wave(lake, graph, probing="off")
    assert day not in rows(table)["date"].to_list()
    with clock.held_at(datetime(2024, 5, 9, 12, tzinfo=UTC)):
        receipt = drop(data, name)
        run_wave(lake, graph, probing="off")
    assert receipt.taken
    assert day in rows(table)["date"].to_list()
