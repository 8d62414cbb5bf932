"""Records only grow: a line is stored when it says something that is not known yet."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.lake import records
from cbi_stream.lake.arrivals import Arrival
from cbi_stream.lake.canonical import digest
from cbi_stream.lake.commit import commit as real_commit
from cbi_stream.lake.decisions import decide
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.lines import Appended, append_lines
from cbi_stream.lake.records import append_rows, compact
from cbi_stream.lake.table import Table
from cbi_stream.registry.contract import Contract
from cbi_stream.registry.loader import Registry
from cbi_stream.words import clock
from cbi_stream.words.errors import (
    BadInput,
    BrokenContract,
    CbiError,
    CommitConflict,
    WrongUsage,
)

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
_OF_PARTITIONS = ("partition", "gate", "candidate", "cells")
Take = Callable[..., Appended]


@pytest.fixture
def lake(tmp_path: Path, registry: Registry) -> Lake:
    """Return an empty lake."""
    return Lake.create(tmp_path / "lake", registry, kind="real")


@pytest.fixture
def raw(lake: Lake) -> Table:
    """Return the empty table of FRED lines."""
    return lake.table("raw.fred")


@pytest.fixture
def take(lake: Lake, raw: Table) -> Take:
    """Return a function that appends one file: its lines as (day of May, value)."""

    def taken(
        *cells: tuple[int, str | None],
        at: datetime = NOON,
        as_of: datetime | None = None,
        series: str = "VIXCLS",
        year: int = 2024,
    ) -> Appended:
        rows = [
            (i, date(year, 5, day), value) for i, (day, value) in enumerate(cells, 2)
        ]
        schema = {"line": pl.Int64, "date": pl.Date, "value": pl.String}
        lines = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
            series=pl.lit(series),
            problem=pl.lit(None, pl.String),
            text=pl.lit(None, pl.String),
        )
        sha256 = hashlib.sha256(repr((series, rows)).encode()).hexdigest()
        arrival = Arrival("fred", series, "f.csv", sha256, "parser", as_of)
        with clock.held_at(at):
            return append_lines(raw, lines, arrival, work=lake.work)

    return taken


def _stored(raw: Table) -> pl.DataFrame:
    return raw.read(raw.head()[1].partitions.values()).sort("batch", "line")


def _counts(done: Appended) -> tuple[int, int, int]:
    return done.lines, done.stored, done.duplicate


def test_a_line_is_stored_with_where_it_comes_from(raw: Table, take: Take) -> None:
    """Each row names its file, line, batch, and when it was seen."""
    done = take((1, "15.1"), (2, None))
    assert _counts(done) == (2, 2, 0)
    row = _stored(raw).row(1, named=True)
    assert (row["date"], row["value"], row["line"]) == (date(2024, 5, 2), None, 3)
    assert (row["batch"], row["as_of"], row["first_seen_at"]) == (1, NOON, NOON)
    assert row["stated"] is False
    assert len(row["sha256"]) == 64


def test_the_same_file_again_stores_nothing(raw: Table, take: Take) -> None:
    """A second arrival of known content is counted, and the rows stay as they are."""
    take((1, "15.1"), (2, "15.2"))
    root = raw.head()[1].root
    done = take((1, "15.1"), (2, "15.2"), at=NOON + timedelta(days=1))
    assert _counts(done) == (2, 0, 2)
    assert raw.head()[1].root == root
    assert raw.head()[1].changes == ()


def test_a_longer_file_stores_its_end(raw: Table, take: Take) -> None:
    """Of a file that grew only the lines that are not known yet are stored."""
    take((1, "15.1"), (2, "15.2"))
    done = take((1, "15.1"), (2, "15.2"), (3, "15.3"))
    assert _counts(done) == (3, 1, 2)
    assert _stored(raw)["value"].to_list() == ["15.1", "15.2", "15.3"]


def test_noise_in_a_cell_is_stored(raw: Table, take: Take) -> None:
    """Raw compares text as it was written; what noise is, is judged later."""
    take((1, "15.1"))
    assert _counts(take((1, "15.10"))) == (1, 1, 0)
    assert _stored(raw)["value"].to_list() == ["15.1", "15.10"]


@pytest.mark.parametrize(("first", "second"), [(None, "1"), ("1", None), (None, None)])
def test_missing_cells_are_content(
    take: Take, first: str | None, second: str | None
) -> None:
    """From a value to none is news, from none to none is not."""
    take((1, first))
    assert take((1, second)).stored == int(first != second)


def test_a_value_that_comes_back_is_news(raw: Table, take: Take) -> None:
    """A, then B, then A again are three versions: only the newest one is compared."""
    stored = [take((1, v), (2, str(i))).stored for i, v in enumerate("ABA")]
    assert stored == [2, 2, 2]
    assert _stored(raw).filter(pl.col("date") == date(2024, 5, 1)).height == 3


def test_the_same_bytes_with_an_earlier_as_of_are_an_arrival(
    raw: Table, take: Take
) -> None:
    """Somebody saw them earlier than we did: that is new knowledge."""
    take((1, "15.1"))
    earlier = NOON - timedelta(days=300)
    assert take((1, "15.1"), as_of=earlier).stored == 1
    assert _stored(raw)["as_of"].to_list() == [NOON, earlier]
    assert _stored(raw)["stated"].to_list() == [False, True]
    assert take((1, "15.1"), as_of=earlier).stored == 0
    assert take((1, "15.1"), as_of=NOON - timedelta(days=200)).stored == 0


def test_an_older_as_of_is_compared_with_what_was_known_then(take: Take) -> None:
    """A line is judged by the newest version that is not younger than itself."""
    take((1, "B"), as_of=NOON)
    assert take((1, "A"), as_of=NOON - timedelta(days=9)).stored == 1
    assert take((1, "A"), as_of=NOON - timedelta(days=5)).stored == 0
    later = NOON + timedelta(days=5)
    assert take((1, "A"), as_of=later, at=later).stored == 1


def test_a_file_cannot_be_seen_after_now(raw: Table, take: Take) -> None:
    """A time in the future is a slip of the pen, and stores nothing."""
    with pytest.raises(BadInput, match="after now"):
        take((1, "A"), as_of=NOON + timedelta(seconds=1))
    assert raw.head()[0] == -1


def test_a_repeat_within_a_file_is_counted(raw: Table, take: Take) -> None:
    """A date that a file holds twice with the same cells is stored once."""
    assert _counts(take((1, "15.1"), (1, "15.1"), (2, "15.2"))) == (3, 2, 1)
    assert _stored(raw)["line"].to_list() == [2, 4]


def test_a_date_with_two_values_in_one_file_keeps_both(raw: Table, take: Take) -> None:
    """Both lines are kept; nobody guesses here which one is right."""
    assert take((1, "15.1"), (1, "15.9")).stored == 2
    assert _stored(raw)["value"].to_list() == ["15.1", "15.9"]


def test_a_file_with_two_values_for_a_date_is_silent_the_second_time(
    raw: Table, take: Take
) -> None:
    """Taking the very same file again says nothing new, whatever stands in it.

    A crash between the commit and the end of a drop makes this happen.
    """
    take((1, "15.1"), (1, "15.9"), (2, "15.2"))
    root = raw.head()[1].root
    again = take((1, "15.1"), (1, "15.9"), (2, "15.2"), at=NOON + timedelta(hours=1))
    assert _counts(again) == (3, 0, 3)
    assert raw.head()[1].root == root


def test_a_line_that_was_never_stored_is_no_duplicate(raw: Table, take: Take) -> None:
    """A second file's first word on a date is kept, also where its last is known."""
    take((1, "B"))
    assert take((1, "A"), (1, "B")).stored == 2
    assert _stored(raw)["value"].to_list() == ["B", "A", "B"]


