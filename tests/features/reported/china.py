"""China by hand, from simulated weeks and months. It knows no kernel."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import log

import polars as pl

from cbi_stream.registry.loader import Registry
from tests.features.definitions.plain import minus, ratio
from tests.features.reported.making import (
    Known,
    after,
    as_known,
    each,
    earlier_weeks,
    reported,
    sessions,
)

TABLE = "features.china"
ARGUMENTS: dict[str, str] = {}
FIRST, LAST = date(2016, 2, 1), date(2016, 10, 31)
WEEKLY = {"soybeans.china": 20_000.0, "soybeans.all_countries": 40_000.0}
SOLD = {
    "801.5700.net_sales": 500_000.0, "801.5700.next_net_sales": 50_000.0,
    "801.5700.outstanding_sales": 9e6, "801.5700.next_outstanding_sales": 1e6,
}  # fmt: skip
MONTHLY = {
    "156.M.1201.0.kg": 7e9, "156.M.1201.842.kg": 2e9, "156.M.1201.76.kg": 4e9,
    "156.M.1511.0.kg": 4e8,
}  # fmt: skip
YELLOW = {"import.12019010.502.kg": 2e9, "import.12019010.410.kg": 4e9}
CUSTOMS = {"import.12019000.502.kg": 2e9, "import.12019000.410.kg": 4e9}
Frames = dict[str, pl.DataFrame]
Weeks = dict[date, float]


def frames(registry: Registry, *, torn: bool) -> Frames:
    """Return seven years of Thursdays, and three of months."""
    thursdays = each(date(2009, 9, 3), LAST)
    months = [date(y, m, 1) for y in (2014, 2015, 2016) for m in range(1, 13)]
    yellow = [m for m in months if m != date(2016, 5, 1)]
    customs = pl.concat(
        [
            reported(YELLOW, yellow, after(53), seed=14, torn=torn, spread=0.3),
            reported(CUSTOMS, months, after(53), seed=15, torn=torn, spread=0.3),
        ]
    )
    return {
        "sessions": sessions(registry, FIRST, LAST),
        "inspections": _inspected(thursdays, torn=torn),
        "esr": reported(SOLD, thursdays, after(7, 13), seed=12, torn=torn),
        "comtrade": reported(MONTHLY, months, after(106), seed=13, torn=torn),
        "gacc": customs.sort("series", "date", "vintage"),
    }


def _inspected(thursdays: list[date], *, torn: bool) -> pl.DataFrame:
    """Return weeks whose countries add up to the total, in most of them."""
    rows = reported(WEEKLY, thursdays, after(4, 16), seed=11, torn=torn, spread=0.5)
    number = pl.col("date").cast(pl.Int32) // 7
    # Summer weeks without China among the countries, and weeks that do not add up.
    left_out = (pl.col("series") == "soybeans.china") & (number % 9 == 0)
    parts = rows.with_columns(value=pl.when(~left_out).then("value"))
    total = rows.filter(pl.col("series") == "soybeans.all_countries").with_columns(
        series=pl.lit("soybeans.reported_total"),
        value=pl.col("value") + pl.when(number % 90 == 0).then(700.0).otherwise(0.4),
    )
    return pl.concat([parts, total]).sort("series", "date", "vintage")


def expected(frames: Frames, day: date, decided: datetime) -> dict[str, float | None]:
    """Return what a session's features are."""
    known = {n: as_known(frames[n], decided) for n in frames if n != "sessions"}
    found = _inspections(known["inspections"], day) | _sales(known["esr"], day)
    return found | _imports(known["comtrade"], day) | _customs(known["gacc"], day)


def _there(known: Known, series: str) -> Weeks:
    return {d: v for d, v in known.get(series, {}).items() if v is not None}


def _newest(known: Known, day: date, oldest: int) -> date | None:
    newest = max((d for s in known.values() for d in s), default=date.min)
    return newest if (day - newest).days <= oldest else None


def _four(weeks: Weeks, day: date) -> float | None:
    """Return the sum of four weeks up to a day, where all are there."""
    days = [day - timedelta(days=7 * k) for k in range(4)]
    return sum(weeks[d] for d in days) if all(d in weeks for d in days) else None


