"""The EPA's page of RINs generated, and the monthly file that it links to.

It never shows a month before about the 20th of the next one, and has no prices: these
stand in an application that no plain question reaches.

What is odd about the source, and kept: months in file names are written in several
ways, and a mended file of an old month lies in a folder of a young one.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from cbi_stream.replay import releases, shelf
from cbi_stream.replay.sites import Question, Reply, Site, no_such_page, text_reply
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World

_PAGE: Final = (
    "/fuels-registration-reporting-and-compliance-help/"
    "spreadsheet-rin-generation-and-renewable-fuel-volume-production-month"
)
_HEADER: Final = "FUEL_CODE,RIN_YEAR,Production Month,RIN_QUANTITY,BATCH_VOLUME"
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "june", "july", "aug", "sept",
                  "oct", "nov", "dec")  # fmt: skip
_LEVELS: Final = {3: 60e6, 4: 700e6, 5: 20e6, 6: 1200e6, 7: 1e5}
_BEGINS: Final = date(2010, 7, 1)


def _months(world: World) -> list[date]:
    """Return the months that are out."""
    out = releases.months(_BEGINS, world.today)
    return [month for month in out if month + timedelta(days=52) <= world.today]


def answer(question: Question, world: World) -> Reply:
    """Return the page, or the file that it links to; in a folder the saved one."""
    if world.folder is not None:
        return _saved(question, world.folder)
    if question.path == _PAGE:
        return text_reply(_page(_months(world)), content_type="text/html")
    if re.fullmatch(r"/system/files/.*/rindata_[a-z]+\d{4}\.csv", question.path):
        return text_reply(_file(world), content_type="text/csv")
    return no_such_page(question)


def _saved(question: Question, folder: Path) -> Reply:
    held = {
        path.name.removesuffix(".gz"): path for path in shelf.files(folder, "rindata_*")
    }
    if question.path == _PAGE:
        links = "".join(
            f'<a href="/system/files/other-files/saved/{name}">x</a>' for name in held
        )
        text = f"<!DOCTYPE html>\n<html><body>{links}</body></html>\n"
        return text_reply(text, content_type="text/html")
    name = question.path.rpartition("/")[2]
    if name not in held:
        return no_such_page(question)
    return Reply(shelf.content(held[name]), "text/csv")


def _page(months: list[date]) -> str:
    links = [
        f'<li><a href="{_link(month)}">{month:%B %Y} RIN data (CSV)</a></li>'
        for month in reversed(months[-3:])
    ]
    mended = _link(months[-9]).replace(f"{months[-9].year}-", f"{months[-1].year}-", 1)
    links.insert(0, f'<li><a href="{mended}">mended</a></li>')
    return (
        "<!DOCTYPE html>\n<html><head><title>RIN generation</title></head><body>\n<ul>"
        f"{''.join(links)}</ul>\n</body></html>\n"
    )


def _link(month: date) -> str:
    upload = month + timedelta(days=50)
    name = f"rindata_{_MONTHS[month.month - 1]}{month.year}.csv"
    return f"/system/files/other-files/{upload:%Y-%m}/{name}"


def _file(world: World) -> str:
    months, lines = _months(world), [_HEADER]
    told = {
        (day, code, kind): value
        for code, level in _LEVELS.items()
        for kind, share in (("rins", 1.0), ("gallons", 0.6))
        for day, value in world.observations(
            Statistic(
                "epa_rin",
                f"{code}.{kind}",
                low=0.7 * share * level,
                high=1.3 * share * level,
                decimals=0 if kind == "rins" else 1,
                cadence="monthly",
                lag=timedelta(days=52),
                restated=(timedelta(days=30),),
                begins=_BEGINS,
            ),
            first=_BEGINS,
            last=world.today,
        )
    }
    for month in months:
        for code in _LEVELS:
            rins, gallons = (told[month, code, kind] for kind in ("rins", "gallons"))
            lines.append(f"{code},{month.year},{month.month},{rins:.0f},{gallons:.1f}")
    return "\n".join(lines) + "\n"


def empty(question: Question) -> Reply:
    """Return the file without a month, under a page that links to it."""
    if question.path == _PAGE:
        link = _link(_BEGINS)
        text = f'<!DOCTYPE html>\n<html><body><a href="{link}">CSV</a></body></html>\n'
        return text_reply(text, content_type="text/html")
    return text_reply(f"{_HEADER}\n", content_type="text/csv")


SITE: Final = Site(
    hosts=("www.epa.gov",),
    answer=answer,
    empty=empty,
    too_many=lambda _: text_reply("Too Many Requests", status=429),
)