def test_series_are_compared_with_themselves_only(take: Take) -> None:
    """Equal values of another series, or of another date, are no duplicates."""
    take((1, "15.1"))
    assert take((1, "15.1"), series="DGS10").stored == 1
    assert take((2, "15.1")).stored == 1
    assert take((1, "15.1"), year=2011).stored == 1


def test_batch_numbers_rise_with_every_append(raw: Table, take: Take) -> None:
    """Also an append that stores nothing gets a number of its own."""
    assert [take((1, v)).batch for v in ("1", "1", "2")] == [1, 2, 3]
    assert _stored(raw)["batch"].to_list() == [1, 3]


def test_first_seen_never_goes_back(raw: Table, take: Take) -> None:
    """When the clock is set back, the order of batches and times still agree."""
    take((1, "1"), at=NOON)
    take((2, "2"), at=NOON - timedelta(days=2))
    take((2, "2"), at=NOON - timedelta(days=3))
    take((3, "3"), at=NOON + timedelta(hours=1))
    seen = _stored(raw)["first_seen_at"].to_list()
    assert seen == [NOON, NOON, NOON + timedelta(hours=1)]


def test_an_empty_file_changes_nothing(raw: Table, take: Take) -> None:
    """A file without lines gets its number and stores nothing."""
    assert _counts(take()) == (0, 0, 0)
    assert raw.head()[1].partitions == {}


