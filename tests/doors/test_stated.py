"""When a file was seen: said, beside it, or in its name; else it was seen just now."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.landing import Hint, Receipt, take_in
from cbi_stream.doors.stated import Named, instant_of, read_time, taken_apart
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from cbi_stream.registry.loader import Registry
from cbi_stream.words import clock

Rows = Callable[[str], pl.DataFrame]
Drop = Callable[..., Receipt]
Put = Callable[..., Path]
FRED = b"observation_date,VIXCLS\n2024-05-01,15.39\n2024-05-02,14.68\n"
BARS = b"date,open,high,low,close,volume\n2026-06-15,73.5,74.4,72.3,74.3,79936\n"
SAID = datetime(2024, 6, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "plain", "when", "gzipped"),
    [
        ("VIXCLS.csv", "VIXCLS.csv", None, False),
        ("ZL=F.csv.gz", "ZL=F.csv", None, True),
        ("soybean_oil_asof_2026-06-16_25927d3.csv.gz", "soybean_oil.csv", "2026-06-16", True),
        ("X_asof_2026-06-16T210500Z.csv", "X.csv", "2026-06-16T210500Z", False),
        ("X_asof_2026-06-16T21:05-05:00_a_b.csv", "X.csv", "2026-06-16T21:05-05:00", False),
        ("annual_legacy_2025_asof_2025-01-13.txt.gz", "annual_legacy_2025.txt",
         "2025-01-13", True),
        ("X_asof_2026-06-16 (1).csv", "X.csv", "2026-06-16", False),
        ("X_asof_yesterday.csv", "X.csv", "yesterday", False),
        ("X_asof_2026-06-16", "X", "2026-06-16", False),
        ("_asof_2026-06-16.csv", "_asof_2026-06-16.csv", None, False),
    ],
)  # fmt: skip
def test_a_name_is_taken_apart(
    name: str, plain: str, when: str | None, *, gzipped: bool
) -> None:
    """What a name says about time and packing is no part of what the file is called."""
    assert taken_apart(name) == Named(plain, when, gzipped)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2024-05-01", date(2024, 5, 1)),
        ("2024-05-01T18:00-05:00", datetime(2024, 5, 1, 23, tzinfo=UTC)),
        ("2024-05-01T230000Z", datetime(2024, 5, 1, 23, tzinfo=UTC)),
    ],
)
def test_a_day_or_an_instant_is_read(text: str, said: date) -> None:
    """Both are ISO 8601; a time has its zone."""
    assert read_time(text) == said


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2024-05-01T18:00", "2024-05-01 18:00", "2024-13-01", "20240501",
     "2024-W05-1", "01/05/2024", "1714604400"],
)  # fmt: skip
def test_anything_else_is_no_time(text: str) -> None:
    """A time without its zone is five hours of doubt."""
    with pytest.raises(ValueError, match="with its zone"):
        read_time(text)


def test_a_bare_day_is_read_so_that_nothing_is_known_too_early(
    registry: Registry,
) -> None:
    """Prices: before the day's bar; released statistics: when the day is over."""
    sources, day = registry.data_sources.sources, date(2026, 6, 16)
    assert instant_of(day, sources["yfinance"]) == datetime(2026, 6, 16, 5, tzinfo=UTC)
    last = datetime(2026, 6, 17, 4, 59, 59, tzinfo=UTC)
    assert instant_of(day, sources["fred"]) == last
    last = datetime(2026, 6, 17, 3, 59, 59, tzinfo=UTC)
    assert instant_of(day, sources["cftc"]) == last


def test_what_is_said_counts_more_than_what_stands_beside_it(
    lake: Lake, graph: Graph, drop: Drop, put: Put
) -> None:
    """--as-of, then the .asof file, then the name; none of them stays behind."""
    name = "VIXCLS_asof_2024-06-01.csv"
    asof = f"{name}.asof"
    put(asof, b"2024-06-02T12:00:00+00:00\n")
    told = drop(FRED, name, Hint(as_of=SAID))
    assert (told.as_of, told.as_of_by) == (SAID, "--as-of")
    put(asof, b"\xef\xbb\xbf2024-06-02T12:00:00+00:00\r\n")
    told = drop(FRED, name)
    assert told.as_of == datetime(2024, 6, 2, 12, tzinfo=UTC)
    assert told.as_of_by == ".asof file"
    told = drop(FRED, name)
    assert told.as_of == datetime(2024, 6, 2, 4, 59, 59, tzinfo=UTC)
    assert told.as_of_by == "file name"
    assert {p.suffix for p in (lake.folder / "landing").iterdir()} == {".json"}


