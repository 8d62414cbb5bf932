"""Workbooks whose schema has changed overnight, of both ages. Nothing in them is real."""

from __future__ import annotations

import pytest

from cbi_stream.doors.reading import is_simulated
from cbi_stream.replay import books, drift, xlsx
from cbi_stream.replay.sites import Reply
from handlers.ingest.packed import sheets_of

ROWS: list[list[str | float | None]] = [
    ["a title"],
    ["DAY", "GPRD"],
    [19850101.0, 1.25],
]
MARK = b"\n# SIMULATED: a test\n"
OLD = Reply(books.workbook({"Sheet1": ROWS}, note=MARK))
YOUNG = Reply(xlsx.workbook({"Sheet1": ROWS}))


@pytest.mark.parametrize("book", [OLD, YOUNG], ids=["1997", "2007"])
def test_a_workbook_drifts_as_a_csv_does(book: Reply) -> None:
    """From its header on: a name, decimal commas, columns in reverse; the title stays."""
    found = {
        "renamed": drift.renamed(book),
        "retyped": drift.retyped(book),
        "reordered": drift.reordered(book),
    }
    told = {name: sheets_of(reply.data)["Sheet1"] for name, reply in found.items()}
    assert {rows[0] for rows in told.values()} == {("a title", None)}
    assert told["renamed"][1:] == [("DAY", "GPRD_renamed"), ("19850101", "1.25")]
    assert told["retyped"][1:] == [("DAY", "GPRD"), ("19850101", "1,25")]
    assert told["reordered"][1:] == [("GPRD", "DAY"), ("1.25", "19850101")]


def test_the_mark_of_an_old_workbook_survives() -> None:
    """It stands behind the last record, and must stand there again."""
    assert is_simulated(OLD.data)
    assert is_simulated(drift.renamed(OLD).data)


def test_a_workbook_in_which_nothing_changes_raises() -> None:
    """A switch that does nothing would make a test of nothing."""
    with pytest.raises(ValueError, match="expected something to change in the sheets"):
        drift.renamed(OLD, old="no such column")
