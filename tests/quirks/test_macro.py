"""Quirks of FRED and of the sources of rates, each as one test with its number."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cbi_stream import SourceUnavailable
from cbi_stream.doors import landing
from cbi_stream.doors.landing import Hint
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.engine.wave import run_wave
from cbi_stream.kernels.release import released_at
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock
from cbi_stream.words.errors import BadInput
from handlers.ingest.bcb import bcb
from handlers.ingest.bcb_ask import bcb as ask_bcb
from handlers.ingest.bls import bls
from handlers.ingest.bls_ask import bls as ask_bls
from handlers.ingest.fred import fred, fred_json
from handlers.ingest.fred_ask import fred as ask_fred
from handlers.ingest.treasury import treasury
from handlers.ingest.treasury_ask import treasury as ask_treasury
from tests.ingest.asking import answer, param, poll_of, registry

NOW = datetime(2024, 11, 3, 18, tzinfo=UTC)
Staged = Callable[..., pl.DataFrame]


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Return the project's handlers and parsers."""
    return discover(registry())


@pytest.fixture
def staged(tmp_path: Path, graph: Graph) -> Staged:
    """Return a function that takes a file in and returns what is staged of FRED."""
    lake = Lake.create(tmp_path / "lake", graph.registry, kind="real")

    def taken(name: str, content: Any, at: datetime = NOW) -> pl.DataFrame:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        file = tmp_path / name
        file.write_bytes(data)
        with clock.held_at(at):
            landing.drop(lake, file, Hint())
            (receipt,) = landing.take_in(lake, graph)
            assert receipt.taken, receipt.reason
            assert not run_wave(lake, graph, probing="off").failed
        table = lake.table("staging.fred")
        return table.read(table.head()[1].partitions.values()).sort(table.contract.key)

    return taken


def observed(start: str, end: str, *rows: tuple[str, str, str, str]) -> dict[str, Any]:
    """Return an answer of FRED over these days of its database."""
    names = ("realtime_start", "realtime_end", "date", "value")
    entries = [dict(zip(names, row, strict=True)) for row in rows]
    head = {"realtime_start": start, "realtime_end": end, "count": len(rows)}
    return {**head, "offset": 0, "observations": entries}


def test_quirk_2_a_plain_answer_says_no_release(staged: Staged) -> None:
    """Quirk 2: the days of a plain answer are those of the question, never a release."""
    day = "2024-10-30"
    rows = staged(
        "CPIAUCSL.json", observed(day, day, (day, day, "2020-01-01", "258.9"))
    )
    assert rows["basis"].to_list() == ["rule"]
    assert rows["knowable_at"].dt.date().to_list() == [date(2020, 2, 16)]


def test_quirk_3_the_first_vintage_is_no_release_of_its_history(staged: Staged) -> None:
    """Quirk 3: what the first vintage holds follows the rule; later ones are stamped."""
    first, open_end = "2014-05-01", "9999-12-31"
    rows = staged(
        "PPIACO.json",
        observed(
            "1776-07-04",
            open_end,
            (first, open_end, "1974-01-01", "47.6"),
            (first, "2014-08-14", "2014-03-01", "206"),
            ("2014-08-15", open_end, "2014-03-01", "207"),
        ),
    )
    found = rows.select(
        "date", "value", pl.col("knowable_at").dt.date(), "basis"
    ).rows()
    assert found == [
        (date(1974, 1, 1), 47.6, date(1974, 2, 17), "rule"),
        (date(2014, 3, 1), 206.0, date(2014, 4, 17), "rule"),
        (date(2014, 3, 1), 207.0, date(2014, 8, 16), "stamp"),
    ]


@pytest.mark.parametrize(
    ("day", "known"),
    [
        (date(2024, 4, 1), "2024-04-08T20:15"),
        (date(2024, 4, 5), "2024-04-08T20:15"),
        (date(2024, 1, 8), "2024-01-16T21:15"),
    ],
)
def test_quirk_4_the_rates_of_a_week_are_out_on_monday(day: date, known: str) -> None:
    """Quirk 4: H.10 of a Monday is known 7 days later; a holiday moves it to Tuesday."""
    rule = registry().data_sources.sources["fred"].release_of("DEXBZUS")
    assert rule is not None
    terms = rule.terms(registry().closures)
    out = pl.DataFrame({"date": [day]}).select(released_at(pl.col("date"), **terms))
    assert out.item().isoformat().startswith(known)


