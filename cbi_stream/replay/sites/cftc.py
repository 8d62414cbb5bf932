"""The CFTC's portal (Socrata) and its yearly archives: four reports of twenty markets.

It never shows a week before its Friday, and never mixes futures only with options.

What is odd about the source, and kept: every number is a string; a null cell is an
absent key; column names are cut, doubled in their underscores and misspelt; codes carry
a trailing blank; the archive's text is padded with blanks and has a lone point for null.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from cbi_stream.replay import releases, shelf
from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    in_header,
    json_reply,
    no_such_page,
    text_reply,
)
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World

_LEGACY: Final = (
    "open_interest_all", "noncomm_positions_long_all", "noncomm_positions_short_all",
    "noncomm_postions_spread_all", "comm_positions_long_all", "comm_positions_short_all",
    "tot_rept_positions_long_all", "tot_rept_positions_short",
    "nonrept_positions_long_all", "nonrept_positions_short_all", "traders_tot_all",
)  # fmt: skip
_DISAGGREGATED: Final = (
    "open_interest_all", "prod_merc_positions_long", "prod_merc_positions_short",
    "swap_positions_long_all", "swap__positions_short_all", "swap__positions_spread_all",
    "m_money_positions_long_all", "m_money_positions_short_all",
    "m_money_positions_spread", "other_rept_positions_long",
    "other_rept_positions_short", "other_rept_positions_spread",
    "tot_rept_positions_long_all", "tot_rept_positions_short",
    "nonrept_positions_long_all", "nonrept_positions_short_all", "traders_tot_all",
    "traders_m_money_long_all", "traders_m_money_short_all",
)  # fmt: skip
_LEGACY_TEXT: Final = (
    "Open Interest (All)", "Noncommercial Positions-Long (All)",
    "Noncommercial Positions-Short (All)", "Noncommercial Positions-Spreading (All)",
    "Commercial Positions-Long (All)", "Commercial Positions-Short (All)",
    " Total Reportable Positions-Long (All)", "Total Reportable Positions-Short (All)",
    "Nonreportable Positions-Long (All)", "Nonreportable Positions-Short (All)",
    "Traders-Total (All)",
)  # fmt: skip
_MARKETS: Final = {
    "007601": "SOYBEAN OIL", "005602": "SOYBEANS", "026603": "SOYBEAN MEAL",
    "002602": "CORN", "001602": "WHEAT-SRW", "001612": "WHEAT-HRW",
    "033661": "COTTON NO. 2", "083731": "COFFEE C", "073732": "COCOA",
    "080732": "SUGAR NO. 11", "067651": "WTI-PHYSICAL", "023651": "NAT GAS NYME",
    "111659": "GASOLINE RBOB", "022651": "NY HARBOR ULSD", "088691": "GOLD",
    "084691": "SILVER", "085692": "COPPER- #1", "098662": "USD INDEX",
    "099741": "EURO FX", "097741": "JAPANESE YEN",
}  # fmt: skip
_MONEY: Final = {"098662", "099741", "097741"}
_DAY: Final = "report_date_as_yyyy_mm_dd"


@dataclass(frozen=True, slots=True)
class _Report:
    """One data set of the portal, and its yearly archive."""

    name: str
    columns: tuple[str, ...]
    letter: str
    stem: str
    member: str
    saved: str
    """How a saved text of it is called."""
    begins: date

    @property
    def kind(self) -> str:
        return "FutOnly" if self.letter == "F" else "Combined"

    @property
    def markets(self) -> list[str]:
        legacy = self.columns is _LEGACY
        return [code for code in _MARKETS if legacy or code not in _MONEY]


_REPORTS: Final = {
    "6dca-aqww": _Report("legacy", _LEGACY, "F", "deacot", "annual.txt",
                         "annual*.txt*", date(1986, 1, 14)),
    "jun7-fc8e": _Report("legacy_combined", _LEGACY, "C", "deahistfo", "annualof.txt",
                         "annualof*.txt*", date(1995, 3, 21)),
    "72hh-3qpy": _Report("disaggregated", _DISAGGREGATED, "F", "fut_disagg_txt_",
                         "f_year.txt", "f_*.txt*", date(2006, 6, 13)),
    "kh3c-gbw2": _Report("disaggregated_combined", _DISAGGREGATED, "C",
                         "com_disagg_txt_", "c_year.txt", "c_*.txt*", date(2006, 6, 13)),
}  # fmt: skip
Row = dict[str, str]


def answer(question: Question, world: World) -> Reply:
    """Return the entries of a data set that a question chooses."""
    found = re.fullmatch(r"/resource/([a-z0-9]{4}-[a-z0-9]{4})\.json", question.path)
    if found is None:
        return no_such_page(question)
    if found[1] not in _REPORTS:
        missing = {"code": "dataset.missing", "error": True, "message": "Not found"}
        return json_reply(missing, status=404)
    where = question.param("$where")
    named = set(re.findall(r"\b[a-z_]{4,}(?=\s*(?:=|>|<|in\b))", where))
    unknown = named - {_DAY, "cftc_contract_market_code"}
    if unknown:
        said = f"Query coordinator error: query.soql.no-such-column; No such column: {min(unknown)}"
        return json_reply(
            {"message": said, "errorCode": "query.soql.no-such-column", "data": {}},
            status=400,
        )
    codes = set(re.findall(r"'([0-9A-Z+]{6})'", where))
    days = [date.fromisoformat(d) for d in re.findall(r"'(\d{4}-\d\d-\d\d)T", where)]
    first = min(days, default=date(1986, 1, 1))
    last = max(days) if len(days) > 1 else world.today
    rows = _rows(_REPORTS[found[1]], world, first, last=min(last, world.today))
    chosen = [r for r in rows if not codes or r["cftc_contract_market_code"] in codes]
    start = int(question.param("$offset", "0"))
    return json_reply(chosen[start : start + int(question.param("$limit", "1000"))])


def _rows(report: _Report, world: World, first: date, *, last: date) -> list[Row]:
    """Return the entries between two days by day and code, as they are out now."""
    if world.folder is not None:
        rows = _saved(report, world.folder)
        return [r for r in rows if first <= date.fromisoformat(r[_DAY][:10]) <= last]
    rows = [
        row
        for code in report.markets
        for row in _market(report, world, code, first=first, last=last)
    ]
    return sorted(rows, key=lambda row: (row[_DAY], row["cftc_contract_market_code"]))


def _market(
    report: _Report, world: World, code: str, *, first: date, last: date
) -> list[Row]:
    """Return the weeks of one market: open interest, and shares of it that wander."""
    interest = Statistic(
        "cftc",
        f"{report.name}.{code}",
        low=2e4,
        high=8e5,
        decimals=0,
        cadence=releases.tuesdays,
        lag=_friday,
        begins=report.begins,
    )
    told = world.observations(interest, first=first, last=last)
    drawn = world.draws("cftc", report.name, code, days=[day for day, _ in told])
    rows = []
    for (day, value), draws in zip(told, drawn, strict=True):
        row = _told(report, day, code)
        for i, column in enumerate(report.columns):
            share = 0.05 + 0.03 * (i % 5) + 0.1 * draws[i % len(draws)]
            traders = column.startswith("traders")
            count = 200 * share if traders else value * (share if i else 1.0)
            row[column] = str(round(count))
        if draws[0] < 0.03:
            row.pop("traders_m_money_short_all", None)  # fewer than four: not told
        rows.append(row | {"futonly_or_combined": report.kind})
    return rows


def _friday(day: date, _: Any) -> datetime:
    """Return when a Tuesday's report is out; an hour of slack over both clocks."""
    return datetime.combine(day + timedelta(days=3), time(20, 30), UTC)