def test_what_changed_is_told(raw: Table, take: Take) -> None:
    """A commit names the dates whose lines it stored, and counts the rest."""
    take((1, "1"), (2, "2"))
    take((1, "1"), (2, "2.5"), (9, "9"))
    current = raw.head()[1]
    assert [(c.span.start.day, c.span.last.day) for c in current.changes] == [
        (2, 2),
        (9, 9),
    ]
    (file,) = current.note["files"]
    assert (file["lines"], file["stored"]) == (3, 2)


def test_partitions_hold_the_dates_of_their_grain(raw: Table, take: Take) -> None:
    """Lines of two decades land in two partitions, each with its own extent."""
    take((1, "1"), year=2011)
    take((1, "1"), (3, "3"), year=2024)
    found = raw.head()[1].partitions
    assert {n: p.rows for n, p in found.items()} == {"2010": 1, "2020": 2}
    extent = found["2020"].extent
    assert extent is not None
    assert (extent.start, extent.last) == (date(2024, 5, 1), date(2024, 5, 3))


def test_the_hash_of_a_partition_is_that_of_its_rows(raw: Table, take: Take) -> None:
    """The map's hash speaks of all files of a partition together."""
    take((1, "1"), (2, "2"))
    take((3, "3"), (2, "2.5"))
    (entry,) = raw.head()[1].partitions.values()
    assert len(entry.files) == 2
    content = raw.read([entry]).select(list(raw.contract.columns))
    assert digest(content.sort(raw.contract.key).rechunk()) == entry.hash


