"""The US Treasury: tables whose null is a word, and a yield curve that grows columns."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from cbi_stream import SourceRefused, SourceUnavailable
from cbi_stream.words.errors import BadInput
from handlers.ingest.treasury import treasury, treasury_curve, treasury_table
from handlers.ingest.treasury_ask import treasury as asked
from tests.ingest.asking import answer, named, param, poll_of

REAL = {
    "country_currency_desc": "Brazil-Real",
    "exchange_rate": "5.434",
    "record_date": "2026-06-30",
}
BILLS = {"record_date": "2026-06-30", "security_type_desc": "Marketable",
         "security_desc": "Treasury Bills", "avg_interest_rate_amt": "4.123"}  # fmt: skip
CURVE = 'Date,"1 Mo","1.5 Month","2 Mo","30 Yr"\n'


def page(*rows: Any, following: str | None = None) -> dict[str, Any]:
    """Return a page of a table."""
    return {
        "data": list(rows),
        "meta": {"total-count": len(rows)},
        "links": {"next": following},
    }


def read(*rows: Any) -> list[tuple[Any, ...]]:
    """Return series, day and value of each row."""
    data = json.dumps(page(*rows)).encode()
    return treasury.parse(data, None).select("series", "date", "value").rows()


def test_rows_are_named_by_what_they_are_about() -> None:
    """In lower case, with strokes; numbers may be numbers."""
    day = date(2026, 6, 30)
    assert read(REAL, BILLS, {**REAL, "exchange_rate": 5.5}) == [
        ("exchange.brazil_real", day, "5.434"),
        ("interest.treasury_bills", day, "4.123"),
        ("exchange.brazil_real", day, "5.5"),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**BILLS, "avg_rate": "1", "avg_interest_rate_amt": None}, None),
        (
            {k: v for k, v in REAL.items() if k != "exchange_rate"},
            "exchange_rate or avg",
        ),
        (
            {k: v for k, v in REAL.items() if k != "record_date"},
            "the day under record_date",
        ),
        (
            {k: v for k, v in REAL.items() if k != "country_currency_desc"},
            "what it is about",
        ),
    ],
)
def test_a_missing_field_is_named(row: Any, said: str | None) -> None:
    """A renamed one is never a silently empty column."""
    if said is None:
        assert read(row)[0][2] == ""
        return
    with pytest.raises(BadInput, match=said):
        read(row)


def test_bad_cells_stay_with_their_problem() -> None:
    """The other rows go on."""
    bad = [{**REAL, "record_date": "30.06.2026"}, {**REAL, "exchange_rate": "n/a"}]
    rows = treasury.parse(json.dumps(page(REAL, BILLS, *bad)).encode(), None)
    assert [(p or "")[:4] for p in rows["problem"]] == ["", "", "date", "numb"]


@pytest.mark.parametrize(
    "text",
    [
        "record_date,country_currency_desc,exchange_rate\n2026-06-30,Brazil-Real,5.434\n",
        "Record Date,Country - Currency Description,Exchange Rate\n2026-06-30,Brazil-Real,5.434\n",
    ],
)
def test_an_exported_table_reads_like_a_page(text: str) -> None:
    """With the service's names, or with those of the site."""
    assert treasury_table.recognises(text.split("\n", maxsplit=1)[0])
    rows = treasury_table.parse(text.encode(), None)
    assert rows.select("series", "value", "line").rows() == [
        ("exchange.brazil_real", "5.434", 2)
    ]


def test_the_curve_has_a_series_for_each_maturity() -> None:
    """The month comes first; an empty cell is a maturity that is not issued."""
    text = CURVE + "07/14/2026,4.31,,4.30,4.95\n07/13/2026,4.30,N/A,4.29,4.94\n"
    assert treasury_curve.recognises(CURVE.strip())
    rows = treasury_curve.parse(text.encode(), None)
    assert rows.select("series", "date", "value", "line").rows()[:4] == [
        ("par_yield.1_mo", date(2026, 7, 14), "4.31", 2002),
        ("par_yield.1_5_mo", date(2026, 7, 14), "", 2003),
        ("par_yield.2_mo", date(2026, 7, 14), "4.30", 2004),
        ("par_yield.30_yr", date(2026, 7, 14), "4.95", 2005),
    ]
    assert rows["value"].to_list()[5] == ""


def test_another_curve_is_refused() -> None:
    """A page, another header, and lines that do not fit."""
    for text in ("<html></html>", "Date,Open\n", CURVE + "2026-07-14,1,2,3,4\n"):
        with pytest.raises(BadInput, match="expected"):
            treasury_curve.parse(text.encode(), None)


def test_pages_follow_the_end_of_an_address() -> None:
    """The link is no address; each page has its name, and a circle ends."""
    want = next(asked.wants(poll_of("treasury")))
    assert want.name == "treasury_rates_of_exchange.json"
    assert param(want, "filter") == "record_date:gte:2000-01-01"
    assert param(want, "fields") == "record_date,country_currency_desc,exchange_rate"
    following = "&page%5Bnumber%5D=2&page%5Bsize%5D=10000"
    (second,) = want.follow(answer(page(REAL, following=following)))
    assert second.name == "treasury_rates_of_exchange.2.json"
    assert param(second, "page[number]") == "2"
    assert list(second.follow(answer(page(REAL, following=following)))) == []
    assert list(second.follow(answer(page(REAL)))) == []


def test_each_year_of_the_curve_is_a_question() -> None:
    """Years that are over are asked once."""
    names = named(asked.wants(poll_of("treasury")))
    assert names[2:] == [f"par_yield_{year}.csv" for year in range(2000, 2027)]
    landed = {name: date(2026, 9, 1) for name in names}
    assert named(asked.wants(poll_of("treasury", landed=landed)))[2:] == [
        "par_yield_2026.csv"
    ]


def test_what_is_refused_is_said() -> None:
    """An error has its words; a page may pass; no rows are an empty answer."""
    want = next(asked.wants(poll_of("treasury")))
    error = {
        "error": "Invalid Query Param",
        "message": "Invalid query parameter 'sorts'",
    }
    with pytest.raises(SourceRefused, match=r"treasury: .*400.*'sorts'"):
        want.judge(answer(error, 400))
    with pytest.raises(SourceRefused, match="treasury: "):
        want.judge(answer({"rows": []}))
    with pytest.raises(SourceUnavailable, match="treasury: "):
        want.judge(answer(b"<html>"))
    assert want.judge(answer(page())) == "empty"
    assert want.judge(answer(page(REAL))) == "data"
