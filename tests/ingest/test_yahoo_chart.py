"""Yahoo's charts and the questions for them, without a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cbi_stream.registry import loader
from cbi_stream.registry.sources import Source
from cbi_stream.shapes.connector import Answer, Poll, Want
from cbi_stream.words.errors import BadInput, SourceRefused, SourceUnavailable
from handlers.ingest.yahoo_ask import yahoo as asking
from handlers.ingest.yahoo_chart import yahoo_chart
from tests.quirks import charts

TODAY = date(2026, 6, 5)
ROWS = ((charts.MIDNIGHT, 50.0), (charts.SHORT_DAY, 60.0))


@pytest.fixture(scope="module")
def source() -> Source:
    """Return the entry of Yahoo in the project's registry."""
    folder = Path(__file__).resolve().parents[2] / "registry"
    return loader.load(folder).data_sources.sources["yahoo"]


def asked(source: Source, **known: object) -> list[Want]:
    """Return the questions of a poll."""
    return list(asking.wants(Poll(source, TODAY, **known)))  # type: ignore[arg-type]


def said(data: bytes, status: int = 200) -> Answer:
    """Return an answer with these bytes."""
    at = datetime(2026, 6, 5, tzinfo=UTC)
    return Answer("https://query2/x", status, "application/json", at, data)


def test_each_of_55_symbols_is_one_question(source: Source) -> None:
    """A question names Yahoo's symbol in its address, and ours as what it is about."""
    wants = asked(source)
    assert len({want.name for want in wants}) == len(wants) == 55
    by_key = {want.key: want for want in wants}
    assert (
        by_key["ZL"].url == "https://query2.finance.yahoo.com/v8/finance/chart/ZL%3DF"
    )
    assert by_key["GSPC"].url.endswith("/%5EGSPC")
    assert by_key["DXY"].url.endswith("/DX-Y.NYB")
    assert by_key["EURUSD"].name == "EURUSD=X.json"
    assert dict(by_key["ADM"].params)["interval"] == "1d"


def test_history_comes_first_and_ten_days_later_on(source: Source) -> None:
    """The first poll asks from 2000 on, the next one from ten days before the last."""

    def begins(want: Want) -> date:
        return datetime.fromtimestamp(int(dict(want.params)["period1"]), UTC).date()

    first = asked(source)[0]
    later = asked(source, landed={first.name: date(2026, 6, 4)})[0]
    whole = asked(source, landed={first.name: date(2026, 6, 4)}, whole=True)[0]
    found = [begins(want) for want in (first, later, whole)]
    assert found == [date(2000, 1, 1), date(2026, 5, 25), date(2000, 1, 1)]
    assert (
        int(dict(later.params)["period2"])
        > datetime(2026, 6, 6, tzinfo=UTC).timestamp()
    )


def test_after_a_split_the_whole_past_is_asked(source: Source) -> None:
    """A split rescales all earlier prices; once the past is asked for, it is enough."""
    name = asked(source)[0].name
    later = asked(source, landed={name: date(2026, 6, 4)})[0]
    split = {"splits": {"1": {"date": 1, "splitRatio": "2:1"}}}
    answer = said(charts.chart(*ROWS, events=split))
    (again,) = later.follow(answer)
    assert (again.name, dict(again.params)["period1"]) == (name, "946684800")
    assert list(again.follow(answer)) == []
    assert list(later.follow(said(charts.chart(*ROWS)))) == []


def test_a_host_that_is_out_has_a_neighbour(source: Source) -> None:
    """After a 503 of query2 the same is asked of query1, which is the last way."""
    want = asked(source)[0]
    out = said(b"<html>Will be right back", 503)
    assert want.judge(out) == "empty"
    (other,) = want.follow(out)
    assert other.url == want.url.replace("query2", "query1")
    assert (other.name, other.params) == (want.name, want.params)
    assert 503 in want.accept
    assert 503 not in other.accept


@pytest.mark.parametrize(
    ("data", "status", "error"),
    [
        (charts.unknown(), 404, SourceRefused),
        (charts.answer(None, {"code": "Unprocessable Entity", "description": "15m"}), 422,
         SourceRefused),
        (b'{"chart":null}', 200, SourceUnavailable),
        (b"not json", 400, SourceUnavailable),
        (b"[1]", 200, SourceUnavailable),
        (charts.answer(None), 200, SourceUnavailable),
        (charts.chart(*ROWS).replace(b'"timestamp"', b'"stamps"'), 200, SourceRefused),
    ],
)  # fmt: skip
def test_a_refusal_is_told_from_trouble(
    source: Source, data: bytes, status: int, error: type[Exception]
) -> None:
    """What asking again cannot mend is refused; what it may is unavailable."""
    with pytest.raises(error):
        asked(source)[0].judge(said(data, status))


