"""What bytes are: each form is told by its beginning, and a page is told from data.

Nothing is asked of anybody here.
"""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from cbi_stream.doors.content import is_cut, is_page, not_expected, words
from cbi_stream.shapes.connector import Want

BOM = b"\xef\xbb\xbf"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
CSV = b"DATE,VALUE\n2024-01-02,1.5\n"


def want(form, header=None):
    """Return a question that expects a form."""
    return Want("n", "https://api.example.org/", expect=form, header=header)


def zipped():
    """Return a zip with one small file."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.csv", CSV * 9)
    return held.getvalue()


GOOD = {
    "json": [b"{}", b" \n[1]", BOM + b'{"a": 1}\n'],
    "zip": [zipped(), b"PK\x05\x06" + bytes(18)],
    "xlsx": [zipped()],
    "xls": [OLE],
    "gzip": [gzip.compress(CSV)],
    "xml": [b"<?xml version='1.0'?><a/>", b"\n<a></a>\n", BOM + b"<html-like/>"],
    "text": [CSV, BOM + CSV, b'"a","b"\n', b"[x],y\n"],
    "page": [b"<!DOCTYPE html><html></html>", b"\n<a href='x'>"],
}
PAGES = [
    b"<!DOCTYPE html><html><title>t</title></html>",
    BOM + b"\r\n<HTML>",
    b"<!-- hello -->\n<html>",
    b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC 'x'><html>",
    b"<head>",
]


@pytest.mark.parametrize("form", GOOD)
def test_each_form_is_told_by_its_beginning(form):
    """Every form is what it is, and no other one, unless it is a kind of it."""
    for data in GOOD[form]:
        assert not_expected(data, want(form)) is None, data[:20]
        assert is_cut(data, form) is None, data[:20]
    kinds = {("zip", "xlsx"), ("xlsx", "zip"), ("xml", "page"), ("page", "xml")}
    for other, examples in GOOD.items():
        if other == form or (other, form) in kinds:
            continue
        for data in examples:
            fine = form == "json" and data.startswith(b"[")
            fine |= form == "text" and other == "json" and b"[" in data
            assert fine or not_expected(data, want(form)), (other, data[:20])


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_told_from_data(page):
    """A page is no data in any form; it is one where it was asked for."""
    for form in GOOD.keys() - {"page"}:
        if form != "xml" and page.startswith(b"<?xml"):
            continue
        assert is_page(page, want(form)), form
        assert "a web page" in not_expected(page, want(form)), form
    assert not is_page(page, want("page"))
    assert not_expected(page, want("page")) is None


def test_another_file_is_no_page():
    """XML where JSON was asked for is wrong, but no page that may pass."""
    error = b"<?xml version='1.0'?><error code='400'/>"
    assert not is_page(error, want("json"))
    assert not_expected(error, want("json"))
    assert not is_page(b"<rss><x/></rss>", want("xml"))


def test_a_first_line_is_matched():
    """A text with another first line than the pattern says is another file."""
    assert not_expected(CSV, want("text", r"(DATE|observation_date),\w+$")) is None
    assert not_expected(BOM + CSV, want("text", "DATE")) is None
    found = not_expected(b"Exceeded the daily hits limit", want("text", "DATE,"))
    assert found == "another first line than 'DATE,': 'Exceeded the daily hits limit'"


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b'{"a": [1, 2', "json"),
        (b'[1, 2]  "', "json"),
        (zipped()[:-22], "zip"),
        (zipped()[:40], "xlsx"),
        (b"<?xml version='1.0'?><a><b", "xml"),
    ],
    # Not by its bytes: an archive holds the time at which it was made.
    ids=["json", "json in a string", "zip", "xlsx", "xml"],
)
def test_a_cut_form_is_seen(data, form):
    """What does not end as its form ends was cut."""
    assert is_cut(data, form)


def test_words_are_those_for_people():
    """The title of a page, else its words, without scripts; at most so many."""
    assert words(PAGES[0]) == "'t'"
    page = b"<html><style>a{}</style><script>x()</script><p>Busy &lt;now&gt;</p>"
    assert words(page) == "'Busy <now>'"
    assert words(b"<title> </title><h1>Gone</h1>") == "'Gone'"
    assert words(b"a \x1b[31m b\n\nc\x00") == "'a [31m b c'"
    assert len(words(b"x" * 1000)) == 160 + len("...''")
    assert words(b"\xff\xfe") == "'\ufffd\ufffd'"