def test_quirk_27_more_than_2000_vintages_come_in_windows(staged: Staged) -> None:
    """Quirk 27: windows overlap by a day, and what was cut twice is one version."""
    days = [
        f"{y}-{m:02d}-{d:02d}"
        for y in range(2010, 2020)
        for m in range(1, 13)
        for d in range(1, 29)
    ]
    want = next(ask_fred.wants(poll_of("fred", "T10Y2Y", keyed=True)))
    told = {"count": len(days), "offset": 0, "vintage_dates": days}
    (count,) = want.follow(answer(told))
    assert (param(count, "realtime_start"), param(count, "realtime_end")) == (
        days[0],
        days[1999],
    )
    first, second, end = days[0], days[1999], "9999-12-31"
    early = observed(
        first,
        second,
        (first, "2012-01-04", "2009-12-01", "1"),
        ("2012-01-05", second, "2009-12-01", "2"),
    )
    late = observed(
        second,
        end,
        (second, end, "2009-12-01", "2"),
        ("2018-02-02", end, "2017-12-01", "3"),
    )
    for again in (early, late, early, late):
        rows = staged(f"T10Y2Y.{len(json.dumps(again))}.json", again)
    found = rows.select("date", "vintage", "value", "basis").rows()
    assert found == [
        (date(2009, 12, 1), 0, 1.0, "rule"),
        (date(2009, 12, 1), 1, 2.0, "stamp"),
        (date(2017, 12, 1), 0, 3.0, "stamp"),
    ]


@pytest.mark.parametrize("header", ["observation_date", "DATE"])
@pytest.mark.parametrize("missing", ["", "."])
def test_quirk_28_both_headers_and_both_gaps(header: str, missing: str) -> None:
    """Quirk 28: the first column's name changed; missing is empty or a point."""
    data = f"{header},DGS10\n2024-01-01,{missing}\n2024-01-02,3.95\n".encode()
    assert fred.parse(data, "DGS10")["value"].to_list() == [missing, "3.95"]
    for other in (b"<!DOCTYPE html><html>", b"PK\x03\x04\x14\x00\x00\x00\x00"):
        with pytest.raises(BadInput, match="expected"):
            fred.parse(other, "DGS10")


def test_quirk_33_bls_says_done_where_it_is_not() -> None:
    """Quirk 33: an unknown series is no empty success; M13 and - are no months' values."""
    rows = [
        {"year": "2025", "period": p, "value": v, "footnotes": [{}]}
        for p, v in (("M13", "1"), ("M10", "-"))
    ]
    done = {
        "status": "REQUEST_SUCCEEDED",
        "message": [],
        "Results": {"series": [{"seriesID": "CUUR0000SA0", "data": rows}]},
    }
    found = (
        bls.parse(json.dumps(done).encode(), None)
        .select("series", "date", "value")
        .rows()
    )
    assert found == [
        ("CUUR0000SA0.annual", date(2025, 1, 1), "1"),
        ("CUUR0000SA0", date(2025, 10, 1), ""),
    ]
    want = next(ask_bls.wants(poll_of("bls", "WPU027")))
    unknown = {**done, "message": ["Series does not exist for Series WPU027"]}
    unknown["Results"] = {"series": [{"seriesID": "WPU027", "data": []}]}
    with pytest.raises(Exception, match="does not exist for Series WPU027"):
        want.judge(answer(unknown))


def test_quirk_34_null_is_a_word() -> None:
    """Quirk 34: the string null of Fiscal Data is a missing value."""
    row = {
        "record_date": "2026-06-30",
        "country_currency_desc": "Brazil-Real",
        "exchange_rate": "null",
    }
    found = treasury.parse(json.dumps({"data": [row]}).encode(), None)
    assert found.select("value", "problem").rows() == [("", None)]


def test_quirk_36_ten_years_and_the_day_first() -> None:
    """Quirk 36: longer windows are split, an object is an error, 18/01 is in January."""
    spans = [
        (param(w, "dataInicial"), param(w, "dataFinal"))
        for w in ask_bcb.wants(poll_of("bcb", "432"))
    ]
    assert all(int(str(b)[-4:]) - int(str(a)[-4:]) < 10 for a, b in spans)
    assert bcb.parse(b'[{"data":"18/01/2021","valor":"5.1234"}]', "1").row(0)[:3] == (
        "1",
        date(2021, 1, 18),
        "5.1234",
    )
    with pytest.raises(BadInput, match="found"):
        bcb.parse(b'{"erro":{"detail":"x"}}', "1")


PAGE = b"<!DOCTYPE html><html><title>Maintenance</title></html>"


@pytest.mark.parametrize("source", ["fred", "fred keyed", "bls", "treasury", "bcb"])
def test_quirk_40_a_page_with_200_is_never_data(source: str) -> None:
    """Quirk 40: a web page is refused with the source named, and no parser reads it."""
    asked = {"fred": ask_fred, "bls": ask_bls, "treasury": ask_treasury, "bcb": ask_bcb}
    name, _, keyed = source.partition(" ")
    want = next(iter(asked[name].wants(poll_of(name, keyed=bool(keyed)))))
    with pytest.raises(SourceUnavailable, match=f"{name}: .*expected"):
        want.judge(answer(PAGE))
    for parser in (fred, fred_json, bls, treasury, bcb):
        with pytest.raises(BadInput, match="expected"):
            parser.parse(PAGE, "X")
