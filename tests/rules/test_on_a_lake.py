"""Files with faults on the whole road: what is turned away, decided, and staged again.

The prices are few and invented, but for the days on which crude oil truly fell.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import cbi_stream  # noqa: F401 - before polars, which takes its thread count from it
from cbi_stream.doors import dropping, landing
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.decisions import decide
from cbi_stream.lake.lake import Lake
from cbi_stream.registry import loader
from cbi_stream.words.errors import WrongUsage

HEADER = "Date,Open,High,Low,Close,Adj Close,Volume"
SEEN = datetime(2024, 7, 1, tzinfo=UTC)
DAYS = [date(2024, 5, 6) + timedelta(days=i) for i in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)]
WHO = {"author": "ada", "note": "because"}
_OIL = """2020-04-14,22.14,22.59,19.95,20.11,1
2020-04-15,20.15,20.53,19.20,19.87,1
2020-04-16,20.09,20.60,19.75,19.87,1
2020-04-17,19.72,19.79,17.31,18.27,1
2020-04-20,17.73,17.85,-40.32,-37.63,1
2020-04-21,-14.00,13.86,-16.74,10.01,1"""


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Return the project's handlers and rules."""
    return discover(loader.load(Path(__file__).resolve().parents[2] / "registry"))


@pytest.fixture
def lake(tmp_path: Path, graph: Graph) -> Lake:
    """Return an empty lake."""
    return Lake.create(tmp_path / "lake", graph.registry, kind="real")


@pytest.fixture
def settle(lake: Lake, graph: Graph, tmp_path: Path) -> Callable[..., None]:
    """Return a function that takes a file of bars in, if one is given, and runs a wave."""

    def done(
        *lines: str, name: str = "ZL=F.csv", seen: datetime = SEEN, header: str = HEADER
    ) -> None:
        if lines:
            path = tmp_path / name
            path.write_text("\n".join([header, *lines, ""]))
            dropping.drop(lake, path, dropping.Hint(as_of=seen))
            (receipt,) = landing.take_in(lake, graph)
            assert receipt.taken, receipt
        report = run_wave(lake, graph, probing="off")
        assert not report.failed, report.failed

    return done


@pytest.fixture
def rows(lake: Lake) -> Callable[[str], pl.DataFrame]:
    """Return a function that reads a whole table."""

    def read(name: str) -> pl.DataFrame:
        table = lake.table(name)
        found = table.read(table.head()[1].partitions.values())
        return found.sort(table.contract.key)

    return read


def _bar(day: date, close: str, volume: str = "1000") -> str:
    return f"{day},{close},{close},{close},{close},{close},{volume}"


def _plain(bad: str = "4766.00", volume: str = "1000") -> list[str]:
    closes = [f"47.{i}0" for i in range(9)]
    return [
        *(
            _bar(d, c, str(900 + i))
            for i, (d, c) in enumerate(zip(DAYS, closes, strict=False))
        ),
        _bar(DAYS[9], bad, volume),
    ]


def _sha(rows: Callable[[str], pl.DataFrame]) -> str:
    return str(rows("raw.yahoo")["sha256"][0])


def test_a_slip_is_turned_away_with_its_numbers(settle: Any, rows: Any) -> None:
    """The date has no bar; what was found says what was usual and what it looks like."""
    settle(*_plain())
    assert rows("staging.prices")["date"].to_list() == DAYS[:9]
    (row,) = rows("quarantine.prices").rows(named=True)
    assert row["rules"] == "implausible,jump,unit_slip"
    assert row["found"].endswith(
        "expected a close of 10 to 150 US cents per pound: is the file in another unit?; "
        "found 4766; usual 47.6, limit 22%; found 4766; usual 47.6: looks like x100"
    )


def test_a_jump_inside_the_plausible_says_what_it_looks_like(
    settle: Any, rows: Any
) -> None:
    """99.00 could be a price of soybean oil, but not after 47.80."""
    settle(*_plain("99.00"))
    (row,) = rows("quarantine.prices").rows(named=True)
    assert row["rules"] == "jump"
    assert row["found"].endswith("found 99; usual 47.6, limit 22%")


def test_a_released_line_is_staged_and_says_so(
    lake: Lake, settle: Any, rows: Any
) -> None:
    """Withdrawn, it is in quarantine again."""
    settle(*_plain("99.00"))
    said = {"sha256": _sha(rows), "line": 11}
    decide(lake, verdict="release", **said, **WHO)
    settle()
    last = rows("staging.prices").tail(1)
    assert last.select("date", "close", "flags").row(0) == (DAYS[9], 99.0, "released")
    assert rows("quarantine.prices").height == 0
    decide(lake, verdict="withdraw", **said, **WHO)
    settle()
    assert rows("staging.prices").height == 9
    assert rows("quarantine.prices")["rules"].to_list() == ["jump"]


