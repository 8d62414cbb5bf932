"""Brazil's central bank: the day first, a point in JSON, a comma in CSV."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from cbi_stream import SourceRefused, SourceUnavailable
from cbi_stream.words.errors import BadInput
from handlers.ingest.bcb import bcb, bcb_csv
from handlers.ingest.bcb_ask import bcb as asked
from tests.ingest.asking import answer, param, poll_of

TWO = [{"data": "18/01/2021", "valor": "5.1234"}, {"data": "19/01/2021", "valor": ""}]


def test_days_come_first_in_dates() -> None:
    """An empty value is a missing one; a period's end, where it is given, is passed over."""
    more = [{"valor": "5.2", "dataFim": "31/01/2021", "data": "01/02/2021"}]
    data = json.dumps([*TWO, *more]).encode()
    assert bcb.recognises(data.decode())
    rows = bcb.parse(data, "1")
    assert rows.select("series", "date", "value").rows() == [
        ("1", date(2021, 1, 18), "5.1234"),
        ("1", date(2021, 1, 19), ""),
        ("1", date(2021, 2, 1), "5.2"),
    ]


@pytest.mark.parametrize("code", ["utf-8", "latin-1"])
def test_csv_has_a_decimal_comma(code: str) -> None:
    """It gives the same rows as JSON, whatever a remark in it is written in."""
    text = '"data";"valor"\r\n"18/01/2021";"5,1234"\r\n# não\r\n"19/01/2021";""\r\n'
    assert bcb_csv.recognises('"data";"valor"')
    rows = bcb_csv.parse(text.encode(code), "1")
    assert rows.select("series", "date", "value", "line").rows() == [
        ("1", date(2021, 1, 18), "5.1234", 2),
        ("1", date(2021, 1, 19), "", 4),
    ]


def test_bad_rows_stay_with_their_problem() -> None:
    """A month first, and a number with a comma in JSON, are no values."""
    bad = [{"data": "01/18/2021", "valor": "1"}, {"data": "20/01/2021", "valor": "5,1"}]
    rows = bcb.parse(json.dumps([*TWO, *bad]).encode(), "1")
    assert [(p or "")[:5] for p in rows["problem"]] == ["", "", "date:", "numbe"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"error": "x"}, "expected .* found"),
        ([{"data": "18/01/2021", "value": "1"}], "under valor"),
        ([{"dia": "18/01/2021", "valor": "1"}], "under data"),
        ([{"data": "x", "valor": "1"}], "1 of 1 entries"),
    ],
)
def test_another_shape_is_refused(content: Any, said: str) -> None:
    """An object is an error in disguise; a renamed field is named."""
    with pytest.raises(BadInput, match=said):
        bcb.parse(json.dumps(content).encode(), "1")
    with pytest.raises(BadInput, match=r"name the file like bcb_sgs_1\.json"):
        bcb.parse(json.dumps(TWO).encode(), None)


def test_each_question_spans_ten_years_at_most() -> None:
    """They meet without a gap, and end today."""
    wants = list(asked.wants(poll_of("bcb", "1")))
    spans = [(param(w, "dataInicial"), param(w, "dataFinal")) for w in wants]
    assert spans == [
        ("01/01/2000", "31/12/2009"),
        ("01/01/2010", "31/12/2019"),
        ("01/01/2020", "15/07/2026"),
    ]
    assert wants[0].name == "bcb_sgs_1_2000_2009.json"
    assert wants[0].url.endswith("bcdata.sgs.1/dados")


def test_a_series_that_is_known_may_have_nothing() -> None:
    """404 means both: for what was never held it is a refusal."""
    nothing = answer({"erro": {"detail": "Value(s) not found"}}, 404)
    (*_, want) = asked.wants(poll_of("bcb", "1"))
    with pytest.raises(SourceRefused, match=r"bcb: 1: .*404.*not found"):
        want.judge(nothing)
    landed = {"bcb_sgs_1_2010_2019.json": date(2026, 7, 1)}
    (*_, want) = asked.wants(poll_of("bcb", "1", landed=landed))
    assert want.judge(nothing) == "empty"
    assert want.judge(answer([])) == "empty"
    assert want.judge(answer(TWO)) == "data"


def test_refusals_and_trouble_are_told_apart() -> None:
    """A window that is too long, an object with 200; a page at night may pass."""
    (want, *_) = asked.wants(poll_of("bcb", "1"))
    for content, status in (({"error": "janela"}, 406), ({"error": "x"}, 200)):
        with pytest.raises(SourceRefused, match="bcb: 1"):
            want.judge(answer(content, status))
    with pytest.raises(SourceUnavailable, match="bcb: 1"):
        want.judge(answer(b"<html>manutencao</html>"))
