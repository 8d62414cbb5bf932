"""The host of the economic policy uncertainty files: two CSV files and a workbook.

It never answers a question about a part of a file.

What is odd about the source, and kept: the date stands in three columns, notes stand
under the data, and an asker without a name is turned away.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from cbi_stream.replay import releases, shelf, xlsx
from cbi_stream.replay.marks import marked
from cbi_stream.replay.sites import Question, Reply, Site, no_such_page, text_reply
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World

_DAILY: Final = "/media/All_Daily_Policy_Data.csv"
_MONTHLY: Final = "/media/US_Policy_Uncertainty_Data.csv"
_BOOK: Final = "/media/Categorical_EPU_Data.xlsx"
_THREE, _NEWS = "Three_Component_Index", "News_Based_Policy_Uncert_Index"
_TRADE: Final = "7. Trade policy"
_BEGINS: Final = date(2005, 1, 1)
"""Twenty years later than the true files: whole files are asked for again and again."""
_MORNING: Final = time(11, 0)
_NOTE: Final = (
    "Source: 'Measuring Economic Policy Uncertainty', simulated here; no true numbers"
)
_KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _morning_after(day: date, _: Collection[date]) -> datetime:
    return datetime.combine(day + timedelta(days=1), _MORNING, UTC)


def _third_of_next(day: date, _: Collection[date]) -> datetime:
    third = releases.month_after(day) + timedelta(days=2)
    return datetime.combine(third, _MORNING, UTC)


def _statistic(name: str, *, monthly: bool) -> Statistic:
    return Statistic(
        "epu",
        name,
        low=5.0,
        high=450.0,
        cadence="monthly" if monthly else "daily",
        lag=_third_of_next if monthly else _morning_after,
        begins=_BEGINS,
    )


def answer(question: Question, world: World) -> Reply:
    """Return one of the three files."""
    if not question.headers.get("user-agent"):
        return text_reply("Forbidden\n", status=403)
    made = {_DAILY: _daily, _MONTHLY: _monthly, _BOOK: _book}.get(question.path)
    if made is None:
        return no_such_page(question)
    if world.folder is not None:
        held = shelf.files(world.folder, question.path.rpartition("/")[2])
        return _whole(shelf.content(held[-1])) if held else no_such_page(question)
    return made(world)


def empty(question: Question) -> Reply:
    """Return the file that was asked for, with its header alone."""
    made = {_DAILY: _daily, _MONTHLY: _monthly, _BOOK: _book}.get(question.path)
    if made is None:
        return no_such_page(question)
    reply = made(World(today=_BEGINS))
    return replace(reply, data=marked(reply.data, seed=0))


SITE: Final = Site(
    hosts=("www.policyuncertainty.com",),
    answer=answer,
    empty=empty,
    too_many=lambda _: text_reply("Too Many Requests\n", status=429),
)


def _whole(data: bytes) -> Reply:
    return Reply(data, _KIND if data.startswith(b"PK") else "text/csv")


def _values(world: World, name: str, *, monthly: bool = False) -> dict[date, float]:
    statistic = _statistic(name, monthly=monthly)
    return dict(world.observations(statistic, first=_BEGINS, last=world.today))


def _daily(world: World) -> Reply:
    held = _values(world, "daily_policy_index")
    rows = [f"{d.day},{d.month},{d.year},{value:.2f}" for d, value in held.items()]
    lines = ["day,month,year,daily_policy_index", *rows, ""]
    return text_reply("\n".join(lines), content_type="text/csv")


def _monthly(world: World) -> Reply:
    three = _values(world, _THREE, monthly=True)
    news = _values(world, _NEWS, monthly=True)
    rows = [f"{d.year},{d.month},{three[d]},{news[d]}" for d in three]
    note = [f'"{_NOTE}",,,'] if rows else []
    lines = [f"Year,Month,{_THREE},{_NEWS}", *rows, *note, ""]
    return text_reply("\n".join(lines), content_type="text/csv")


def _book(world: World) -> Reply:
    held = _values(world, _TRADE, monthly=True)
    rows: list[list[xlsx.Cell]] = [["Year", "Month", _TRADE]]
    rows += [[float(d.year), float(d.month), value] for d, value in held.items()]
    rows.append([_NOTE, None, None])
    return Reply(xlsx.workbook({"Indices": rows}), _KIND)
