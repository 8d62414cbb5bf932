"""JSON, zip archives and spreadsheets, taken apart without a guess."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime

import pytest
import xlsxwriter

from cbi_stream import BadInput
from handlers.ingest.observed import Observations, day_in, end_of_day, one_of
from handlers.ingest.packed import (
    bound,
    cell_line,
    json_of,
    member_of,
    members_of,
    sheets_of,
)


def _book(*rows: tuple[object, ...]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Prices")
        for number, cells in enumerate(rows):
            sheet.write_row(number, 0, cells)
    return out.getvalue()


def test_numbers_of_json_stay_as_they_were_written() -> None:
    """1.10 is not 1.1, and a number with many digits loses none."""
    said = json_of(b'\xef\xbb\xbf{"a": 1.10, "b": 12345678901234567890, "c": null}')
    assert said == {"a": "1.10", "b": "12345678901234567890", "c": None}


@pytest.mark.parametrize(
    "data", [b'{"a": 1', b"", b"Too Many Requests", b'{"a": "\xff"}']
)
def test_what_is_no_json_is_said(data: bytes) -> None:
    """A cut or foreign file is refused as a whole."""
    with pytest.raises(BadInput, match="expected JSON"):
        json_of(data)


def test_a_member_is_taken_by_its_name() -> None:
    """An archive without it, or a broken one, names what was expected."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.md", "x")
        archive.writestr("a.TXT", "lines")
    wanted = {"wanted": lambda name: name.lower().endswith(".txt"), "expected": "text"}
    assert member_of(out.getvalue(), **wanted) == b"lines"
    with pytest.raises(BadInput, match="expected a table in the zip"):
        member_of(out.getvalue(), lambda name: name == "b", expected="a table")
    with pytest.raises(BadInput, match="whole zip archive"):
        member_of(out.getvalue()[:-30], **wanted)


def test_cells_of_a_sheet_are_text_in_their_places() -> None:
    """Empty rows and columns keep what is below and beside them where it is."""
    data = _book(("Title",), (None, "Soybean oil", 1947.51), (), ("2022M04", None, "…"))
    (name, rows), *_ = sheets_of(data).items()
    assert name == "Prices"
    assert rows[1] == (None, "Soybean oil", "1947.51")
    assert rows[3] == ("2022M04", None, "…")
    assert cell_line(4, 3) == 4003


def test_what_is_no_spreadsheet_is_said() -> None:
    """A page under the name of an Excel file is refused."""
    with pytest.raises(BadInput, match="expected an Excel file"):
        sheets_of(b"<html>moved</html>")


def test_rows_are_numbered_and_bad_ones_stay() -> None:
    """An entry that cannot be read borrows the date above it, and says why."""
    found = Observations()
    found.add("A", date(2024, 5, 1), 1.5)
    found.unreadable("A", {"x": 1}, "number: expected a number; found 'x'")
    found.add("A", date(2024, 5, 3), None, stamp=datetime(2024, 6, 1, tzinfo=UTC))
    rows = found.frame(expected="entries").rows(named=True)
    assert [row["line"] for row in rows] == [1, 2, 3]
    assert [row["value"] for row in rows] == ["1.5", None, ""]
    assert rows[1]["date"] == date(2024, 5, 1)
    assert rows[1]["text"] == "{'x': 1}"
    found.unreadable("A", "y", "date: expected a day")
    found.unreadable("A", "y", "date: expected a day")
    with pytest.raises(BadInput, match=r"3 of 5 entries cannot be read"):
        found.frame(expected="entries")


def test_days_are_read_whole() -> None:
    """Nothing before or behind a day is passed over."""
    assert day_in("31/01/2024", "%d/%m/%Y") == date(2024, 1, 31)
    assert day_in("2024-01-31T00") is None
    assert end_of_day(date(2024, 1, 31), "America/Chicago").isoformat() == (
        "2024-02-01T05:59:59+00:00"
    )


def test_a_renamed_field_is_named() -> None:
    """What was expected and what is there stand in one sentence."""
    assert one_of(["a", "b"], {"b": 1}, what="the value") == "b"
    with pytest.raises(BadInput, match="the value under a; found c, d"):
        one_of(["a"], {"c": 1, "d": 2}, what="the value")


def test_all_members_that_are_wanted_come_in_their_order() -> None:
    """Others are passed over; none at all, or a broken archive, is told."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("b.csv", "readme.md", "a.csv"):
            archive.writestr(name, name.upper())
    data = out.getvalue()
    found = members_of(data, lambda name: name.endswith(".csv"), expected="tables")
    assert list(found) == [("b.csv", b"B.CSV"), ("a.csv", b"A.CSV")]
    with pytest.raises(
        BadInput, match="expected tables in the zip archive; found none"
    ):
        list(members_of(data, lambda name: name == "c", expected="tables"))
    with pytest.raises(BadInput, match="whole zip archive"):
        list(members_of(data[:-30], lambda _: True, expected="tables"))


def test_an_empty_sheet_beside_a_full_one_is_no_fault() -> None:
    """The World Bank's workbook has one, and its prices are read all the same."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.add_worksheet("AFOSHEET")
        book.add_worksheet("Prices").write_row(0, 0, ["a", 1.5])
    assert sheets_of(out.getvalue()) == {"AFOSHEET": [], "Prices": [("a", "1.5")]}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'[{"a": NaN}]', "NaN, which is no number"),
        (b'[{"a": -Infinity}]', "-Infinity, which is no number"),
        (b'[{"a": 1, "b": 2, "a": 3}]', "'a' twice in one object"),
        (b"[" * 200_000, "brackets in brackets"),
    ],
)
def test_json_that_may_mean_two_things_is_refused(data: bytes, said: str) -> None:
    """Of two fields of one name nobody knows which is meant."""
    with pytest.raises(BadInput, match=said):
        json_of(data)


def test_an_archive_unpacks_to_so_many_times_its_size() -> None:
    """Small ones may shrink a lot; no large one does, and none beyond a gigabyte."""
    assert bound(10) == bound(20_000) == 1 << 22
    assert bound(1_000_000) == 200_000_000
    assert bound(1 << 30) == 1 << 30
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", bytes(3 << 20))
        archive.writestr("b.csv", bytes(3 << 20))
    data = out.getvalue()
    wanted = {"wanted": lambda name: name.endswith(".csv"), "expected": "tables"}
    assert len(member_of(data, **wanted)) == 3 << 20
    with pytest.raises(BadInput, match=r"found more in 'b\.csv'"):
        list(members_of(data, **wanted))


def test_a_computed_formula_is_a_value_and_another_is_none() -> None:
    """Its result is read; where nobody computed it the book is refused."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.add_worksheet("Prices").write_formula(0, 0, "=1+1", None, 2)
    assert sheets_of(out.getvalue()) == {"Prices": [("2",)]}
    for empty in (b"<v></v>", b"<v/>", b""):
        with (
            zipfile.ZipFile(out) as old,
            zipfile.ZipFile(bad := io.BytesIO(), "w") as new,
        ):
            for name in old.namelist():
                new.writestr(name, old.read(name).replace(b"<v>2</v>", empty))
        with pytest.raises(BadInput, match="formula without its result"):
            sheets_of(bad.getvalue())
