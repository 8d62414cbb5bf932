"""US exports by product, partner and month, as the Census's time series give them.

It never shows a month before it is out, about 35 days after its end.

What is odd about the source, and kept: an answer is a list of lists whose first is the
header, all strings; a window with no month in it is status 204 without a body; all
partners together are a lone hyphen.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from cbi_stream.replay import releases
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
from cbi_stream.replay.world import World

_PATH: Final = "/data/timeseries/intltrade/exports/hs"
_LAG: Final = timedelta(days=66)
_PARTNERS: Final = {"-": "TOTAL FOR ALL COUNTRIES", "2010": "MEXICO", "5700": "CHINA"}
_UNITS: Final = {"1201900095": "T", "1201100000": "T"}
_NOTHING: Final = Reply(b"", "application/json", 204)


def answer(question: Question, world: World) -> Reply:
    """Return the months of one product since a month."""
    since = re.fullmatch(r"from (\d{4})-(\d{2})", question.param("time"))
    if question.path != _PATH:
        return no_such_page(question)
    if since is None:
        return text_reply("error: unknown predicate variable: 'time'", status=400)
    first = date(int(since[1]), int(since[2]), 1)
    shown = [m for m in releases.months(first, world.today) if m + _LAG <= world.today]
    if not shown or not world.simulated:
        return _NOTHING
    return json_reply(_table(question, world, shown))


SITE: Final = Site(
    hosts=("api.census.gov",),
    answer=answer,
    empty=lambda _: _NOTHING,
    too_many=lambda _: text_reply("Too Many Requests", status=429),
    bad_key=lambda _: text_reply("error: invalid key", status=400),
    key_in=in_param("key"),
    keyless=False,
)


def _table(question: Question, world: World, shown: list[date]) -> list[object]:
    product = question.param("E_COMMODITY")
    names = question.param("get").split(",")
    rows: list[object] = [[*names, "time", "COMM_LVL", "E_COMMODITY"]]
    for code, partner in _PARTNERS.items():
        draws = world.draws("census", product, code, days=shown)
        for month, draw in zip(shown, draws, strict=True):
            cells = {
                "E_COMMODITY": product,
                "CTY_CODE": code,
                "CTY_NAME": partner,
                "QTY_1_MO": str(round(9e6 * draw[0])),
                "UNIT_QY1": _UNITS.get(product, "KG"),
                "ALL_VAL_MO": str(round(4e6 * draw[1])),
            }
            told = [cells.get(name, "") for name in names]
            rows.append([*told, f"{month:%Y-%m}", "HS10", product])
    # A list of lists has no object that could carry the mark.
    return [*rows, mark_line(world.seed)]
