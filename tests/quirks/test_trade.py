"""Quirks of trade, palm oil and the Pink Sheet, one test each. No file is a source's own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from cbi_stream import BadInput, SourceRefused, SourceUnavailable
from cbi_stream.registry.loader import Registry
from cbi_stream.replay.sites import worldbank
from cbi_stream.replay.sites.worldbank import SITE
from cbi_stream.replay.xlsx import workbook
from cbi_stream.shapes.connector import Answer
from handlers.ingest.comexstat import comexstat
from handlers.ingest.comtrade import asked as ask_comtrade
from handlers.ingest.comtrade import comtrade
from handlers.ingest.gacc import gacc
from handlers.ingest.mpob import mpob
from handlers.ingest.pinksheet import asked as ask_pinksheet
from handlers.ingest.pinksheet import judged, pinksheet
from tests.ingest.polls import first_of, poll_of

NAMES = list(worldbank._NAMES)
UNITS = [unit for unit, _, _ in worldbank._NAMES.values()]


def sheet(
    *months: tuple[str, list[Any]], names: list[str] = NAMES, units: Any = UNITS
) -> bytes:
    """Return a Pink Sheet with these months."""
    rows: list[list[Any]] = [["World Bank Commodity Price Data (The Pink Sheet)"], []]
    rows += [["Updated on November 04, 2025"], [None, *names], [None, *units]]
    rows += [[month, *cells] for month, cells in months]
    return workbook({"Monthly Prices": rows})


def answered(data: bytes, url: str = "https://example.org") -> Answer:
    """Return an answer of 2025-11-20."""
    now = datetime(2025, 11, 20, 12, tzinfo=UTC)
    return Answer(url, 200, "application/json", now, data)


def test_a_workbook_that_nobody_keeps_up_is_a_failure(registry: Registry) -> None:
    """Quirk 8: status 200 with a newest month older than 75 days fails.

    The old address goes on answering; what was taken before stays.
    """
    cells = [1.5] * len(NAMES)
    assert judged(answered(sheet(("2025M10", cells)))) == "data"
    with pytest.raises(
        SourceUnavailable, match=r"the newest is 2025-08: .* not kept up"
    ):
        judged(answered(sheet(("2025M07", cells), ("2025M08", cells))))
    want = first_of(ask_pinksheet.wants(poll_of(registry, "pinksheet")))
    assert not want.lands
    page = b'<a href="https://thedocs.worldbank.org/en/doc/x-0350012021/related/CMO-Historical-Data-Monthly.xlsx">'
    (linked,) = want.follow(answered(page))
    assert linked.url.endswith("/x-0350012021/related/CMO-Historical-Data-Monthly.xlsx")
    (pinned,) = want.follow(answered(b"<html>moved</html>"))
    assert (
        pinned.url == registry.data_sources.sources["pinksheet"].fetch.options["pinned"]
    )
    assert linked.judge is pinned.judge is judged


def test_names_are_found_by_their_beginning() -> None:
    """Quirk 8: footnotes and blanks do not hide a name, and palm kernel oil is no palm oil."""
    names = [f"{n} **" if n == "Soybean oil" else n for n in NAMES]
    cells: list[Any] = list(range(len(names)))
    cells[names.index("Sunflower oil")] = "…"
    cells[names.index("Maize")] = ".."
    rows = pinksheet.parse(sheet(("2025M10", cells), names=names), None)
    found = dict(rows.select("series", "value").rows())
    assert found["soybean_oil"] == str(NAMES.index("Soybean oil"))
    assert found["palm_oil"] == str(NAMES.index("Palm oil"))
    assert found["palm_kernel_oil"] == str(NAMES.index("Palm kernel oil"))
    assert found["sunflower_oil"] == found["maize"] == ""
    renamed = ["Soya oil" if n == "Soybean oil" else n for n in NAMES]
    with pytest.raises(BadInput, match="expected one column 'soybean oil'; found 0"):
        pinksheet.parse(sheet(("2025M10", cells), names=renamed), None)
    kilograms = [
        "($/kg)" if n == "Soybean oil" else u for n, u in zip(NAMES, UNITS, strict=True)
    ]
    with pytest.raises(
        BadInput, match=r"'soybean oil' in \(\$/mt\); found '\(\$/kg\)'"
    ):
        pinksheet.parse(sheet(("2025M10", cells), units=kilograms), None)


def test_only_the_newest_month_has_the_workbook_s_day() -> None:
    """Quirk 8: the day of the update says nothing of months that were out before."""
    cells = [1.5] * len(NAMES)
    months = [(f"2025M{m:02d}", cells) for m in range(1, 11)]
    rows = pinksheet.parse(sheet(*months), None).filter(pl.col("series") == "maize")
    stamps = rows.select("stamp", "loaded").rows()
    assert stamps[:6] == [(None, None)] * 6
    assert [loaded for _, loaded in stamps[6:]] == [True, True, True, False]
    assert stamps[-1][0].date() == date(2025, 11, 5), "the end of that day in New York"


MONTHS = (
    "JAN", "FEB", "MAR", "APR", "MAY", "JUNE", "JULY", "AUG", "SEP", "OCT", "NOV", "DEC",
)  # fmt: skip


def table(total: str, *values: Any, title: str = "2023") -> bytes:
    """Return an MPOB table of exports, tonnes of one product and its value."""
    rows = [
        [f"MONTHLY EXPORT OF OIL PALM PRODUCTS - {title}"],
        [],
        ["PRODUCT", "UNIT", *MONTHS, total],
        ["CPO", "Tonnes", *values, sum(values)],
        [None, "RM Mil", *([1.5] * 8), 0, 0, 0, 0, 12],
    ]
    return workbook({"Sheet1": rows})


def test_a_month_that_is_not_published_is_missing_and_not_zero() -> None:
    """Quirk 11: zeros after the month of `JAN - AUG` are no numbers; a zero before is."""
    rows = mpob.parse(table("JAN - AUG", 5, 6, 0, 8, 9, 10, 11, 12, 0, 0, 0, 0), None)
    tonnes = rows.filter(pl.col("series") == "exports.cpo.tonnes").sort("date")
    assert tonnes["value"].to_list() == ["5", "6", "0", "8", "9", "10", "11", "12"]
    assert tonnes["date"].max() == date(2023, 8, 1)
    ringgit = rows.filter(pl.col("series") == "exports.cpo.rm_million")
    assert ringgit.height == 8, "the product stands on the first of its two rows only"


def test_a_figure_after_the_last_published_month_is_told() -> None:
    """Quirk 11: where the label and the cells disagree, nobody guesses which is right."""
    rows = mpob.parse(table("JAN - JUNE", 5, 6, 7, 8, 9, 10, 11, 0, 0, 0, 0, 0), None)
    bad = rows.filter(pl.col("problem").is_not_null())
    assert bad["problem"][0].startswith(
        "month: expected figures up to 2023-06; found 11"
    )
    with pytest.raises(BadInput, match="expected a total like JAN - AUG"):
        mpob.parse(table("SUM", *range(12)), None)


ROW = {
    "freqCode": "M", "period": "202401", "reporterCode": 156, "flowCode": "M",
    "partnerCode": 76, "partner2Code": 0, "cmdCode": "1507", "customsCode": "C00",
    "motCode": 0, "qtyUnitCode": 8, "qty": 1100.0, "netWgt": 1000.0, "primaryValue": 950.5,
}  # fmt: skip


def trade(*changed: dict[str, Any]) -> bytes:
    """Return a Comtrade answer with a row for each dictionary of changed fields."""
    rows = [ROW | each for each in changed]
    said = {"elapsedTime": "0.2 secs", "count": len(rows), "data": rows, "error": ""}
    return json.dumps(said).encode()


@pytest.mark.parametrize(
    "apart", [{"motCode": 2100}, {"customsCode": "C01"}, {"partner2Code": 392}]
)
def test_rows_that_are_broken_down_are_never_summed(
    registry: Registry, apart: dict[str, Any]
) -> None:
    """Quirk 19: one total stands beside its parts; the parts are turned away, and asked out."""
    rows = comtrade.parse(trade({}, {"period": "202402"}, apart), None)
    good = rows.filter(pl.col("problem").is_null())
    assert good["series"].to_list() == ["156.M.1507.76.kg", "156.M.1507.76.usd"] * 2
    assert good["value"].to_list()[:2] == ["1000.0", "950.5"]
    (problem,) = rows["problem"].drop_nulls().to_list()
    assert problem.startswith("broken_down: expected motCode 0, customsCode C00")
    for want in ask_comtrade.wants(poll_of(registry, "comtrade")):
        asked = dict(want.params)
        assert (asked["motCode"], asked["customsCode"], asked["partner2Code"]) == (
            "0",
            "C00",
            "0",
        )


def test_a_year_is_no_month_and_no_weight_is_no_zero() -> None:
    """Quirk 19: annual rows are turned away; without a net weight kilograms of `qty` count."""
    rows = comtrade.parse(
        trade(
            {"netWgt": None},
            {"netWgt": 0, "period": "202402", "qtyUnitCode": 5},
            {"freqCode": "A", "period": "2024"},
        ),
        None,
    )
    kilograms = rows.filter(pl.col("series").str.ends_with(".kg"))
    assert kilograms["value"].to_list() == ["1100.0", ""]
    assert rows["problem"].drop_nulls().to_list() == [
        "period: expected a month like 202401; found 2024"
    ]


def test_an_answer_that_was_cut_is_seen(registry: Registry) -> None:
    """Quirk 19: 500 rows without a key are the first 500 of nobody knows how many."""
    full = trade(*[{"partnerCode": n} for n in range(500)])
    with pytest.raises(BadInput, match="fewer than 500 rows"):
        comtrade.parse(full, None)
    want = first_of(ask_comtrade.wants(poll_of(registry, "comtrade")))
    assert "preview" in want.url
    with pytest.raises(SourceRefused, match="fewer than 500 rows"):
        want.judge(answered(full, want.url))
    short = json.loads(trade({}, {})) | {"count": 3}
    with pytest.raises(BadInput, match="`data` with 3 rows, as `count` says; found 2"):
        comtrade.parse(json.dumps(short).encode(), None)


def test_no_trade_is_an_empty_success(registry: Registry) -> None:
    """Quirk 38: `data:[]` with status 200 fails nothing."""
    want = first_of(ask_comtrade.wants(poll_of(registry, "comtrade")))
    assert want.judge(answered(trade())) == "empty"
    assert want.judge(answered(trade({}))) == "data"
    with pytest.raises(SourceRefused, match=r"comtrade: .*Reporter"):
        want.judge(answered(b'{"data":[],"error":"Reporter is invalid"}'))


def test_a_page_under_a_known_name_is_no_data() -> None:
    """Quirk 40: HTML for a workbook or a table is refused, with nothing written."""
    page = b"<!DOCTYPE html><html><body>The resource has been removed</body></html>"
    for parser in (pinksheet, mpob):
        with pytest.raises(BadInput, match="expected an Excel file"):
            parser.parse(page, None)
    for parser in (comtrade, comexstat, gacc):
        assert not parser.recognises(page.decode())
    with pytest.raises(BadInput, match="expected JSON"):
        comtrade.parse(page, None)
    assert SITE.hosts