def _told(report: _Report, day: date, code: str) -> Row:
    market = _MARKETS[code]
    return {
        "id": f"{day:%y%m%d}{code}{report.letter}",
        "market_and_exchange_names": f"{market} - CHICAGO BOARD OF TRADE",
        _DAY: f"{day}T00:00:00.000",
        "yyyy_report_week_ww": f"{day:%G} Report Week {day:%V}",
        "contract_market_name": market,
        "cftc_contract_market_code": code,
        "cftc_market_code": "CBT ",
        "cftc_region_code": "CHI",
        "cftc_commodity_code": f"{code[:3]} ",
        "commodity_name": market,
    }


def _saved(report: _Report, folder: Path) -> list[Row]:
    """Return the entries of the texts of a report that lie in a folder."""
    by: dict[tuple[str, str], Row] = {}
    legacy = report.columns is _LEGACY
    places = (*range(7, 17), 77) if legacy else (*range(7, 23), 119, 125, 126)
    for path in shelf.files(folder, report.saved):
        text = shelf.content(path).decode("utf-8-sig")
        for cells in list(csv.reader(io.StringIO(text)))[1:]:
            told = _told(report, date.fromisoformat(cells[2]), "007601") | {
                "id": f"{cells[1]}{cells[3]}{report.letter}",
                "market_and_exchange_names": cells[0],
                "contract_market_name": cells[0].partition(" - ")[0],
                "cftc_contract_market_code": cells[3],
                "cftc_market_code": cells[4],
                "cftc_commodity_code": cells[6],
                "commodity_name": cells[0].partition(" - ")[0],
            }
            counts = {
                column: cells[at].strip()
                for column, at in zip(report.columns, places, strict=True)
                if cells[at].strip() != "."
            }
            kind = {"futonly_or_combined": report.kind}
            by[cells[2], cells[3]] = told | counts | kind
    return [by[key] for key in sorted(by)]


