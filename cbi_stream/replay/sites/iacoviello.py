"""The host of the geopolitical risk and the trade policy uncertainty files.

It never gives anything but whole files, and publishes no CSV.

What is odd about the source, and kept: the risk files are old Excel files in which a
dictionary of the columns stands to the right of the data; the daily one is renewed on
Mondays, the workbook of trade policy months apart.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from cbi_stream.replay import books, releases, shelf, xlsx
from cbi_stream.replay.layouts import mark_line
from cbi_stream.replay.marks import marked
from cbi_stream.replay.sites import Question, Reply, Site, no_such_page, text_reply
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World

_DAILY: Final = "/gpr_files/data_gpr_daily_recent.xls"
_MONTHLY: Final = "/gpr_files/data_gpr_export.xls"
_BOOK: Final = "/tpu_files/tpu_web_latest.xlsx"
_XLS, _XLSX = "application/vnd.ms-excel", "application/vnd.openxmlformats"
_BEGINS: Final = date(2015, 1, 1)
"""Thirty years later than the true files: whole files are asked for again and again."""
_RENEWED: Final = time(15, 0)
_MONDAY_TO_MONDAY: Final = 7
_WORDS: Final = (
    ("DAY", "DAY"),
    ("N10D", "Number of articles (10 recent newspapers, 1985-)"),
    ("GPRD", "Daily GPR (index, 1985:2019=100)"),
    ("GPRD_ACT", "Daily GPR acts (index, 1985:2019=100)"),
    ("GPRD_THREAT", "Daily GPR threats (index, 1985:2019=100)"),
)
_COUNTRIES: Final = ("ARG", "BRA", "CHN", "RUS", "UKR", "USA")
_INDICES: Final = ("GPR", "GPRT", "GPRA", "GPRH", "GPRHT", "GPRHA")


def _next_monday(day: date, _: Collection[date]) -> datetime:
    """Return when the value of a day is out: at the renewal of the Monday after it."""
    after = _MONDAY_TO_MONDAY - day.weekday()
    return datetime.combine(day + timedelta(days=after), _RENEWED, UTC)


def _third_of_next(day: date, _: Collection[date]) -> datetime:
    """Return when the value of a month is out: on the third of the month after it."""
    third = releases.month_after(day) + timedelta(days=2)
    return datetime.combine(third, _RENEWED, UTC)


def _statistic(name: str, *, monthly: bool = False, high: float = 400.0) -> Statistic:
    return Statistic(
        "gpr",
        name,
        low=10.0,
        high=high,
        decimals=6,
        cadence="monthly" if monthly else "daily",
        lag=_third_of_next if monthly else _next_monday,
        begins=_BEGINS,
    )


def answer(question: Question, world: World) -> Reply:
    """Return one of the three files."""
    made = {_DAILY: _daily, _MONTHLY: _monthly, _BOOK: _book}.get(question.path)
    if made is None:
        return no_such_page(question)
    kind = _XLSX if question.path == _BOOK else _XLS
    if world.folder is not None:
        name = question.path.rpartition("/")[2]
        held = [p for n in (name, f"{name}.gz") for p in shelf.files(world.folder, n)]
        return Reply(shelf.content(held[-1]), kind) if held else no_such_page(question)
    return Reply(made(world), kind)


def empty(question: Question) -> Reply:
    """Return the file that was asked for, with its header alone."""
    reply = answer(question, World(today=_BEGINS))
    return replace(reply, data=marked(reply.data, seed=0))


SITE: Final = Site(
    hosts=("www.matteoiacoviello.com",),
    answer=answer,
    empty=empty,
    too_many=lambda _: text_reply("Too Many Requests\n", status=429),
)


def _values(world: World, statistic: Statistic) -> dict[date, float]:
    return dict(world.observations(statistic, first=_BEGINS, last=world.today))


def _daily(world: World) -> bytes:
    names = ("N10D", "GPRD", "GPRD_ACT", "GPRD_THREAT")
    mean = _values(world, _statistic("GPRD"))
    drawn = world.draws("gpr", "daily", days=list(mean))
    held = [
        (100.0 + int(500.0 * draws[0]), value, value * draws[1], value * draws[2])
        for value, draws in zip(mean.values(), drawn, strict=True)
    ]
    header: list[books.Cell] = [
        "DAY", *names, "date", "GPRD_MA30", "GPRD_MA7", "event", "var_name", "var_label",
    ]  # fmt: skip
    rows = [header]
    for number, day in enumerate(mean):
        cells: list[books.Cell] = [float(f"{day:%Y%m%d}"), *held[number]]
        cells += [day, mean[day], mean[day], ""]
        rows.append([*cells, *(_WORDS[number] if number < len(_WORDS) else ("", ""))])
    return _marked(world, rows)


def _monthly(world: World) -> bytes:
    names = (*_INDICES, *(f"GPRC_{country}" for country in _COUNTRIES))
    held = {
        name: _values(world, _statistic(name, monthly=True, high=300.0))
        for name in names
    }
    header: list[books.Cell] = ["month", *names, "var_name", "var_label"]
    rows = [header]
    for number, day in enumerate(held["GPR"]):
        cells: list[books.Cell] = [day]
        cells += [held[name][day] for name in names]
        rows.append([*cells, *(_WORDS[number] if number < len(_WORDS) else ("", ""))])
    return _marked(world, rows)


def _marked(world: World, rows: list[list[books.Cell]]) -> bytes:
    """Return the old workbook, with the mark where no reader looks."""
    return books.workbook(
        {"Sheet1": rows}, note=f"\n{mark_line(world.seed)}\n".encode()
    )


def _book(world: World) -> bytes:
    """Return the workbook as it was renewed last: some weeks may lie between."""
    last = world.today.replace(month=world.today.month - (world.today.month - 1) % 2)
    last = last.replace(day=1) - timedelta(days=1)
    dates = {
        ("TPU_MONTHLY", "TPU"): releases.months(_BEGINS, last),
        ("TPU_QUARTERLY", "TPUQ"): releases.months(_BEGINS, last)[::3],
        ("TPU_DAILY", "TPUD_index"): releases.every_day(_BEGINS, last),
    }
    sheets: dict[str, list[list[xlsx.Cell]]] = {}
    for (sheet, column), days in dates.items():
        drawn = world.draws("tpu", column, days=days)
        rows: list[list[xlsx.Cell]] = [["DATE", column]]
        rows += [
            [f"{day} 00:00:00", round(20.0 + 300.0 * draws[0], 4)]
            for day, draws in zip(days, drawn, strict=True)
        ]
        sheets[sheet] = rows
    return xlsx.workbook(sheets)
