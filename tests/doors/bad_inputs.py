"""The list of bad inputs: how each is made of a clean file, and where it must end.

Numbers are those of the list that the project was built against. It makes bytes, and
never hands them in.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from tests.doors.dialects import LINE, MIDDLE, Dialect

ALL = ("yahoo", "fred", "cftc", "psd")
BY_NAME = ("cftc", "psd")
"""Dialects whose columns are found by their names, in any order."""


@dataclass(frozen=True)
class Told:
    """What the receipt must say."""

    end: str = "archive"
    said: str = ""
    """A pattern of the reason; empty where the file is taken without a word."""
    lines: tuple[int, ...] = ()
    """The lines that the reason names."""
    lost: float | None = None
    """How many rows of the clean file are not staged; unless said those that are named.
    Of the CFTC one of eleven counts may be lost alone."""


@dataclass(frozen=True)
class Bad:
    """One bad input, in every dialect in which it makes sense."""

    row: int
    what: str
    make: Callable[[Dialect], bytes | str]
    told: Told = field(
        default_factory=lambda: Told(said=f"line {LINE}: ", lines=(LINE,))
    )
    unlike: Mapping[str, Told] = field(default_factory=dict)
    """Dialects in which it ends otherwise."""
    only: tuple[str, ...] = ALL
    ending: str = ""
    """What the file's name has behind its own."""

    def bytes_of(self, dialect: Dialect) -> bytes:
        """Return the file."""
        made = self.make(dialect)
        return made if isinstance(made, bytes) else made.encode()

    def of(self, dialect: Dialect) -> Told:
        """Return what must be told of it in a dialect."""
        return self.unlike.get(dialect.name, self.told)


WORD = Told()
ONE = Told(said=f"line {LINE}: ", lines=(LINE,))
TWO = Told(said=f"line {LINE}: ", lines=(LINE, LINE + 1))


def refused(said: str, *lines: int) -> Told:
    """Return that the whole file is wrong."""
    return Told("quarantine", said, lines)


def waits(said: str) -> Told:
    """Return that something must be said or mended first."""
    return Told("waiting", said)


def cell(text: str) -> Callable[[Dialect], str]:
    """Return a file with another number in the middle, as it is written here."""
    return lambda d: d.with_cell(d.number, text)


def day(text: str) -> Callable[[Dialect], str]:
    """Return a file with another date in the middle."""
    return lambda d: d.with_cell(d.day, text)


def days(looks: str) -> Callable[[Dialect], str]:
    """Return a file with all dates written otherwise, such as {d}/{m}/{y}."""

    def made(d: Dialect) -> str:
        rows = [list(cells) for cells in d.rows]
        for cells in rows:
            y, m, a = cells[d.day].split("-")
            cells[d.day] = looks.format(y=y, m=m, d=a)
        return d.text(rows)

    return made


def _continental(number: str) -> str:
    return "1." + number.replace(".", ",").zfill(6)


def _grouped(d: Dialect) -> str:
    number = float(d.rows[MIDDLE][d.number])
    return d.with_cell(d.number, f'"{number:,}"' if number >= 1000 else '"1,234.50"')


def _stray(d: Dialect) -> str:
    """Return a file in which a quote opens in one line and closes two lines below."""
    rows = [d.cells_of(cells) for cells in d.rows]
    rows[MIDDLE][d.about] = '"' + rows[MIDDLE][d.about].strip('"')
    rows[MIDDLE + 2][d.about] = rows[MIDDLE + 2][d.about].strip('"') + '"'
    return "\n".join([d.top, *(",".join(cells) for cells in rows), ""])


def _twice(d: Dialect) -> str:
    """Return a file with a column that stands there twice, the second time otherwise."""
    lines = [f"{d.top},{d.top.split(',')[d.number]}"]
    return "\n".join([*lines, *(f"{d.line(cells)},99.9" for cells in d.rows), ""])


def _other_order(d: Dialect) -> str:
    rows = [",".join(reversed(d.cells_of(cells))) for cells in d.rows]
    return "\n".join([",".join(reversed(d.top.split(","))), *rows, ""])


def _capitals(d: Dialect) -> str:
    blanks = d.top.upper() if d.quoted else d.top.upper().replace(",", " , ")
    return d.text().replace(d.top, blanks)


