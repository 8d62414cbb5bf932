"""Supply by hand, from simulated balances and crop weeks. It knows no kernel."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import log

import numpy as np
import polars as pl

from cbi_stream.registry.loader import Registry
from tests.features.definitions.plain import minus
from tests.features.reported.making import (
    Known,
    after,
    as_known,
    each,
    earlier_weeks,
    reported,
    sessions,
    staged,
)

TABLE = "features.supply"
ARGUMENTS: dict[str, str] = {}
FIRST, LAST = date(2015, 4, 1), date(2015, 12, 31)
US = ("beginning_stocks", "production", "imports", "ending_stocks")
BALANCES = {
    **{f"soybean_oil.us.{n}": 5000.0
       for n in (*US, "biofuel_use", "domestic_use", "exports")},
    **{f"soybeans.us.{n}": 900.0
       for n in (*US, "exports", "crush", "yield_per_harvested_acre")},
    "soybeans.brazil.production": 95.0, "soybeans.brazil.exports": 50.0,
    "soybeans.argentina.production": 60.0, "soybeans.argentina.crush": 40.0,
    "soybeans.china.imports": 75.0, "soybeans.world.production": 320.0,
    "soybeans.world.ending_stocks": 80.0, "soybeans.world.domestic_use": 300.0,
    "soybean_oil.world.ending_stocks": 4.0, "soybean_oil.world.domestic_use": 48.0,
    "vegetable_oils.world.ending_stocks": 20.0,
    "vegetable_oils.world.use_total": 175.0,
}  # fmt: skip
USED = {"us_oil": "soybean_oil.us", "us_soybeans": "soybeans.us",
        "world_soybeans": "soybeans.world", "world_oil": "soybean_oil.world",
        "vegetable_oils": "vegetable_oils.world"}  # fmt: skip
REVISED = {
    "us_oil_production": "soybean_oil.us.production",
    "us_oil_biofuel": "soybean_oil.us.biofuel_use",
    "us_oil_exports": "soybean_oil.us.exports",
    "us_soybeans_yield": "soybeans.us.yield_per_harvested_acre",
    "us_soybeans_exports": "soybeans.us.exports",
    "us_soybeans_crush": "soybeans.us.crush",
    "harvest_brazil": "soybeans.brazil.production",
    "harvest_argentina": "soybeans.argentina.production",
    "brazil_exports": "soybeans.brazil.exports",
    "argentina_crush": "soybeans.argentina.crush",
    "china_imports": "soybeans.china.imports",
}
OFTEN = ("harvest_brazil", "harvest_argentina", "china_imports")
CROP = {
    "us.soybeans_condition_pct_good": 50.0,
    "us.soybeans_condition_pct_excellent": 12.0,
    "us.soybeans_progress_pct_planted": 60.0,
    "us.soybeans_progress_pct_harvested": 40.0,
}
SLOTS = {"us.soybeans_condition_good_excellent_by_slot": 61.0,
         "us.soybeans_planted_by_slot": 58.0}  # fmt: skip
UNOFFICIAL = (date(2015, 6, 1), date(2015, 7, 20))
Frames = dict[str, pl.DataFrame]


def frames(registry: Registry, *, torn: bool) -> Frames:
    """Return five years of monthly balances, and six of crop weeks."""
    sundays = [d for d in each(date(2009, 4, 5), LAST) if 4 <= d.month <= 11]
    inside = pl.col("date").is_between(*UNOFFICIAL)
    official = reported(CROP, sundays, after(1, 20), seed=5, torn=torn)
    by_slot = reported(SLOTS, sundays, after(8, 20), seed=6, torn=torn)
    crop = pl.concat([official.filter(~inside), by_slot])
    return {
        "sessions": sessions(registry, FIRST, LAST),
        "wasde": _reports(torn=torn),
        "nass": crop.sort("series", "date", "vintage"),
    }


def _reports(*, torn: bool) -> pl.DataFrame:
    """Return reports of the 10th, each figure restated in seven of ten of them."""
    chance = np.random.Generator(np.random.PCG64(4))
    rows = []
    for series, level in BALANCES.items():
        begins = 9 if series.startswith("soybeans.us") else 10
        for year in range(2011, 2016):
            season, value, vintage = date(year, begins, 1), level, 0
            for month in range(17):
                day = 10 + int(chance.integers(0, 3)) * (month % 5 == 4)
                tenth = date(year + (4 + month) // 12, (4 + month) % 12 + 1, 10)
                known = after(day - 10, 16)(tenth)
                moved = chance.random()
                if vintage and moved < 0.3:
                    continue
                value = round(value * float(np.exp(chance.normal(0.0, 0.03))), 3)
                gone = torn and moved > 0.985
                rows.append((series, season, vintage, None if gone else value, known))
                vintage += 1
    return staged(rows)


def expected(frames: Frames, day: date, decided: datetime) -> dict[str, float | None]:
    """Return what a session's features are."""
    return _balances(frames["wasde"], day, decided) | _crops(frames, day, decided)


def _view(rows: pl.DataFrame, day: date, moment: datetime) -> Known:
    from_, to = day - timedelta(days=1100), day + timedelta(days=200)
    known = as_known(rows.filter(pl.col("date").is_between(from_, to)), moment)
    newest = max((d for s in known.values() for d in s), default=day)
    return {
        series: {d: v for d, v in found.items() if (newest - d).days < 600}
        for series, found in known.items()
    }