def test_a_stated_time_is_the_as_of(drop: Drop, rows: Rows) -> None:
    """The lines say when they were seen, and that a person said so."""
    assert drop(FRED, "VIXCLS.csv", Hint(as_of=SAID)).taken
    found = rows("raw.fred")
    assert set(found["as_of"]) == {SAID}
    assert set(found["stated"]) == {True}
    assert (found["first_seen_at"] > SAID).all()


def test_without_a_stated_time_it_was_seen_now(
    lake: Lake, graph: Graph, put: Put, rows: Rows
) -> None:
    """A file's own times are never looked at."""
    path = put("VIXCLS.csv", FRED)
    os.utime(path, (86_400, 86_400))
    now = datetime(2024, 6, 1, tzinfo=UTC)
    with clock.held_at(now):
        (told,) = take_in(lake, graph)
    assert (told.as_of, told.as_of_by) == (now, "sight")
    assert set(rows("raw.fred")["as_of"]) == {now}
    assert set(rows("raw.fred")["stated"]) == {False}


@pytest.mark.parametrize(
    ("name", "asof", "said"),
    [
        ("VIXCLS_asof_2999-01-01.csv", None, "which is not yet"),
        ("VIXCLS_asof_2024-06-01T1200.csv", None, "with its zone"),
        ("VIXCLS_asof_soon.csv", None, "with its zone"),
        ("VIXCLS.csv", b"2999-01-01T00:00Z", "which is not yet"),
        ("VIXCLS.csv", b"2024-06-01T12:00", "with its zone"),
        ("VIXCLS.csv", b"", "with its zone"),
        ("VIXCLS.csv", b"\xff\xfe\x00" * 1000, "with its zone"),
    ],
)
def test_a_time_that_cannot_be_waits(
    *, lake: Lake, drop: Drop, put: Put, name: str, asof: bytes | None, said: str
) -> None:
    """It is told where it stands and what it should look like; nothing is guessed."""
    if asof is not None:
        put(f"{name}.asof", asof)
    told = drop(FRED, name)
    assert told.end == "waiting"
    assert said in (told.reason or "")
    assert "--as-of" in (told.mend or "")


def test_today_as_a_day_waits_until_it_is_over(
    lake: Lake, graph: Graph, put: Put
) -> None:
    """A vintage of today is dated by its end; it is taken by the first run after."""
    put("VIXCLS_asof_2024-06-03.csv", FRED)
    for now, end in (
        (SAID, "waiting"),
        (datetime(2024, 6, 4, 6, tzinfo=UTC), "archive"),
    ):
        with clock.held_at(now):
            assert [r.end for r in take_in(lake, graph)] == [end]


def test_one_day_s_pulls_are_told_apart_by_what_follows(
    lake: Lake, graph: Graph, put: Put, rows: Rows
) -> None:
    """Three pulls of one day: the bar of that very day is not finished in any."""
    for i, more in enumerate((b"", b"2026-06-16,,,,,1106\n", b"2026-06-16,,,,,1285\n")):
        put(f"soybean_oil_asof_2026-06-16_{i}.csv", BARS + more)
    with clock.held_at(datetime(2026, 6, 20, tzinfo=UTC)):
        told = take_in(lake, graph)
    assert [(r.key, r.lines, r.stored) for r in told] == [
        ("ZL", 1, 1),
        ("ZL", 2, 1),
        ("ZL", 2, 1),
    ]
    assert {r.as_of for r in told} == {datetime(2026, 6, 16, 5, tzinfo=UTC)}
    assert rows("raw.yfinance").height == 3


def test_the_same_bytes_at_another_time_are_another_arrival(
    lake: Lake, graph: Graph, put: Put, rows: Rows
) -> None:
    """Seen earlier than known before: the lines are stored, with the earlier time."""
    put("VIXCLS_asof_2024-06-05.csv", FRED)
    landing.take_in(lake, graph)
    put("VIXCLS_asof_2024-05-05.csv", FRED)
    assert [r.stored for r in landing.take_in(lake, graph)] == [2]
    assert rows("raw.fred").height == 4