def test_bars_and_none_are_told_apart(source: Source) -> None:
    """A chart with stamps is data, one without is a true answer that there is nothing."""
    judge: Callable[[Answer], str] = asked(source)[0].judge
    assert judge(said(charts.chart(*ROWS))) == "data"
    assert judge(said(charts.without_rows())) == "empty"


def test_cells_are_the_numbers_of_the_answer() -> None:
    """Binary noise stays; a small rate is written without an exponent."""
    data = charts.chart(
        (charts.MIDNIGHT, 3957.050048828125), (charts.SHORT_DAY, 4.2e-05)
    )
    found = yahoo_chart.parse(data, "JPYUSD")
    assert found["close"].to_list() == ["3957.050048828125", "0.000042"]
    assert found["volume"].to_list() == ["1000", "1000"]


def test_the_answer_names_its_symbol() -> None:
    """Whatever the file is called, it says which symbol it is about."""
    head = charts.chart(*ROWS, symbol="^GSPC").decode()
    assert yahoo_chart.recognises(head)
    assert yahoo_chart.key_of(head) == "^GSPC"
    assert not yahoo_chart.recognises('{"observations": []}')


def test_an_index_is_stamped_at_its_own_opening() -> None:
    """8:30 in Chicago is how each bar of the VIX is stamped: the last one is not live."""
    opening = [
        int(datetime(2024, 1, d, 14, 30, tzinfo=UTC).timestamp()) for d in (3, 4)
    ]
    data = charts.chart(*((s, 13.5) for s in opening), zone="America/Chicago")
    assert yahoo_chart.parse(data, "VIX")["live"].to_list() == [False, False]


@pytest.mark.parametrize(
    ("old", "renamed", "message"),
    [
        ('"close"', '"closing"', "expected the field 'close' in quote"),
        ('"timestamp"', '"stamps"', "expected the field 'timestamp'"),
        ('"meta"', '"about"', "expected the field 'meta'"),
        ('"chart"', '"graph"', "expected the field 'chart'"),
        ('"1d"', '"1mo"', "found bars of 1mo"),
        (charts.NEW_YORK, "America/Gotham", "expected a time zone's name"),
        ("[50.0, 60.0]", "[50.0]", "expected 2 entries"),
    ],
)
def test_a_chart_of_another_shape_is_refused(
    old: str, renamed: str, message: str
) -> None:
    """What was renamed, cut or asked for wrongly is named; no column is left empty."""
    text = charts.chart(*ROWS).decode()
    assert old in text
    with pytest.raises(BadInput, match=message):
        yahoo_chart.parse(text.replace(old, renamed, 1).encode(), "ZL")


def test_an_error_is_no_chart() -> None:
    """A dropped answer that holds an error is refused with the site's words."""
    with pytest.raises(BadInput, match="delisted"):
        yahoo_chart.parse(charts.unknown(), "ZL")


def test_numbers_as_strings_and_fields_in_another_order_read_the_same() -> None:
    """Neither says anything else."""
    plain = json.loads(charts.chart(*ROWS))
    result = plain["chart"]["result"][0]
    quote = result["indicators"]["quote"][0]
    told = {
        **result,
        "timestamp": [str(stamp) for stamp in result["timestamp"]],
        "indicators": {
            "quote": [{n: [str(c) for c in cells] for n, cells in quote.items()}],
            "adjclose": result["indicators"]["adjclose"],
        },
    }
    backwards = dict(reversed(list(told.items())))
    first = yahoo_chart.parse(charts.chart(*ROWS), "ZL")
    again = yahoo_chart.parse(charts.answer(backwards), "ZL")
    assert again.equals(first)


def test_a_question_does_not_change_from_day_to_day(source: Source) -> None:
    """The name of a question is the same tomorrow: the journal knows it by that."""
    today = [want.name for want in asked(source)]
    tomorrow = asking.wants(replace(Poll(source, TODAY), today=date(2026, 6, 8)))
    assert [want.name for want in tomorrow] == today
