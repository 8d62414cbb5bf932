"""The EIA's API (version 2), its history workbooks and its outlook's archive.

It never shows a month before it is out, and never dates a forecast by what it is of.

What is odd about the source, and kept: `total` and each value are strings, a withheld
value is null, the answer repeats the question with its key, rows have no value at all
where `data[]` was not asked for, descriptions may hold a line end.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from cbi_stream.replay import books, releases, shelf
from cbi_stream.replay.layouts import mark_line
from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    in_param,
    json_reply,
    no_such_page,
    text_reply,
)
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World

_EASTERN: Final = ZoneInfo("America/New_York")
_MOST_ROWS: Final = 5000
_MONTHLY: Final = {
    "M_EPOOBDSO_YIFBP_NUS_MMLB": 1100.0, "M_EPOOBDSOD_YIFBP_NUS_MMLB": 600.0,
    "M_EPOOBDSOR_YIFBP_NUS_MMLB": 500.0, "M_EPOOBDCNO_YIFBP_NUS_MMLB": 350.0,
    "M_EPOOBDCO_YIFBP_NUS_MMLB": 250.0, "M_EPOOBDFSTL_YIFBP_NUS_MMLB": 600.0,
    "M_EPOOBDFSYG_YIFBP_NUS_MMLB": 550.0, "M_EPOOBDFSWG_YIFBP_NUS_MMLB": 60.0,
    "M_EPOOBDFSPT_YIFBP_NUS_MMLB": 20.0, "M_EPOOBDAFO_YIFBP_NUS_MMLB": 3.0,
    "M_EPOORDB_YNP_NUS_MBBL": 3400.0, "M_EPOORDO_YNP_NUS_MBBL": 6200.0,
    "M_EPOORDO_SAE_NUS_MBBL": 5200.0,
}  # fmt: skip
_FRIDAYS: Final = {
    "W_EPOOXE_YOP_NUS_MBBLD": 1050.0, "W_EPOOXE_SAE_NUS_MBBL": 23500.0,
    "WDISTUS1": 120000.0,
}  # fmt: skip
_MONDAYS: Final = {"EMD_EPD2D_PTE_NUS_DPG": 3.9, "EMM_EPM0_PTE_NUS_DPG": 3.5}
_SPOT: Final = {
    "RWTC": 78.0, "RBRTE": 82.0, "EER_EPD2DXL0_PF4_Y35NY_DPG": 2.5, "RNGWHHD": 2.9,
}  # fmt: skip
_OUTLOOK: Final = {
    "WTIPUUS": 78.0, "BREPUUS": 82.0, "DSRTUUS": 3.9, "NGHHUUS": 2.9,
}  # fmt: skip
_FORECAST_MONTHS: Final = 20


def _mondays(first: date, last: date) -> list[date]:
    return [day for day in releases.weekdays(first, last) if day.weekday() == 0]


_KINDS: Final[tuple[tuple[dict[str, float], str, Any, int], ...]] = (
    (_MONTHLY, "monthly", "monthly", 92),
    (_FRIDAYS, "weekly", "weekly", 5),
    (_MONDAYS, "weekly", _mondays, 1),
    (_SPOT, "daily", "business", 5),
)


def _statistic(series: str) -> tuple[Statistic, str] | None:
    """Return a series and its frequency; None where nobody knows it."""
    for levels, frequency, cadence, lag in _KINDS:
        if series in levels:
            level = levels[series]
            told = Statistic(
                "eia",
                series,
                low=0.6 * level,
                high=1.5 * level,
                decimals=3 if level < 10 else 1 if level < 2000 else 0,
                cadence=cadence,
                lag=timedelta(days=lag),
                restated=(timedelta(days=31),) if frequency == "monthly" else (),
                begins=date(2006, 1, 1),
            )
            return told, frequency
    return None


def answer(question: Question, world: World) -> Reply:
    """Return rows of the API: of the series that a facet names, from a start on."""
    if not re.fullmatch(r"/v2/.+/data/?", question.path):
        return no_such_page(question)
    asked = question.param("frequency")
    if asked not in ("daily", "weekly", "monthly", "quarterly", "annual"):
        said = f"Invalid frequency '{asked}' provided."
        return json_reply({"error": said, "code": 400}, status=400)
    rows = _rows(question, world)
    start, length = (
        int(question.param(name, default))
        for name, default in (("offset", "0"), ("length", str(_MOST_ROWS)))
    )
    shown = rows[start : start + min(length, _MOST_ROWS)]
    response: dict[str, Any] = {
        "total": str(len(rows)),
        "dateFormat": "YYYY-MM" if asked == "monthly" else "YYYY-MM-DD",
        "frequency": asked,
        "data": shown,
        "description": "Petroleum and biofuels.\r\nOf the agency's surveys.",
    }
    if len(rows) > len(shown) + start:
        incomplete = {"warning": "incomplete return", "description": "more rows"}
        response = {"warnings": [incomplete], **response}
    return json_reply(_whole(question, response))


def _whole(question: Question, response: dict[str, Any]) -> dict[str, Any]:
    echo = {"command": question.path, "params": dict(question.params)}
    return {
        "response": response,
        "request": echo,
        "apiVersion": "2.1.13",
        "ExcelAddInVersion": "2.1.0",
    }


def _rows(question: Question, world: World) -> list[dict[str, Any]]:
    series = question.param("facets[series][]")
    known = _statistic(series)
    if known is None or known[1] != question.param("frequency"):
        return []
    statistic, frequency = known
    start = question.param("start") or "1986-01-01"
    first = date.fromisoformat(start if len(start) > 7 else f"{start}-01")
    rows = []
    for day, value in world.observations(statistic, first=first, last=world.today):
        row: dict[str, Any] = {
            "period": f"{day:%Y-%m}" if frequency == "monthly" else str(day),
            "duoarea": "NUS",
            "area-name": "U.S.",
            "series": series,
            "series-description": f"{series} of the survey",
        }
        if question.param("data[0]") == "value":
            withheld = series in _MONTHLY and day.toordinal() % 37 == 0
            row |= {"value": None if withheld else f"{value:g}", "units": "MMLB"}
        rows.append(row)
    return rows


def empty(question: Question) -> Reply:
    """Return an answer without rows."""
    response = {
        "total": "0",
        "dateFormat": "YYYY-MM",
        "frequency": "monthly",
        "data": [],
    }
    return json_reply(_whole(question, response))


def _bad_key(question: Question) -> Reply:
    missing = not question.param("api_key")
    error = {
        "code": "API_KEY_MISSING" if missing else "API_KEY_INVALID",
        "message": "No api_key was supplied."
        if missing
        else "An invalid api_key was supplied.",
    }
    return json_reply({"error": error}, status=403)


def _over_limit(_: Question) -> Reply:
    said = "You have exceeded your rate limit. Try again later."
    error = {"code": "OVER_RATE_LIMIT", "message": said}
    return json_reply({"error": error}, status=429)


def files(question: Question, world: World) -> Reply:
    """Return the outlook's newest issue, or the history workbook of a series."""
    if question.path == "/opendata/bulk/STEO.zip":
        return _zipped(_issue(world))
    found = re.fullmatch(r"/dnav/(?:pet|ng)/\w+/(\w+?)([dwm])\.xls", question.path)
    known = _statistic(found[1]) if found else None
    if found is None or known is None or known[1][0] != found[2]:
        return _saved(question, world)
    told = world.observations(known[0], first=known[0].begins, last=world.today)
    middle = 15 if known[1] == "monthly" else None
    rows = [(d.replace(day=middle or d.day), value) for d, value in told]
    return _book(found[1], rows, world)


