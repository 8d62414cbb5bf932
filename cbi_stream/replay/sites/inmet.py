"""INMET: hours of Brazilian stations, as a year's zip in Latin-1, or as JSON with a token.

It never gives a local day: its hours are UTC. Numbers have a decimal comma in the files
and no zero before it; the service gives strings, and 204 where there is nothing.
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, timedelta
from typing import Final

from cbi_stream.replay import releases
from cbi_stream.replay.saved import saved
from cbi_stream.replay.sites import Question, Reply, Site, json_reply, no_such_page
from cbi_stream.replay.world import World

_ZIP: Final = re.compile(r"/uploads/dadoshistoricos/(\d{4})\.zip")
_HOURS: Final = re.compile(
    r"/token/estacao/(\d{4}-\d\d-\d\d)/(\d{4}-\d\d-\d\d)/([A-Z]\d{3})/([^/]+)"
)
_STATIONS: Final = {"A904": "SORRISO"}
_COLUMNS: Final = (
    "Data;Hora UTC;PRECIPITAÇÃO TOTAL, HORÁRIO (mm);"
    "TEMPERATURA MÁXIMA NA HORA ANT. (AUT) (°C);"
    "TEMPERATURA MÍNIMA NA HORA ANT. (AUT) (°C);"
)
_WHEN: Final = (2020, 1, 1, 0, 0, 0)
_LAG: Final = timedelta(days=1)
_DRY: Final = 0.7

Hour = tuple[date, int, int, int, int]
"""A day, an hour UTC, and tenths of mm, of the highest and the lowest degree."""


def answer(question: Question, world: World) -> Reply:
    """Return a year's zip, or the hours of a station."""
    asked = _ZIP.fullmatch(question.path)
    if asked:
        held = saved(world, f"*{asked[1]}.zip", content_type="application/zip")
        return held or _year(question, world, int(asked[1]))
    asked = _HOURS.fullmatch(question.path)
    if asked is None:
        return no_such_page(question)
    first, last = date.fromisoformat(asked[1]), date.fromisoformat(asked[2])
    rows = [_entry(asked[3], hour) for hour in _hours(world, asked[3], first, last)]
    return json_reply(rows) if rows else empty(question)


def _year(question: Question, world: World, year: int) -> Reply:
    if world.folder is not None or year > world.today.year:
        return no_such_page(question)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for station, name in _STATIONS.items():
            path = (
                f"{year}/INMET_CO_MT_{station}_{name}_01-01-{year}_A_31-12-{year}.CSV"
            )
            hours = _hours(world, station, date(year, 1, 1), date(year, 12, 31))
            text = _head(station, name) + "".join(map(_line, hours))
            archive.writestr(zipfile.ZipInfo(path, _WHEN), text.encode("latin-1"))
    return Reply(out.getvalue(), "application/zip")


def _head(station: str, name: str) -> str:
    return (
        f"REGIAO:;CO\nUF:;MT\nESTACAO:;{name}\nCODIGO (WMO):;{station}\n"
        "LATITUDE:;-12,5552\nLONGITUDE:;-55,7228\nALTITUDE:;379\n"
        f"DATA DE FUNDACAO:;20/11/04\n{_COLUMNS}\n"
    )


def _hours(world: World, station: str, first: date, last: date) -> list[Hour]:
    """Return the hours of the days that are out."""
    days = releases.every_day(first, min(last, world.today - _LAG))
    drawn = world.draws("inmet", station, days=days) if world.simulated else []
    found = []
    for day, draws in zip(days, drawn, strict=False):
        wet, warm, cold = (
            draws[0],
            round(250 + 120 * draws[1]),
            round(80 + 120 * draws[2]),
        )
        for hour in range(24):
            rain = round(30 * draws[3 + hour % 5]) if wet > _DRY and hour > 17 else 0
            found.append((day, hour, rain, warm - abs(hour - 18), cold + hour % 5))
    return found


def _comma(tenths: int) -> str:
    """Return a number as the files have it: ,2 for two tenths."""
    return f"{tenths / 10:g}".replace(".", ",").removeprefix("0") or "0"


def _line(hour: Hour) -> str:
    day, at, *values = hour
    cells = ";".join(_comma(value) for value in values)
    return f"{day:%Y/%m/%d};{at:02d}00 UTC;{cells};\n"


def _entry(station: str, hour: Hour) -> dict[str, str | None]:
    day, at, rain, warm, cold = hour
    return {
        "DT_MEDICAO": str(day),
        "HR_MEDICAO": f"{at:02d}00",
        "CD_ESTACAO": station,
        "UF": "MT",
        "CHUVA": f"{rain / 10:.1f}",
        "TEM_MAX": f"{warm / 10:.1f}",
        "TEM_MIN": f"{cold / 10:.1f}",
        "RAD_GLO": None,
    }


def empty(question: Question) -> Reply:
    """Return nothing with 204; of a year a station without hours."""
    if not _ZIP.fullmatch(question.path):
        return Reply(b"", status=204)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        path = "INMET_CO_MT_A901_CUIABA_01-01-2024_A_31-12-2024.CSV"
        text = _head("A901", "CUIABA").encode("latin-1")
        archive.writestr(zipfile.ZipInfo(path, _WHEN), text)
    return Reply(out.getvalue(), "application/zip")


def _key_in(question: Question) -> str | None:
    asked = _HOURS.fullmatch(question.path)
    return asked[4] if asked else None


SITE: Final = Site(
    hosts=("apitempo.inmet.gov.br", "portal.inmet.gov.br"),
    answer=answer,
    empty=empty,
    too_many=lambda _: json_reply({"message": "Too Many Requests"}, status=429),
    bad_key=lambda _: json_reply({"message": "Token inválido"}, status=403),
    key_in=_key_in,
)
