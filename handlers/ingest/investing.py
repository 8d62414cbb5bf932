"""investing.com's historical data: the close is called Price, newest day first.

The site speaks many languages: names of columns, the decimal comma and the order of day
and month come with the language. It never reads 50,12 as 5012, and never guesses a month.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cbi_stream import source
from handlers.ingest import days
from handlers.ingest.bars import Layout, bars_of, cells_of
from handlers.ingest.numerals import Point

_COLUMNS = ("date", "close", "open", "high", "low", "volume", "change")


@dataclass(frozen=True, slots=True)
class _Language:
    """How the site writes in one language: the header's cells in the order of _COLUMNS."""

    names: tuple[str, ...]
    point: Point = ","
    dates: tuple[str, ...] = (days.DOTTED, days.DAY_FIRST)


_LANGUAGES = (
    _Language(
        ("Date", "Price", "Open", "High", "Low", "Vol.", "Change %"),
        ".",
        (days.MONTH_FIRST, days.DAY_FIRST, days.DOTTED, days.DASHED, days.NAMED),
    ),
    _Language(("Fecha", "Último", "Apertura", "Máximo", "Mínimo", "Vol.", "% var.")),
    _Language(("Data", "Último", "Abertura", "Máxima", "Mínima", "Vol.", "Var%")),
    _Language(("Datum", "Zuletzt", "Eröffn.", "Hoch", "Tief", "Vol.", "+/- %")),
    _Language(("Data", "Ultimo", "Apertura", "Massimo", "Minimo", "Vol.", "Var. %")),
)
_HEADERS = tuple(",".join(f'"{n}"' for n in each.names) for each in _LANGUAGES)
_NULLS = ("", "-")


def _language_of(header: str) -> _Language | None:
    names = sorted(cells_of(header))
    return next((each for each in _LANGUAGES if sorted(each.names) == names), None)


def _is_header(header: str) -> bool:
    return _language_of(header) is not None


def _layout(text: str) -> Layout:
    language = next(filter(None, map(_language_of, text.split("\n"))), _LANGUAGES[0])
    names = dict(zip(_COLUMNS, language.names, strict=True))
    del names["change"]
    return Layout(names, language.dates, _NULLS, point=language.point)


@source("investing", headers=_HEADERS, recognises=_is_header)
def investing(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of one symbol's file."""
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
    layout = _layout(text[: 1 << 16])
    return bars_of(
        data, symbol, layout, recognises=_is_header, expected=" or ".join(_HEADERS)
    )
