"""Comex Stat: Brazil's exports of a year, line by line, by state, mode and customs house.

It never sums: a month's exports of a product to a country stand on several lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from cbi_stream.replay.saved import saved
from cbi_stream.replay.sites import Question, Reply, Site, no_such_page, text_reply
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World

_PATH: Final = re.compile(r"/balanca/bd/comexstat-bd/ncm/(EXP_(\d{4})\.csv)")
_HEADER: Final = (
    '"CO_ANO";"CO_MES";"CO_NCM";"CO_UNID";"CO_PAIS";"SG_UF_NCM";"CO_VIA";"CO_URF";'
    '"QT_ESTAT";"KG_LIQUIDO";"VL_FOB"\n'
)
_PRODUCTS: Final = {"12019000": 1e9, "15071000": 1e8, "23040090": 1e9, "09011110": 2e8}
_COUNTRIES: Final = ("160", "361", "245")
_STATES: Final = {"MT": ("0817800", 0.6), "PR": ("0917800", 0.4)}
_LAG: Final = timedelta(days=34)


def answer(question: Question, world: World) -> Reply:
    """Return the exports of a year, up to the last month that is out."""
    asked = _PATH.fullmatch(question.path)
    if asked is None:
        return no_such_page(question)
    held = saved(world, asked[1], f"{asked[1]}.gz", content_type="text/csv")
    if held is not None or world.folder is not None:
        return held or no_such_page(question)
    year = int(asked[2])
    lines = [line for product in _PRODUCTS for line in _lines(world, year, product)]
    return text_reply(_HEADER + "".join(lines), content_type="text/csv")


def _lines(world: World, year: int, product: str) -> Iterator[str]:
    for country in _COUNTRIES:
        statistic = Statistic(
            "comexstat", f"{product}.{country}", low=0.0, high=_PRODUCTS[product],
            decimals=0, cadence="monthly", lag=_LAG,
        )  # fmt: skip
        first, last = date(year, 1, 1), date(year, 12, 1)
        for day, weight in world.observations(statistic, first=first, last=last):
            for state, (house, share) in _STATES.items():
                kg = int(weight * share)
                yield (
                    f'"{year}";"{day.month:02d}";"{product}";"10";"{country}";'
                    f'"{state}";"01";"{house}";{kg // 1000};{kg};{int(kg * 0.4)}\n'
                )


SITE: Final = Site(
    hosts=("balanca.economia.gov.br",),
    answer=answer,
    empty=lambda _: text_reply(_HEADER, content_type="text/csv"),
    too_many=lambda _: text_reply("Too Many Requests", status=429),
)