def _lines(d: Dialect, change: Callable[[str], str], *, first: int = 0) -> str:
    """Return a file with each line changed, from the header on or the first of data."""
    *lines, end = d.text().split("\n")
    changed = [change(text) if i >= first else text for i, text in enumerate(lines)]
    return "\n".join([*changed, end])


def packed(**members: bytes) -> bytes:
    """Return an archive of these; the same ones give the same bytes at any time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            about = zipfile.ZipInfo(name)
            about.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(about, data)
    return out.getvalue()


def bomb(d: Dialect) -> bytes:
    """Return a gzip that unpacks to 600 MB of lines."""
    packer = zlib.compressobj(9, wbits=31)
    head = packer.compress(d.text().encode())
    more = (d.line(d.rows[0]) + "\n").encode() * 20_000
    size, parts = 0, [head]
    while size < 600_000_000:
        parts.append(packer.compress(more))
        size += len(more)
    return b"".join([*parts, packer.flush()])


def parquet(frame: pl.DataFrame | None = None) -> bytes:
    """Return a Parquet file."""
    out = io.BytesIO()
    plain = pl.DataFrame({"Date": ["2024-04-03"], "Close": [47.5]})
    (plain if frame is None else frame).write_parquet(out)
    return out.getvalue()


def _before(line: str) -> Callable[[Dialect], str]:
    return lambda d: d.with_cell(d.number, line)


NOISE = bytes(range(128, 256)) * 40
BROKEN = refused("6 of 6 lines cannot be read", 2, 3)
BAD: tuple[Bad, ...] = (
    Bad(1, "byte order mark", lambda d: b"\xef\xbb\xbf" + d.text().encode(), WORD),
    Bad(2, "UTF-16 with its mark", lambda d: d.text().encode("utf-16"),
        refused("found UTF-16")),
    Bad(3, "UTF-16 without it", lambda d: d.text().encode("utf-16-le"),
        refused("line 1: .*0x00", 1)),
    Bad(4, "latin-1", lambda d: cell("\xe9")(d).encode("latin-1"),
        refused(f"line {LINE}: expected text in UTF-8; found the byte 0xe9", LINE)),
    Bad(5, "NUL inside a field", cell("4\x003")),
    Bad(6, "short row", lambda d: d.with_line(",".join(d.cells_of(d.rows[MIDDLE])[:-1]))),
    Bad(7, "long row", lambda d: d.with_line(",".join([*d.cells_of(d.rows[MIDDLE]), "7", "7"]))),
    Bad(8, "trailing commas everywhere", lambda d: _lines(d, lambda text: text + ","),
        waits("no source has the header|per file"), unlike=dict.fromkeys(BY_NAME, WORD)),
    Bad(8, "trailing commas below the header",
        lambda d: _lines(d, lambda text: text + ",", first=1), BROKEN),
    Bad(9, "semicolons and decimal commas",
        lambda d: d.text().replace(",", ";").replace(".", ","),
        waits("semicolons|no source has the header")),
    Bad(10, "quoted decimal comma", cell('"47,5"')),
    Bad(11, "thousands", _grouped, unlike={"psd": WORD}),
    Bad(11, "thousands of the continent", lambda d: d.with_cell(
        d.number, f'"{_continental(d.rows[MIDDLE][d.number])}"')),
    Bad(12, "another way to write a date", day("6 May 2024")),
    Bad(13, "one ambiguous date", day("03/04/2024")),
    Bad(13, "ambiguous dates, day first", days("{d}/{m}/{y}"), BROKEN,
        only=("yahoo", "fred")),
    Bad(13, "month first, as its source writes", days("{m}/{d}/{y}"), WORD, only=("cftc",)),
    Bad(14, "month first, day over twelve", day("05/16/2024")),
    Bad(15, "serial date", day("45418")),
    Bad(16, "a column twice", _twice, waits("no source has the header"),
        unlike={"psd": refused("'Value' twice in the header")}),
    Bad(17, "header in capitals, with blanks",
        _capitals, waits("differ in|no source has"), unlike=dict.fromkeys(BY_NAME, WORD)),
    Bad(18, "no header", lambda d: d.text().split("\n", 1)[1],
        waits("the header is missing|no source has the header")),
    Bad(19, "formula", cell('"=HYPERLINK(""http://x"")"')),
    Bad(19, "formula of old", cell("@SUM(A1)")),
    Bad(20, "unclosed quote", lambda d: d.with_cell(d.about, '"' + d.rows[MIDDLE][d.about])),
    Bad(21, "stray pair of quotes", _stray,
        Told(said=f"line {LINE}: ", lines=(LINE, LINE + 2))),
    Bad(22, "newline inside quotes",
        lambda d: d.with_cell(d.about, f'"{d.rows[MIDDLE][d.about][:2]}\n x"'),
        Told(said=f"line {LINE}: ", lines=(LINE, LINE + 1), lost=1)),
    Bad(23, "CR line ends", lambda d: d.text().replace("\n", "\r"), WORD),
    Bad(23, "line ends of all kinds", lambda d: d.text().replace("\n", "\r\n", 3), WORD),
    Bad(24, "N/A", cell("N/A")),
    Bad(24, "a dash", cell("-")),
    Bad(24, "yes", cell("True")),
    Bad(25, "NaN", cell("NaN")),
    Bad(25, "inf", cell("-Infinity")),
    Bad(26, "1e400", cell("1e400")),
    Bad(26, "twenty digits", cell("99999999999999999999")),
    Bad(27, "a number of 30 digits", cell("9" * 30)),
    Bad(28, "0x10", cell("0x10")),
    Bad(28, "1_000", cell("1_000")),
    Bad(28, "full-width digits", cell("\uff11\uff12")),
    Bad(28, "another minus", cell("\u22125")),
    Bad(28, "no-break space", cell("1\u00a0234")),
    Bad(29, "a code without its zeros", lambda d: d.with_cell(d.about, "7601"), only=("cftc",)),
    Bad(30, "type changes after 20,000 rows", lambda d: "\n".join(
        [d.top, *(d.line(cells) for cells in d.rows) , *[d.line(d.rows[0])] * 20_000,
         d.line(d.rows[0]).replace(d.rows[0][d.number], "revised"), ""]),
        Told(said="line 20008: ", lines=(20008,), lost=0),
        # Of figures a cell that is no number speaks against the others of its key.
        unlike={"psd": Told(said="line 20008: .*not_a_number", lines=(20008,), lost=1)}),
    Bad(31, "no bytes", lambda _: b"", refused("found an empty file")),
    Bad(31, "blanks alone", lambda _: b"\n \n# x\n", waits("found no line besides blanks")),
    Bad(32, "header alone", lambda d: d.top + "\n",
        Told(said="a header and no lines", lost=6)),
    Bad(33, "blank lines", lambda d: d.text().replace("\n", "\n\n"), WORD),
    Bad(33, "lines of blanks", lambda d: d.text().replace("\n", "\n   \n"), WORD),
    Bad(34, "remarks on top", lambda d: f"# Source: USDA\n# by hand\n{d.text()}", WORD),
    Bad(35, "cut in a number", lambda d: d.text()[:-3],
        waits("may be cut short: the last line has no line end"),
        unlike={"yahoo": Told(lost=0)}),
    Bad(35, "cut behind a number", lambda d: d.text()[:-1],
        waits("may be cut short: the last line has no line end"),
        unlike={"yahoo": Told(lost=0)}),
    Bad(36, "cut in a row", lambda d: d.text()[:-12],
        waits("may be cut short: the last line has no line end"),
        unlike={"yahoo": Told(said="line 7: ", lines=(7,))}),
    Bad(37, "web page", lambda _: "<!DOCTYPE html><html><body>503</body></html>\n",
        refused("found a web page")),
    Bad(37, "JSON", lambda _: '{"error": "rate limit", "code": 429}',
        refused("found JSON")),
    Bad(38, "gzip called csv", lambda d: gzip.compress(d.text().encode(), mtime=0),
        refused("a gzip under another name")),
    Bad(38, "no gzip called gz", lambda d: d.text(), refused("expected a gzip"), ending=".gz"),
    Bad(38, "gzip, cut", lambda d: gzip.compress(d.text().encode(), mtime=0)[:-9],
        waits("may be cut short: the gzip has no end"), ending=".gz"),
    Bad(39, "gzip bomb", bomb, refused("does not shrink so much"), ending=".gz"),
    Bad(40, "zip with a path", lambda d: packed(**{"../../evil.csv": d.text().encode()}),
        refused("zip archive")),
    Bad(41, "NULs", lambda _: bytes(5_000_000), refused("found the byte 0x00")),
    Bad(42, "a million columns", lambda _: ",".join(f"c{i}" for i in range(10**6)) + "\n1\n",
        waits("no source has the header")),
    Bad(43, "a field of 10 MB", cell("A" * 10_000_000)),
    Bad(44, "a total below", lambda d: d.text() + "Total,,144.25\n",
        Told(said="line 8: ", lines=(8,), lost=0)),
    Bad(44, "two files in one", lambda d: d.text() + d.text(),
        refused("line 8: the header stands here again", 8)),
    Bad(45, "the same rows twice",
        lambda d: d.text() + "\n".join(map(d.line, d.rows)) + "\n", WORD),
    Bad(45, "one key, two values", lambda d: d.text() + d.with_cell(
        d.number, "43").split("\n")[LINE - 1] + "\n",
        Told(said=f"line {LINE}: contradicted", lines=(LINE, 8), lost=1),
        unlike={"cftc": Told(said="line 8: ", lines=(8,), lost=1 / 11)}),
    Bad(46, "columns in another order", _other_order,
        waits("in another order|no source has"), unlike=dict.fromkeys(BY_NAME, WORD)),
    Bad(47, "a time with a zone", day("2024-05-06T00:00:00+05:30")),
    Bad(47, "a time in no zone", day("2024-03-10 02:30:00")),
    Bad(48, "a year of two digits", day("24-04-03")),
    Bad(48, "two digits, American", day("1/2/24")),
    Bad(48, "the year 1", day("0001-01-01")),
    Bad(48, "the year 9999", day("9999-12-31")),
    Bad(48, "30 February", day("2024-02-30")),
    Bad(49, "right to left", lambda d: d.with_cell(d.about, f"{d.rows[MIDDLE][d.about]}\u202e")),
    Bad(49, "zero width", lambda d: d.with_cell(d.about, f"\u200b{d.rows[MIDDLE][d.about]}")),
    Bad(50, "sep=;", lambda d: "sep=;\n" + d.text().replace(",", ";"),
        waits("a hint for Excel")),
    Bad(50, "tabs", lambda d: d.text().replace(",", "\t"), waits("tabs|no source has"),
        unlike={"yahoo": WORD}),
    Bad(50, "bars", lambda d: d.text().replace(",", "|"), waits("bars|no source has")),
    Bad(51, "dollars", cell("$47.50")),
    Bad(51, "percent", cell("12%")),
    Bad(51, "brackets", cell("(47.5)")),
    Bad(51, "minus behind", cell("47.5-")),
    Bad(52, "Parquet of another schema", lambda _: parquet(), refused("a Parquet file")),
    Bad(53, "Parquet, cut", lambda _: parquet()[:-6], refused("a Parquet file")),
    Bad(53, "Parquet, half", lambda _: parquet()[:90], refused("a Parquet file")),
    Bad(53, "Parquet, two marks alone", lambda _: b"PAR1PAR1", refused("a Parquet file")),
    Bad(53, "Parquet with a footer of 2 GB",
        lambda _: parquet()[:-8] + (0x7FFFFFF0).to_bytes(4, "little") + b"PAR1",
        refused("a Parquet file")),
    Bad(53, "Parquet, encrypted", lambda _: b"PARE" + NOISE + b"PARE",
        refused("found the byte|encrypted")),
    Bad(53, "noise", lambda _: NOISE, refused("found the byte")),
    Bad(54, "Parquet, garbled", lambda _: re.sub(rb"[A-Z]", b"\xff", parquet()[4:])
        .join([b"PAR1", b""]), refused("a Parquet file")),
    Bad(55, "old Excel", lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....",
        refused("old Excel")),
    Bad(55, "Excel", lambda _: packed(**{"[Content_Types].xml": b"<x/>"}),
        refused("an Excel file")),
)  # fmt: skip
