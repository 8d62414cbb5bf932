"""FRED's files of one pull, each in the layout that it has been seen in.

It never shows an observation before its release.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from cbi_stream.replay import releases, series
from cbi_stream.replay.layouts import file_text, float_row, fred_row

Days = Sequence[date]
Values = Callable[[Days, int], list[float]]
Dates = Callable[[date, date], list[date]]


@dataclass(frozen=True, slots=True)
class File:
    """One series: its header, its dates, its release, and the values of the dates."""

    header: str
    dates: Dates
    release: releases.Release
    values: Values
    decimals: int | None = None  # printed decimals; None prints the float
    rests: bool = True  # whether closed days have no value


def _level(level: series.Level) -> Values:
    return lambda days, seed: series.leaning(days, seed=seed, level=level)


def _growth(growth: series.Growth) -> Values:
    return lambda days, seed: series.growing(days, seed=seed, growth=growth)


_DAYS, _WEEKDAYS = releases.every_day, releases.weekdays
_FRIDAYS, _MONTHS = releases.fridays, releases.months
FILES: Final = {
    "T10Y2Y": File(
        "observation_date,T10Y2Y",
        _WEEKDAYS,
        releases.treasury,
        lambda days, seed: series.slope(days, seed=seed),
        decimals=2,
    ),
    "DTWEXBGS": File(
        "observation_date,DTWEXBGS",
        _WEEKDAYS,
        releases.dollar,
        _level(series.DOLLAR),
        decimals=4,
    ),
    "DFF": File(
        "DATE,DFF",
        _DAYS,
        releases.fed_funds,
        _level(series.FED_FUNDS),
        decimals=2,
        rests=False,
    ),
    "T5YIE": File("Date,Value", _WEEKDAYS, releases.treasury, _level(series.INFLATION)),
    "NFCI": File(
        "Date,Value",
        _FRIDAYS,
        releases.conditions,
        _level(series.CONDITIONS),
        rests=False,
    ),
    "CPIAUCSL": File(
        "Date,Value", _MONTHS, releases.prices, _growth(series.PRICES), rests=False
    ),
    "PAYEMS": File(
        "Date,Value", _MONTHS, releases.jobs, _growth(series.PAYROLLS), rests=False
    ),
    "UNRATE": File(
        "Date,Value", _MONTHS, releases.jobs, _level(series.UNEMPLOYED), rests=False
    ),
    "DGS2": File(
        "date,value",
        _WEEKDAYS,
        releases.treasury,
        lambda days, seed: series.two_year_yield(days, seed=seed),
    ),
    "DGS30": File(
        "date,value",
        _WEEKDAYS,
        releases.treasury,
        lambda days, seed: series.thirty_year_yield(days, seed=seed),
    ),
}


def fred_texts(
    sessions: Days, *, seed: int, holidays: Collection[date], by: datetime
) -> Iterator[tuple[str, str]]:
    """Yield name and text of each file that has a row at the instant `by`.

    Dates lie between the first session's month and the last session; only DFF goes on
    to the day before the next business day, as a weekend's rates come together.
    """
    closed = releases.closed_days(sessions, holidays)
    last = releases.next_business_day(sessions[-1], holidays) - timedelta(days=1)
    for name, file in FILES.items():
        end = last if file.dates is _DAYS else sessions[-1]
        days = file.dates(sessions[0], end)
        days = releases.released(days, file.release, closed=closed, by=by)
        rows = _rows(file, days, seed=seed, closed=closed if file.rests else ())
        if rows:
            yield f"{name}.csv", file_text(file.header, rows, seed=seed)


def spot_text(
    closes: dict[date, float],
    *,
    seed: int,
    holidays: Collection[date],
    by: datetime,
) -> str | None:
    """Return DCOILWTICO.csv at the instant `by`, None where it has no row yet.

    Args:
        closes: Close of the crude oil future by session, ascending, dollars a barrel.
        seed: As in `fred_texts`.
        holidays: Weekdays with an empty cell, as are those that are no session.
        by: The instant of the pull.
    """
    sessions = list(closes)
    closed = releases.closed_days(sessions, holidays)
    days = releases.weekdays(sessions[0], sessions[-1])
    days = releases.released(days, releases.spot_oil, closed=closed, by=by)
    traded = [day for day in days if day in closes]
    values = series.spot_oil([closes[day] for day in traded], traded, seed=seed)
    spots = dict(zip(traded, values, strict=True))
    rows = [float_row(d, None if d in closed else spots[d]) for d in days]
    return file_text("date,value", rows, seed=seed) if rows else None


def _rows(file: File, days: Days, *, seed: int, closed: Collection[date]) -> list[str]:
    pairs = zip(days, file.values(days, seed), strict=True)
    # This layout leaves a closed day out; the others keep it with an empty cell.
    if file.header == "Date,Value":
        return [float_row(day, value) for day, value in pairs if day not in closed]
    shown = [(day, None if day in closed else value) for day, value in pairs]
    if file.decimals is None:
        return [float_row(day, value) for day, value in shown]
    return [fred_row(day, value, decimals=file.decimals) for day, value in shown]