def _saved(question: Question, world: World) -> Reply:
    """Return a workbook that lies in the world's folder under the name asked for."""
    name = question.path.rpartition("/")[2]
    held = shelf.files(world.folder, f"{name}*") if world.folder else []
    if not held or not name.endswith(".xls"):
        return no_such_page(question)
    return Reply(shelf.content(held[-1]), "application/vnd.ms-excel")


def _book(series: str, rows: list[tuple[date, float]], world: World) -> Reply:
    note = f"\n{mark_line(world.seed)}\n".encode() if world.simulated else b""
    sheet: list[tuple[books.Cell, ...]] = [
        ("Back to Contents", f"Data 1: {series}"),
        ("Sourcekey", series),
        ("Date", f"{series} (units)"),
        *rows,
    ]
    data = books.workbook({"Data 1": sheet}, note=note)
    return Reply(data, "application/vnd.ms-excel")


def nothing(question: Question) -> Reply:
    """Return an issue without a series, or a workbook without a day."""
    if question.path.endswith(".xls"):
        return _book("NOTHING", [], World())
    return _zipped([])


def _issued(month: date) -> date:
    """Return the first Tuesday after the first Thursday of a month."""
    thursday = month.replace(day=1 + (3 - month.weekday()) % 7)
    return thursday + timedelta(days=5)


def _issue(world: World) -> list[str]:
    month = world.today.replace(day=1)
    if _issued(month) >= world.today:
        month = (month - timedelta(days=1)).replace(day=1)
    day = _issued(month)
    stamp = datetime(day.year, day.month, day.day, 12, tzinfo=_EASTERN).isoformat()
    ahead = releases.months(month, month + timedelta(days=30 * _FORECAST_MONTHS))
    lines = []
    for name, level in _OUTLOOK.items():
        draws = world.draws("eia_steo", name, str(day), days=ahead)
        told = [
            [f"{each:%Y%m}", round(level * (0.85 + 0.3 * draw[0]), 3)]
            for each, draw in zip(ahead, draws, strict=True)
        ]
        line = {
            "series_id": f"STEO.{name}.M",
            "name": name,
            "units": "dollars",
            "f": "M",
            "last_updated": stamp,
            "data": told[::-1],
        }
        lines.append(json.dumps(line))
    return lines


def _zipped(lines: list[str]) -> Reply:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        member = zipfile.ZipInfo("STEO.txt", (2024, 1, 1, 0, 0, 0))
        packed.writestr(member, "".join(f"{line}\n" for line in lines))
    return Reply(held.getvalue(), "application/zip")


API: Final = Site(
    hosts=("api.eia.gov",),
    answer=answer,
    empty=empty,
    too_many=_over_limit,
    bad_key=_bad_key,
    key_in=in_param("api_key"),
    keyless=False,
)
FILES: Final = Site(
    hosts=("www.eia.gov",),
    answer=files,
    empty=nothing,
    too_many=lambda _: text_reply("Too Many Requests", status=429),
)
