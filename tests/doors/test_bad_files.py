"""The golden table: what becomes of each kind of bad file, and what is said about it.

Numbers are those of the list of bad inputs that the project was built against.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable

import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.landing import Receipt
from cbi_stream.doors.readers import Child
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake

Drop = Callable[..., Receipt]
HEADER = b"Date,Open,High,Low,Close,Adj Close,Volume\n"
LINES = b"".join(
    b"2024-05-%02d,45.1,45.3,43.0,43.1,43.1,68022\n" % d for d in (1, 2, 3)
)
GOOD = HEADER + LINES
FRED = b"observation_date,VIXCLS\n2024-05-01,15.39\n2024-05-02,14.68\n"
PART = FRED[:-3]


def line(text: bytes | str) -> bytes:
    """Return a good price file with one more line."""
    return GOOD + (text.encode() if isinstance(text, str) else text) + b"\n"


TAKEN = [
    # (what, file, lines, of these unreadable)
    ("1 byte order mark", b"\xef\xbb\xbf" + GOOD, 3, 0),
    ("5 NUL inside a field", line(b"2024-05-06,4\x003,43,43,43,43,1"), 4, 1),
    ("6 short row", line(b"2024-05-06,43,43,43"), 4, 1),
    ("7 long row", line(b"2024-05-06,43,43,43,43,43,1,7,7"), 4, 1),
    ("10 quoted decimal comma", line(b'2024-05-06,"47,5",43,43,43,43,1'), 4, 1),
    ("11 thousands", line(b"2024-05-06,1,234.50,43,43,43,43,1"), 4, 1),
    ("12 mixed date formats", line(b"6 May 2024,43,43,43,43,43,1"), 4, 1),
    ("13 ambiguous date", line(b"03/04/2024,43,43,43,43,43,1"), 4, 1),
    ("14 month first", line(b"05/16/2024,43,43,43,43,43,1"), 4, 1),
    ("15 serial date", line(b"45418,43,43,43,43,43,1"), 4, 1),
    ("19 formula", line(b'=HYPERLINK("x"),43,43,43,43,43,1'), 4, 1),
    ("20 unclosed quote", line(b'2024-05-06,"43,43,43,43,43,1'), 4, 1),
    ("21 stray pair of quotes", line(b'2024-05-06,43,"43,43\n,43",43,43,1'), 5, 2),
    ("23 CR line ends", GOOD.replace(b"\n", b"\r"), 3, 0),
    ("24 N/A", line(b"2024-05-06,N/A,43,43,43,43,1"), 4, 1),
    ("25 NaN", line(b"2024-05-06,nan,43,43,43,43,1"), 4, 1),
    ("26 1e400", line(b"2024-05-06,1e400,43,43,43,43,1"), 4, 1),
    ("27 a number of 30 digits", line(b"2024-05-06,43,43,43,43,43," + b"9" * 30), 4, 1),
    ("28 0x10", line(b"2024-05-06,0x10,43,43,43,43,1"), 4, 1),
    ("28 1_000", line(b"2024-05-06,1_000,43,43,43,43,1"), 4, 1),
    ("28 full width", line("2024-05-06,\uff11,43,43,43,43,1"), 4, 1),
    ("28 minus sign", line("2024-05-06,\u22124,43,43,43,43,1"), 4, 1),
    ("28 no-break space", line("2024-05-06,\u00a043,43,43,43,43,1"), 4, 1),
    ("30 type changes late", HEADER + LINES * 7000 + b"x,1,1,1,1,1,1\n", 21001, 1),
    ("32 header only", HEADER, 0, 0),
    ("33 blank lines", GOOD.replace(b"\n", b"\n\n"), 3, 0),
    ("34 remarks on top", b"# saved by hand\n# on Monday\n" + GOOD, 3, 0),
    ("36 cut in a row", GOOD + b"2024-05-06,43,4", 4, 1),
    ("43 a line of 2 MB", line(b"2024-05-06," + b"9" * 2_000_000), 4, 1),
    ("44 footer", line(b'"Downloaded from somewhere"'), 4, 1),
    ("45 the same row twice", GOOD + LINES[:42], 4, 0),
    ("47 a time with a zone", line(b"2024-05-06T00:00-05:00,43,43,43,43,43,1"), 4, 1),
    ("48 year of two digits", line(b"24-05-06,43,43,43,43,43,1"), 4, 1),
    ("48 year 9999", line(b"9999-05-06,43,43,43,43,43,1"), 4, 1),
    ("48 30 February", line(b"2024-02-30,43,43,43,43,43,1"), 4, 1),
    ("49 zero width", line("2024-05-06,43\u200b,43,43,43,43,1"), 4, 1),
    ("51 dollar", line(b"2024-05-06,$43,43,43,43,43,1"), 4, 1),
    ("51 brackets", line(b"2024-05-06,(43),43,43,43,43,1"), 4, 1),
    ("51 minus behind", line(b"2024-05-06,43-,43,43,43,43,1"), 4, 1),
]


@pytest.mark.parametrize(("data", "lines", "unreadable"), [t[1:] for t in TAKEN],
                         ids=[t[0] for t in TAKEN])  # fmt: skip
def test_a_bad_line_is_kept_and_the_rest_is_taken(
    drop: Drop, data: bytes, lines: int, unreadable: int
) -> None:
    """No line is dropped, and none is read as something that it does not say."""
    receipt = drop(data)
    assert receipt.end == "archive", receipt.reason
    assert (receipt.lines, receipt.unreadable) == (lines, unreadable)


DEFLATED = zlib.compressobj(9, wbits=31)
BOMB = DEFLATED.compress(b"0" * 50_000_000) + DEFLATED.flush()
TURNED_AWAY = [
    # (what, name, file, end, what is said)
    ("2 UTF-16 with its mark", "ZL=F.csv", GOOD.decode().encode("utf-16"),
     "quarantine", "found UTF-16"),
    ("3 UTF-16 without it", "ZL=F.csv", GOOD.decode().encode("utf-16-le"),
     "quarantine", "found the byte 0x00"),
    ("4 latin-1", "ZL=F.csv", line(b"caf\xe9,1"), "quarantine", "line 5: .* 0xe9"),
    ("4 latin-1 far down", "ZL=F.csv", HEADER + LINES * 4000 + b"caf\xe9,1\n",
     "quarantine", "line 12002: expected UTF-8 text; found the byte 0xe9"),
    ("8 trailing commas", "ZL=F.csv", GOOD.replace(b"\n", b",\n"), "waiting", "too many"),
    ("8 below the header", "ZL=F.csv", HEADER + LINES.replace(b"\n", b",\n"),
     "quarantine", "3 of 3 lines cannot be read"),
    ("9 semicolons", "ZL=F.csv", GOOD.replace(b",", b";"), "waiting", "semicolons"),
    ("16 a column twice", "ZL=F.csv", GOOD.replace(b"Low", b"High"), "waiting",
     "'Low' is (missing|called)"),
    ("17 header in capitals", "ZL=F.csv", GOOD.replace(b"Close,Adj", b"CLOSE,Adj"),
     "waiting", "capitals, blanks or quotes differ in 'CLOSE'"),
    ("17 blanks in the header", "ZL=F.csv", GOOD.replace(b"Open", b" Open "), "waiting",
     "differ in ' Open '"),
    ("17 another name", "ZL=F.csv", GOOD.replace(b",Close", b",Last"), "waiting",
     "nearest is yahoo .* the column 'Close' is called 'Last' here"),
    ("18 no header", "ZL=F.csv", LINES, "waiting", "the header is missing"),
    ("31 blanks alone", "ZL=F.csv", b"\n \n# x\n", "waiting", "found no line"),
    ("31 nothing in a gzip", "VIXCLS.csv.gz", gzip.compress(b""), "waiting", "nothing can"),
    ("31 no bytes", "ZL=F.csv", b"", "quarantine", "found an empty file"),
    ("35 cut in a number", "VIXCLS.csv", PART, "waiting",
     "may be cut short: the last line has no line end"),
    ("35 cut in a gzip", "VIXCLS.csv.gz", gzip.compress(FRED)[:-5], "waiting",
     "may be cut short: the gzip has no end"),
    ("35 cut inside a gzip", "VIXCLS.csv.gz", gzip.compress(PART), "waiting",
     "the last line has no line end"),
    ("37 web page", "VIXCLS.csv", b"<!DOCTYPE html>\n<html>sorry</html>\n", "quarantine",
     "found a web page"),
    ("37 JSON", "VIXCLS.csv", b'{"error_code":400}', "quarantine", "found JSON"),
    ("37 refusal", "VIXCLS.csv", b"Exceeded the daily hits limit\n", "waiting",
     "a refusal instead of data"),
    ("38 gzip called csv", "VIXCLS.csv", gzip.compress(FRED), "quarantine",
     "a gzip under another name"),
    ("38 no gzip called gz", "VIXCLS.csv.gz", FRED, "quarantine", "expected a gzip"),
    ("38 broken gzip", "VIXCLS.csv.gz", gzip.compress(FRED)[:-8] + b"\x00" * 8,
     "quarantine", "incorrect data check"),
    ("39 gzip bomb", "VIXCLS.csv.gz", BOMB, "waiting", "no source has the header"),
    ("39 bomb behind a header", "VIXCLS.csv.gz",
     gzip.compress(FRED + b"2024-05-03,1\n" * 6_000_000), "quarantine",
     "does not shrink so much"),
    ("40 zip", "VIXCLS.csv", b"PK\x03\x04 ../../evil.csv", "quarantine", "zip archive"),
    ("41 NULs", "VIXCLS.csv", bytes(100_000), "quarantine", "found the byte 0x00"),
    ("42 100,000 columns", "VIXCLS.csv", b"a," * 100_000 + b"\n", "waiting",
     "no source has the header"),
    ("44 two files in one", "ZL=F.csv", GOOD + GOOD, "quarantine",
     "line 5: the header stands here again"),
    ("50 sep=;", "ZL=F.csv", b"sep=;\n" + GOOD, "waiting", "a hint for Excel"),
    ("50 tabs", "NFCI.csv", b"Date\tValue\n2024-05-03\t1\n", "waiting", "tabs"),
    ("53 Parquet", "VIXCLS.csv", b"PAR1 ... PAR1", "quarantine", "a Parquet file"),
    ("55 Excel", "VIXCLS.csv", b"\xd0\xcf\x11\xe0....", "quarantine", "old Excel"),
    ("mostly noise", "ZL=F.csv", GOOD + b"x,1\n" * 4, "quarantine",
     "4 of 7 lines cannot be read"),
    ("Stooq", "prices.csv", b"Date,Open,High,Low,Close,Volume\n", "waiting",
     "stooq, yfinance have the header"),
    ("Barchart", "prices.csv", b'Time,Open,High,Low,Last,Change,%Change,Volume,"Open Int"\n',
     "waiting", "says which symbol"),
    ("investing.com", "x.csv", b'"Date","Price","Open","High","Low","Vol.","Change %"\n',
     "waiting", "says which symbol"),
    ("yfinance by itself", "x.csv", b"Price,Close,High,Low,Open,Volume\nTicker,ZL=F\n",
     "waiting", "says which symbol"),
    ("ALFRED", "DGS10.csv", b"observation_date,DGS10_20240501\n", "waiting", "--as-of"),
    ("two series", "x.csv", b"observation_date,DGS10,DGS2\n", "waiting", "per file"),
    ("disaggregated", "c_year.txt", b'"Market","M_Money_Positions_Long_All"\n', "waiting",
     "disaggregated"),
    ("one week of the CFTC", "deafut.txt",
     b'"WHEAT-SRW - CHICAGO BOARD OF TRADE",260616,2026-06-16,001602,CBT ,00\n', "waiting",
     "another number of cells"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "end", "said"), [t[1:] for t in TURNED_AWAY],
                         ids=[t[0] for t in TURNED_AWAY])  # fmt: skip
def test_a_wrong_file_is_turned_away_with_a_reason(
    *, lake: Lake, drop: Drop, name: str, data: bytes, end: str, said: str
) -> None:
    """Nothing of it is taken, its bytes are kept, and a person can see what to do."""
    receipt = drop(data, name)
    assert receipt.end == end, receipt
    assert receipt.mend
    reason = (receipt.reason or "").replace("\n", " ")
    assert re.search(said, reason), reason
    kept = lake.folder / (receipt.place or f"landing/{name}")
    assert kept.read_bytes() == data
    tables = ("raw.yahoo", "raw.fred", "raw.cftc", "raw.yfinance")
    assert all(lake.table(table).head()[0] == -1 for table in tables)


def test_in_the_child_it_ends_the_same(
    lake: Lake, graph: Graph, mine: Callable[..., object]
) -> None:
    """The limited child says word for word what this process says."""
    wanted = {}
    for what, name, data, end, _ in TURNED_AWAY:
        if what[:2] in {"4 ", "35", "38", "39", "44", "mo"}:
            own = f"{len(wanted)} {name}"
            if name.startswith("ZL"):
                own = f"ZL=F {len(wanted)}.csv"
            elif name.startswith("VIX"):
                own = name.replace("VIXCLS", f"VIXCLS {len(wanted)}")
            wanted[own] = end
            landing.drop(lake, mine(data, own), landing.Hint())  # type: ignore[arg-type]
    for i, (_, data, *_) in enumerate(TAKEN[:4]):
        own = f"ZL=F good {i}.csv"
        wanted[own] = "archive"
        landing.drop(lake, mine(data, own), landing.Hint())  # type: ignore[arg-type]
    with Child() as reader:
        told = landing.take_in(lake, graph, reader=reader)
    assert {r.file: r.end for r in told} == wanted
    assert len(wanted) > 12