def _usual(values: Weeks, day: date) -> float | None:
    usual = earlier_weeks(values, day)
    if day not in values or len(usual) < 3:
        return None
    mean = sum(usual) / len(usual)
    return values[day] / mean if mean > 0 else None


def _sums(weeks: Weeks) -> Weeks:
    found = {d: _four(weeks, d) for d in weeks}
    return {d: v for d, v in found.items() if v is not None}


def _log(value: float | None) -> float | None:
    return log(value) if value is not None and value > 0 else None


def _inspections(known: Known, day: date) -> dict[str, float | None]:
    newest = _newest(known, day, 12)
    if newest is None:
        return {}
    all_ = _there(known, "soybeans.all_countries")
    total = _there(known, "soybeans.reported_total")
    whole = [d for d in all_ if d in total and abs(all_[d] - total[d]) < 1]
    sums = _sums(dict.fromkeys(whole, 0.0) | _there(known, "soybeans.china"))

    def change(last: date) -> float | None:
        before = last - timedelta(days=28)
        return minus(_log(_usual(sums, last)), _log(_usual(sums, before)))

    dates = {d for s in known.values() for d in s}
    earlier = newest - timedelta(days=7)

    def counted(last: date) -> float | None:
        """Return the change, where no week in between is missing altogether."""
        between = {last - timedelta(days=7 * k) for k in range(5)}
        return change(last) if between <= dates else None

    return {
        "china_inspections_ratio": _usual(sums, newest),
        "china_inspections_change_4": counted(newest),
        "china_inspections_share": ratio(sums.get(newest), _four(all_, newest)),
        "china_inspections_change_4_lagged": counted(earlier),
    }


def _sales(known: Known, day: date) -> dict[str, float | None]:
    newest = _newest(known, day, 24)
    if newest is None:
        return {}

    def both(name: str) -> Weeks:
        this = _there(known, f"801.5700.{name}")
        later = _there(known, f"801.5700.next_{name}")
        return {d: this[d] + later[d] for d in this if d in later}

    sold, waiting = _four(both("net_sales"), newest), both("outstanding_sales")
    between = {newest - timedelta(days=7 * k) for k in range(5)}
    whole = between <= {d for s in known.values() for d in s}
    change = minus(
        _log(waiting.get(newest)), _log(waiting.get(newest - timedelta(days=28)))
    )
    return {
        "china_net_sales_4": None if sold is None else sold / 1e6,
        "china_outstanding_ratio": _usual(waiting, newest),
        "china_outstanding_change_4": change if whole else None,
    }


def _grown(known: Known, series: str, month: date) -> float | None:
    values = _there(known, series)
    dates = sorted({d for s in known.values() for d in s})
    before = month.replace(year=month.year - 1)
    if before not in dates or dates.index(month) - dates.index(before) != 12:
        return None
    return minus(_log(values.get(month)), _log(values.get(before)))


def _imports(known: Known, day: date) -> dict[str, float | None]:
    newest = _newest(known, day, 150)
    if newest is None:
        return {}
    world = _there(known, "156.M.1201.0.kg").get(newest)
    of = {who: _there(known, f"156.M.1201.{n}.kg").get(newest)
          for who, n in (("us", 842), ("brazil", 76))}  # fmt: skip
    return {
        "china_soybeans_growth_12m": _grown(known, "156.M.1201.0.kg", newest),
        "china_us_share": ratio(of["us"], world),
        "china_brazil_share": ratio(of["brazil"], world),
        "china_palm_growth_12m": _grown(known, "156.M.1511.0.kg", newest),
    }


def _customs(known: Known, day: date) -> dict[str, float | None]:
    newest = _newest(known, day, 90)
    if newest is None:
        return {}
    grown, apart = [], []
    for number in ("12019010", "12019000"):
        us, brazil = (f"import.{number}.{n}.kg" for n in (502, 410))
        grown.append(_grown(known, brazil, newest))
        apart.append(
            minus(
                _log(_there(known, us).get(newest)),
                _log(_there(known, brazil).get(newest)),
            )
        )
    return {
        "china_customs_brazil_growth_12m": grown[0]
        if grown[0] is not None
        else grown[1],
        "china_customs_us_over_brazil": apart[0] if apart[0] is not None else apart[1],
    }
