"""Files of strangers, and of known sources in a way that no source writes.

Each is turned away with what it looks like and what to do. The golden table of all bad
inputs is `test_every_bad_input`; none of its rows stands here again.
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


DEFLATED = zlib.compressobj(9, wbits=31)
BOMB = DEFLATED.compress(b"0" * 50_000_000) + DEFLATED.flush()
TURNED_AWAY = [
    # (what, name, file, end, what is said)
    ("4 latin-1 far down", "ZL=F.csv", HEADER + LINES * 4000 + b"caf\xe9,1\n",
     "quarantine", "line 12002: expected UTF-8 text; found the byte 0xe9"),
    ("17 another name", "ZL=F.csv", GOOD.replace(b",Close", b",Last"), "waiting",
     "nearest is yahoo .* the column 'Close' is called 'Last' here"),
    ("31 nothing in a gzip", "VIXCLS.csv.gz", gzip.compress(b""), "waiting", "nothing can"),
    ("35 cut in a gzip", "VIXCLS.csv.gz", gzip.compress(FRED)[:-5], "waiting",
     "may be cut short: the gzip has no end"),
    ("35 cut inside a gzip", "VIXCLS.csv.gz", gzip.compress(PART), "waiting",
     "the last line has no line end"),
    ("37 refusal", "VIXCLS.csv", b"Exceeded the daily hits limit\n", "waiting",
     "a refusal instead of data"),
    ("38 broken gzip", "VIXCLS.csv.gz", gzip.compress(FRED)[:-8] + b"\x00" * 8,
     "quarantine", "incorrect data check"),
    ("39 gzip bomb", "VIXCLS.csv.gz", BOMB, "waiting", "no source has the header"),
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
        if what[:2] in {"4 ", "35", "38", "mo"}:
            own = f"{len(wanted)} {name}"
            if name.startswith("ZL"):
                own = f"ZL=F {len(wanted)}.csv"
            elif name.startswith("VIX"):
                own = name.replace("VIXCLS", f"VIXCLS {len(wanted)}")
            wanted[own] = end
            landing.drop(lake, mine(data, own), landing.Hint())  # type: ignore[arg-type]
    for i, data in enumerate((GOOD, line(b"x,1"))):
        own = f"ZL=F good {i}.csv"
        wanted[own] = "archive"
        landing.drop(lake, mine(data, own), landing.Hint())  # type: ignore[arg-type]
    with Child() as reader:
        told = landing.take_in(lake, graph, reader=reader)
    assert {r.file: r.end for r in told} == wanted
    assert len(wanted) >= 7