def test_an_append_that_meets_another_tries_again(
    raw: Table, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conflict is resolved by looking again; batch numbers stay in order."""
    take((1, "1"))
    left = [1]

    def crowded(*args: object, **words: object) -> int:
        if left.pop():
            left.append(0)
            take((2, "2"))
        left.append(0)
        return real_commit(*args, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(records, "commit", crowded)
    done = take((2, "2"), (3, "3"))
    assert _counts(done) == (2, 1, 1)
    assert done.batch == 3
    assert _stored(raw)["value"].to_list() == ["1", "2", "3"]


def test_an_append_gives_up_when_crowded_out(
    raw: Table, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some tries the caller hears of the conflict; nothing was stored."""

    def never(*_: object, **__: object) -> int:
        msg = "somebody else"
        raise CommitConflict(msg)

    monkeypatch.setattr(records, "commit", never)
    with pytest.raises(CommitConflict):
        take((1, "1"))
    assert raw.head()[0] == -1


def test_compacting_keeps_rows_and_root(raw: Table, take: Take) -> None:
    """Many small files become one per partition, and nobody downstream notices."""
    for day in range(1, 6):
        take((day, str(day)))
    before, (_, current) = _stored(raw), raw.head()
    assert compact(raw, work=raw.folder.parent / "work") == 1
    after = raw.head()[1]
    assert [len(p.files) for p in after.partitions.values()] == [1]
    assert after.root == current.root
    assert after.changes == ()
    fresh = Table(raw.folder, raw.contract)
    assert _stored(fresh).equals(before)
    plain = pl.scan_delta(str(raw.folder)).collect()
    assert plain.height == before.height
    assert compact(raw, work=raw.folder.parent / "work") == 0


def test_appends_go_on_after_compacting(raw: Table, take: Take) -> None:
    """Batch numbers and times follow on, and known lines stay known."""
    take((1, "1"), at=NOON)
    take((2, "2"), at=NOON)
    compact(raw, work=raw.folder.parent / "work")
    done = take((1, "1"), (3, "3"), at=NOON - timedelta(days=1))
    assert (_counts(done), done.batch) == ((2, 1, 1), 3)
    assert _stored(raw)["first_seen_at"].to_list() == [NOON] * 3


def test_lines_of_another_shape_are_refused(raw: Table, lake: Lake) -> None:
    """A parser that gives other columns than its table stores nothing."""
    lines = pl.DataFrame({"line": [2], "date": [date(2024, 5, 1)], "value": [1.5]})
    nothing = pl.lit(None, pl.String)
    lines = lines.with_columns(series=pl.lit("VIXCLS"), problem=nothing, text=nothing)
    arrival = Arrival("fred", "VIXCLS", "f.csv", "0" * 64, "parser")
    with pytest.raises((BrokenContract, pl.exceptions.SchemaError)):
        append_lines(raw, lines, arrival, work=lake.work)
    assert raw.head()[0] == -1


def test_a_changed_contract_never_empties_a_record(
    raw: Table, take: Take, lake: Lake
) -> None:
    """Records are never rebuilt: another set of columns is refused, not a new start."""
    take((1, "1"))
    before = pl.scan_delta(str(raw.folder)).collect()
    plain = raw.contract.model_dump()
    plain["columns"]["note"] = {"type": "string", "doc": "more"}
    wider = Table(raw.folder, Contract.model_validate(plain))
    rows = pl.DataFrame(
        {"line": [2], "date": [date(2011, 5, 2)], "value": ["2"], "note": ["n"]}
    ).with_columns(
        series=pl.lit("VIXCLS"),
        problem=pl.lit(None, pl.String),
        text=pl.lit(None, pl.String),
    )
    arrival = Arrival("fred", "VIXCLS", "g.csv", "1" * 64, "parser")
    with pytest.raises(CbiError):
        append_lines(wider, rows, arrival, work=lake.work)
    assert pl.scan_delta(str(raw.folder)).collect().equals(before)


def _decisions(lake: Lake) -> pl.DataFrame:
    table = lake.table("raw.decisions")
    return table.read(table.head()[1].partitions.values()).sort("batch")


def test_a_decision_names_its_line_for_ever(lake: Lake, raw: Table, take: Take) -> None:
    """Who, what and why stand beside file, line and date; the line itself stays."""
    take((1, "1"), (2, "2"))
    before = raw.head()
    sha256 = _stored(raw)["sha256"][0]
    decide(lake, sha256=sha256, line=3, verdict="reject", author="ada", note="typo")
    decide(
        lake, sha256=sha256[:8], line=3, verdict="withdraw", author="bo", note="no typo"
    )
    rows = _decisions(lake)
    assert rows.select("date", "sha256", "line", "raw").unique().rows() == [
        (date(2024, 5, 2), sha256, 3, "raw.fred")
    ]
    assert rows["verdict"].to_list() == ["reject", "withdraw"]
    assert rows["author"].to_list() == ["ada", "bo"]
    assert rows["batch"].to_list() == [1, 2]
    assert raw.head() == before


@pytest.mark.parametrize(
    ("line", "author", "note", "message"),
    [
        (99, "ada", "typo", "found 0"),
        (2, "ada", "  ", "author and a note"),
        (2, "", "typo", "author and a note"),
    ],
)
def test_a_decision_about_nothing_is_refused(
    lake: Lake, raw: Table, take: Take, line: int, author: str, note: str, message: str
) -> None:
    """A line that is not stored, no author and no reason are told, and not recorded."""
    take((1, "1"))
    sha256 = _stored(raw)["sha256"][0]
    with pytest.raises(WrongUsage, match=message):
        decide(
            lake, sha256=sha256, line=line, verdict="reject", author=author, note=note
        )
    assert lake.table("raw.decisions").head()[0] == -1


def test_a_beginning_that_fits_two_files_is_refused(
    lake: Lake, raw: Table, take: Take
) -> None:
    """Enough of the hash to name one file is needed."""
    take((1, "1"))
    take((1, "2"))
    with pytest.raises(WrongUsage, match=r"found 2|at least 6"):
        decide(lake, sha256="", line=2, verdict="reject", author="ada", note="typo")


def test_a_line_seen_twice_is_one_line(lake: Lake, raw: Table, take: Take) -> None:
    """The same bytes, stored again as seen earlier, are still one line to decide on."""
    take((1, "1"))
    take((1, "1"), as_of=NOON - timedelta(days=9))
    sha256 = _stored(raw)["sha256"][0]
    assert _stored(raw)["sha256"].n_unique() == 1
    assert (
        decide(lake, sha256=sha256, line=2, verdict="reject", author="a", note="n") == 1
    )


def test_rows_that_people_write_are_stamped(lake: Lake) -> None:
    """Batch and time are given by the lake, not by who writes."""
    rows = pl.DataFrame(
        {"date": [date(2024, 5, 1)], "sha256": ["0"], "line": [1], "raw": ["raw.fred"]}
    ).with_columns(
        verdict=pl.lit("reject"),
        author=pl.lit("ada"),
        note=pl.lit("because"),
        **{n: pl.lit(None, pl.String) for n in _OF_PARTITIONS},
    )
    with clock.held_at(NOON):
        append_rows(lake.table("raw.decisions"), rows, work=lake.work)
    assert _decisions(lake)["first_seen_at"].to_list() == [NOON]