def _released(rows: pl.DataFrame, known: Known, decided: datetime) -> datetime:
    seen = [
        row["knowable_at"]
        for row in rows.iter_rows(named=True)
        if row["date"] in known.get(row["series"], {}) and row["knowable_at"] <= decided
    ]
    return max(seen)


def _balances(
    rows: pl.DataFrame, day: date, decided: datetime
) -> dict[str, float | None]:
    now = _view(rows, day, decided)
    released = _released(rows, now, decided)
    age = (decided - released).days
    if age > 65:
        return {}
    before, quarter = (_view(rows, day, released - timedelta(days=d)) for d in (15, 76))
    found: dict[str, float | None] = {"wasde_days_since": float(age)}
    for name in (*(f"{w}_stocks_to_use" for w in USED),
                 "us_oil_biofuel_share", "south_america_share"):  # fmt: skip
        found[name] = _newest(now, lambda v, d, n=name: _ratio(v, d, n))
        found[f"{name}_change_1y"] = _newest(
            now,
            lambda v, d, n=name: minus(_ratio(v, d, n), _ratio(v, _back(d), n)),
        )
        for label, view in (("revision", before), ("revision_3", quarter)):
            if label == "revision" and "share" in name:
                continue
            if label == "revision_3" and name[:6] not in ("us_oil", "us_soy", "world_"):
                continue
            if label == "revision_3" and ("share" in name or name[:9] == "world_oil"):
                continue
            found[f"{name}_{label}"] = _newest(
                now,
                lambda v, d, n=name, w=view: minus(_ratio(v, d, n), _ratio(w, d, n)),
            )
    for name, series in REVISED.items():
        found[f"{name}_revision"] = _newest(
            now, lambda v, d, s=series: minus(_log(v, s, d), _log(before, s, d))
        )
        if name in OFTEN:
            found[f"{name}_revision_3"] = _newest(
                now, lambda v, d, s=series: minus(_log(v, s, d), _log(quarter, s, d))
            )
            found[f"{name}_change_1y"] = _newest(
                now, lambda v, d, s=series: minus(_log(v, s, d), _log(v, s, _back(d)))
            )
    return found


def _back(day: date) -> date:
    return day.replace(year=day.year - 1)


def _newest(known: Known, of: object) -> float | None:
    dates = sorted({d for s in known.values() for d in s}, reverse=True)
    values = (of(known, d) for d in dates)  # type: ignore[operator]
    return next((v for v in values if v is not None), None)


def _at(known: Known, series: str, day: date) -> float | None:
    return known.get(series, {}).get(day)


def _log(known: Known, series: str, day: date) -> float | None:
    value = _at(known, series, day)
    return None if not value else log(value)


def _ratio(known: Known, day: date, name: str) -> float | None:
    def at(*series: str) -> list[float | None]:
        return [_at(known, s, day) for s in series]

    if name == "us_oil_biofuel_share":
        parts = at("soybean_oil.us.biofuel_use", "soybean_oil.us.domestic_use")
    elif name == "south_america_share":
        b, a, w = at(
            "soybeans.brazil.production",
            "soybeans.argentina.production",
            "soybeans.world.production",
        )
        parts = [None if b is None or a is None else b + a, w]
    else:
        who = USED[name.removesuffix("_stocks_to_use")]
        if who.endswith(".us"):
            begins, made, brought, left = at(*(f"{who}.{n}" for n in US))
            if None in (begins, made, brought, left):
                return None
            parts = [left, begins + made + brought - left]
        else:
            use = "use_total" if who.startswith("vegetable") else "domestic_use"
            parts = at(f"{who}.ending_stocks", f"{who}.{use}")
    return None if None in parts or parts[1] <= 0 else parts[0] / parts[1]


def _crops(frames: Frames, day: date, decided: datetime) -> dict[str, float | None]:
    known = as_known(frames["nass"], decided)

    def of(name: str) -> dict[date, float]:
        found = known.get(f"us.soybeans_{name}", {})
        return {d: v for d, v in found.items() if v is not None}

    good, excellent = of("condition_pct_good"), of("condition_pct_excellent")
    both = {d: good[d] + excellent[d] for d in good if d in excellent}
    condition = of("condition_good_excellent_by_slot") | both
    planted = of("planted_by_slot") | of("progress_pct_planted")
    found: dict[str, float | None] = {}
    for name, weeks in (("condition", condition), ("planting", planted),
                        ("harvest", of("progress_pct_harvested"))):  # fmt: skip
        newest = max(weeks, default=date.min)
        if (day - newest).days > 17:
            continue
        usual = earlier_weeks(weeks, newest)
        gap = None if len(usual) < 4 else weeks[newest] - sum(usual) / len(usual)
        if name == "condition":
            found["harvest_us_condition"] = weeks[newest]
            last_week = weeks.get(newest - timedelta(days=7))
            found["harvest_us_condition_change_1"] = minus(weeks[newest], last_week)
            found["harvest_us_condition_gap"] = gap
        else:
            found[f"{name}_us_progress_gap"] = gap
    return found