def archive(question: Question, world: World) -> Reply:
    """Return the yearly archive of a report, or its archive of history."""
    name = question.path.removeprefix("/files/dea/history/")
    for report in _REPORTS.values():
        found = re.fullmatch(rf"{report.stem}(\d{{4}})\.zip", name)
        if found:
            year = int(found[1])
            rows = _rows(
                report,
                world,
                date(year, 1, 1),
                last=min(date(year, 12, 31), world.today),
            )
            return _zipped(report, rows)
    return no_such_page(question)


def _zipped(report: _Report, rows: list[Row]) -> Reply:
    legacy = report.columns is _LEGACY
    told = (
        ("Market and Exchange Names", "As of Date in Form YYYY-MM-DD",
         "CFTC Contract Market Code")
        if legacy
        else ("Market_and_Exchange_Names", "Report_Date_as_YYYY-MM-DD",
              "CFTC_Contract_Market_Code")
    )  # fmt: skip
    counted = _LEGACY_TEXT if legacy else tuple(c.title() for c in report.columns)
    last = () if legacy else ("FutOnly_or_Combined",)
    lines = [",".join(f'"{name}"' for name in (*told, *counted, *last))]
    for row in rows:
        cells = [f"{row.get(column, '.'):>8}" for column in report.columns]
        named = f'"{row["market_and_exchange_names"]}"'
        code = row["cftc_contract_market_code"]
        kind = [f'"{report.kind}"'] if last else []
        lines.append(",".join([named, row[_DAY][:10], code, *cells, *kind]))
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        stamp = zipfile.ZipInfo(report.member, (2024, 1, 1, 0, 0, 0))
        packed.writestr(stamp, "\n".join(lines) + "\n")
    return Reply(held.getvalue(), "application/zip")


def _too_many(_: Question) -> Reply:
    said = {"code": "too_many_requests", "error": True, "message": "Too many requests"}
    return json_reply(said, status=429)


def _bad_token(_: Question) -> Reply:
    said = {
        "code": "permission_denied",
        "error": True,
        "message": "Invalid app_token specified",
    }
    return json_reply(said, status=403)


PORTAL: Final = Site(
    hosts=("publicreporting.cftc.gov",),
    answer=answer,
    empty=lambda _: json_reply([]),
    too_many=_too_many,
    bad_key=_bad_token,
    key_in=in_header("X-App-Token"),
)
ARCHIVES: Final = Site(
    hosts=("www.cftc.gov",),
    answer=archive,
    empty=no_such_page,
    too_many=lambda _: text_reply("Too Many Requests", status=429),
)