def test_a_fixed_line_is_read_anew_and_judged_like_any_other(
    lake: Lake, settle: Any, rows: Any
) -> None:
    """The cells as they should read; a fix that is wrong too is turned away."""
    settle(*_plain("47x9"))
    assert rows("quarantine.prices")["rules"].to_list() == ["unreadable"]
    said = {"sha256": _sha(rows), "line": 11, "verdict": "fix", **WHO}
    four = ("open", "high", "low", "close")
    decide(lake, cells=dict.fromkeys(four, "470.90"), **said)
    settle()
    assert "jump" in rows("quarantine.prices")["rules"][0]
    decide(lake, cells=dict.fromkeys(four, "47.90"), **said)
    settle()
    last = rows("staging.prices").tail(1)
    assert last.select("date", "close", "flags").row(0) == (DAYS[9], 47.9, "fixed")
    assert rows("quarantine.prices").height == 0
    stored = rows("raw.decisions")["cells"].to_list()
    assert json.loads(stored[-1]) == dict.fromkeys(four, "47.90")


@pytest.mark.parametrize(
    ("line", "said", "message"),
    [
        (5, {"verdict": "release"}, "in quarantine; line 5 of"),
        (11, {"verdict": "release"}, "as unreadable"),
        (11, {"verdict": "fix", "cells": {"date": "2024-05-17"}}, "no key; found date"),
        (11, {"verdict": "fix", "cells": {"symbol": "ZS"}}, "no key; found symbol"),
        (11, {"verdict": "fix", "cells": {"settle": "1"}}, "found settle"),
        (11, {"verdict": "fix"}, "cells with a fix"),
        (11, {"verdict": "reject", "cells": {"close": "1"}}, "and only there"),
    ],
)
def test_a_decision_that_means_nothing_is_refused(
    lake: Lake, settle: Any, rows: Any, line: int, said: Any, message: str
) -> None:
    """Nothing is recorded, and the message says what was expected."""
    settle(*_plain("47x9"))
    with pytest.raises(WrongUsage, match=message):
        decide(lake, sha256=_sha(rows), line=line, **said, **WHO)
    assert lake.table("raw.decisions").head()[0] == -1


def test_a_line_that_cannot_be_read_is_not_fixed(
    lake: Lake, settle: Any, rows: Any
) -> None:
    """Nobody knows which of its cells is which."""
    settle(*_plain("47.90")[:9], f"{DAYS[9]},47.9,47.9")
    assert rows("quarantine.prices")["rules"].to_list() == ["unreadable"]
    for said in ({"verdict": "fix", "cells": {"close": "1"}}, {"verdict": "release"}):
        with pytest.raises(WrongUsage, match="can be read"):
            decide(lake, sha256=_sha(rows), line=11, **said, **WHO)  # type: ignore[arg-type]


def test_a_bad_volume_costs_the_bar_its_volume_only(settle: Any, rows: Any) -> None:
    """The price stands; the quarantine names the cell."""
    settle(*_plain("47.90", volume="999999999999"))
    last = rows("staging.prices").tail(1)
    assert last.select("date", "close", "volume").row(0) == (DAYS[9], 47.9, None)
    (row,) = rows("quarantine.prices").rows(named=True)
    assert row["rules"] == "volume:within"
    assert "volume: found 1e+12" in row["found"]


def test_crude_oil_fell_below_zero(settle: Any, rows: Any) -> None:
    """The bar of 2020-04-20 is staged, flagged, and no day after it is turned away."""
    lines = [line.rpartition(",")[0] + ",20,1" for line in _OIL.splitlines()]
    settle(*lines, name="CL=F.csv")
    staged = rows("staging.prices")
    assert staged["close"].to_list()[-2:] == [-37.63, 10.01]
    assert "jump" in (staged["flags"][-2] or "")
    assert rows("quarantine.prices").height == 0


def test_a_line_that_breaks_a_flag_is_staged_with_its_name(
    settle: Any, rows: Any
) -> None:
    """An open outside its range is said, and costs nothing."""
    day = DAYS[9]
    settle(*_plain("47.90")[:9], f"{day},47.5,48.0,47.6,47.9,47.9,999")
    assert rows("staging.prices")["flags"].to_list() == [None] * 9 + ["ohlc"]


def test_neighbours_before_the_partition_count(settle: Any, rows: Any) -> None:
    """The first session of a year is held against the last ones of the year before."""
    days = [date(2023, 12, 20) + timedelta(days=i) for i in (0, 1, 2, 6, 7, 8)]
    lines = [_bar(d, f"47.{i}0", str(900 + i)) for i, d in enumerate(days)]
    settle(*lines, _bar(date(2024, 1, 2), "99.00"))
    assert rows("quarantine.prices")["rules"].to_list() == ["jump"]
    assert rows("quarantine.prices")["date"].to_list() == [date(2024, 1, 2)]
