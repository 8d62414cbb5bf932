"""Workbooks of the simulated sites: written, read again, and changed overnight."""

from __future__ import annotations

import io
import zipfile

import pytest
from cbi_stream.replay.book import rows_in, workbook

from cbi_stream.replay.drift import renamed, reordered, retyped
from cbi_stream.replay.sites import Reply
from handlers.ingest.packed import sheets_of

ROWS = [["A & B"], [], [None, "Soybean oil", "Urea"], ["2024M05", 987.5, "…"]]
MANY = [[f"c{n}" for n in range(60)], list(range(60))]


def marked(data: bytes) -> Reply:
    """Return a workbook as the server sends it, with the mark as its comment."""
    held = io.BytesIO(data)
    with zipfile.ZipFile(held, "a") as archive:
        archive.comment = b"# SIMULATED"
    return Reply(held.getvalue(), "application/vnd.ms-excel")


@pytest.mark.parametrize("rows", [ROWS, MANY])
def test_a_workbook_is_what_a_reader_of_workbooks_reads(rows):
    """Cells stand where they were put, far beyond column Z too; the same gives the same."""
    data = workbook("Monthly <Prices>", rows)
    assert data == workbook("Monthly <Prices>", rows)
    (name, read), *_ = sheets_of(data).items()
    assert name == "Monthly <Prices>"
    width = max(map(len, rows))
    told = [[None if c is None else str(c) for c in row] for row in rows]
    assert [list(row) for row in read] == [
        [*r, *[None] * (width - len(r))] for r in told
    ]
    assert rows_in(data) == ("Monthly <Prices>", rows)


def test_a_workbook_drifts_below_its_title():
    """The header is the first of the widest rows; the mark and the title stay."""
    reply = marked(workbook("Prices", ROWS))
    for change, header, first in (
        (renamed, [None, "Soybean oil", "Urea_renamed"], ["2024M05", 987.5, "…"]),
        (retyped, [None, "Soybean oil", "Urea"], ["2024M05", "987,5", "…"]),
        (reordered, ["Urea", "Soybean oil"], ["…", 987.5, "2024M05"]),
    ):
        data = change(reply).data
        _, rows = rows_in(data)
        assert rows == [*ROWS[:2], header, first]
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.comment == b"# SIMULATED"
