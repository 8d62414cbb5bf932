"""Policy files, dropped and brought into staging. Real files stay beside the project.

What is asked of the real files stands in the notes that came with them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.landing import Hint, Receipt
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "real"
needs_real = pytest.mark.skipif(
    not REAL.is_dir(), reason="no real files beside the project"
)
SEEN = datetime(2026, 8, 1, 12, tzinfo=UTC)
Rows = Callable[[str], pl.DataFrame]
EVENTS = (
    "event,announced_at,effective_on,kind,jurisdiction,counterparty,product,"
    "rate_percent,summary,citation"
)
RATES = "series,effective_date,value,unit,announced_at,citation"
DESK = "series,date,value,unit,published_at,citation"


def _file(*lines: str) -> bytes:
    return "\n".join([*lines, ""]).encode()


@pytest.fixture
def taken(lake: Lake, graph: Graph) -> Callable[[str], Receipt]:
    """Return a function that hands in one real file."""

    def take(name: str) -> Receipt:
        path = REAL / name
        landing.drop(lake, path, Hint(as_of=SEEN))
        (receipt,) = landing.take_in(lake, graph, names={path.name})
        return receipt

    return take


@pytest.fixture
def settle(lake: Lake, graph: Graph) -> Callable[[], None]:
    """Return a function that brings every table up to date."""
    return lambda: run_wave(lake, graph, probing="off")


@needs_real
def test_the_old_excel_file_of_daily_risk_is_read_whole(taken: Any, rows: Rows) -> None:
    """14,833 days to 2025-08-11, the highest 1045.6 on 2001-09-25; no label is a day."""
    receipt = taken("gpr/data_gpr_daily_recent.xls.gz")
    assert (receipt.source, receipt.lines, receipt.unreadable) == ("gpr", 4 * 14_833, 0)
    risk = rows("raw.gpr").filter(pl.col("series") == "gprd")
    assert (risk["date"].min(), risk["date"].max()) == (
        date(1985, 1, 1),
        date(2025, 8, 11),
    )
    highest = risk.with_columns(pl.col("value").cast(pl.Float64)).sort("value")[-1]
    assert highest["date"][0] == date(2001, 9, 25)
    assert round(highest["value"][0], 1) == 1045.6


@needs_real
@pytest.mark.parametrize(
    ("name", "source", "series", "facts"),
    [
        ("epu/All_Daily_Policy_Data.csv", "epu", "us.daily", (14_835, 1026.38, 0)),
        (
            "tpu/All_Daily_TPU_Data.csv",
            "tpu",
            "daily_tpu_index",
            (15_144, 8031.73, 535),
        ),
    ],
)
def test_daily_files_are_told_apart_and_staged(
    taken: Any, settle: Any, rows: Rows, name: str, source: str, series: str, facts: Any
) -> None:
    """Each day is knowable two days later; a zero is a value."""
    receipt = taken(name)
    assert (receipt.source, receipt.unreadable) == (source, 0)
    settle()
    staged = rows(f"staging.{source}").filter(pl.col("series") == series)
    zeros = staged.filter(pl.col("value") == 0.0).height
    assert (staged.height, staged["value"].max(), zeros) == facts
    day = staged.filter(pl.col("date") == date(2001, 9, 17))
    known = datetime(2001, 9, 19, 10, tzinfo=UTC)
    assert day.select("knowable_at", "basis").row(0) == (known, "rule")


@needs_real
def test_the_list_of_tariff_days_is_refused_with_its_reason(taken: Any) -> None:
    """Some of its days are wrong, and none says what it is the day of."""
    receipt = taken("policy_events/tarrifs.csv")
    assert (receipt.end, receipt.source) == ("quarantine", "tariff_events")
    assert "does not say which of the two it is" in receipt.reason
    assert EVENTS in receipt.reason


def test_a_file_of_one_index_under_the_other_s_name_waits(drop: Any) -> None:
    """The header is that of policy uncertainty, the name says trade: a person decides."""
    data = _file("day,month,year,daily_policy_index", "1,1,2024,5.0")
    receipt = drop(data, "All_Daily_TPU_Data.csv")
    assert receipt.end == "waiting"
    assert "the header is that of epu" in receipt.reason


def test_events_and_documents_meet_in_one_table(
    drop: Any, settle: Any, rows: Rows
) -> None:
    """A person's event, its correction in a later file, and two documents of a day."""
    line = (
        "cn-34,2025-04-04T18:00+08:00,2025-04-10,retaliation,china,us,goods,{},x,No. 4"
    )
    assert drop(_file(EVENTS, line.format(44)), "tariff_events.csv").end == "archive"
    assert drop(_file(EVENTS, line.format(34)), "tariff_events_2.csv").stored == 1
    document = {
        "publication_date": "2025-04-07",
        "title": "t",
        "type": "Notice",
        "html_url": "https://example.org/x",
    }
    found = [document | {"document_number": f"2025-{n}"} for n in (1, 2)]
    answer = json.dumps({"count": 2, "results": found}).encode()
    receipt = drop(answer, "federal_register_section_301.json")
    assert (receipt.source, receipt.key, receipt.lines) == (
        "federal_register",
        "section_301",
        2,
    )
    settle()
    staged = rows("staging.events")
    assert staged.select("event", "vintage", "rate_percent").rows() == [
        ("2025-1", 0, None),
        ("2025-2", 0, None),
        ("cn-34", 0, 44.0),
        ("cn-34", 1, 34.0),
    ]
    published = datetime(2025, 4, 7, 12, 45, tzinfo=UTC)
    counted = rows("staging.documents")
    assert counted.select("series", "value", "knowable_at").rows() == [
        ("section_301", 2.0, published)
    ]


def test_rates_and_desk_numbers_are_staged_from_their_stamps(
    drop: Any, settle: Any, rows: Rows
) -> None:
    """A number in a unit that is not the registered one stays in raw, unused."""
    rates = _file(
        RATES,
        "indonesia.biodiesel_blend,2025-01-01,40,percent,2024-12-31T17:00+07:00,ESDM",
        "indonesia.biodiesel_blend,2023-02-01,35,percent,2022-12-16T17:00+07:00,ESDM",
    )
    assert drop(rates, "policy_rates.csv").end == "archive"
    desk = _file(
        DESK,
        "china.crush_margin,2025-01-02,-120,CNY per tonne,2025-01-03T09:00Z,broker",
        "china.crush_margin,2025-01-03,-16,USD per tonne,2025-01-04T09:00Z,broker",
    )
    assert drop(desk, "desk.csv").end == "archive"
    settle()
    blend = rows("staging.policy_rates").select("date", "value", "knowable_at", "basis")
    assert blend.rows() == [
        (date(2023, 2, 1), 35.0, datetime(2022, 12, 16, 10, tzinfo=UTC), "stamp"),
        (date(2025, 1, 1), 40.0, datetime(2024, 12, 31, 10, tzinfo=UTC), "stamp"),
    ]
    staged = rows("staging.desk").select("series", "value", "unit")
    assert staged.rows() == [
        ("china.crush_margin_cny_per_tonne", -120.0, "CNY per tonne")
    ]
    assert rows("quarantine.desk").height == 0
