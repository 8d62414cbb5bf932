"""Simulated panels for the features: whole ones, and torn ones. They are never stored.

Positions come as weekly steps with one age, spot crude a week late, everything else
daily; the torn panel has holes, flat stretches, broken bars and negative prices too.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from cbi_stream.lake.canonical import schema_of
from cbi_stream.registry.loader import Registry

FIRST = date(2010, 6, 1)
SESSIONS = 760
LEVELS = {
    "close": 45.0, "soybeans_close": 1200.0, "meal_close": 350.0, "corn_close": 500.0,
    "crude_close": 80.0, "gold_close": 1500.0, "vix": 20.0, "fed_funds": 2.0,
    "treasury_2y": 2.5, "treasury_10y": 3.5, "treasury_30y": 4.0, "breakeven_5y": 2.0,
    "wti_spot": 80.0, "dollar_index": 110.0, "financial_conditions": 0.5,
    "unemployment": 5.0, "cpi_growth_12m": 0.02, "payrolls_growth_3m": 0.004,
}  # fmt: skip
WEEKLY = {
    "open_interest": 300_000.0, "speculators_long": 80_000.0,
    "speculators_short": 50_000.0, "hedgers_long": 90_000.0, "hedgers_short": 130_000.0,
}  # fmt: skip


def whole(registry: Registry, *, seed: int) -> pl.DataFrame:
    """Return a panel with a value in every cell."""
    days = [d for d in registry.sessions.days if d >= FIRST][:SESSIONS]
    chance = np.random.Generator(np.random.PCG64(seed))
    n = len(days)
    columns: dict[str, object] = {"date": days}
    shared = chance.normal(0.0, 0.008, n)
    joins = registry.join_spec
    others = [n for n in (*joins.prices, *joins.observations) if n not in WEEKLY]
    for name in dict.fromkeys([*LEVELS, *others]):
        level = LEVELS.get(name, 100.0)
        steps = shared + chance.normal(0.0, 0.012, n)
        columns[name] = np.round(level * np.exp(np.cumsum(steps)), 4)
        columns[f"{name}_age_days"] = np.ones(n, dtype=np.int64)
    columns |= _bars(columns["close"], chance)
    columns |= _reports(days, chance)
    columns["volume_lag1"] = chance.integers(0, 90_000, n).astype(float)
    flags = [flag for join in joins.joins for flag in join.flags.values()]
    columns |= {flag: [False] * n for flag in flags}
    columns["wti_spot_age_days"] = [10 + d.weekday() for d in days]
    return _in_contract(registry, pl.DataFrame(columns))


def torn(registry: Registry, *, seed: int) -> pl.DataFrame:
    """Return a panel with what has gone wrong in real ones."""
    panel = whole(registry, seed=seed)
    chance = np.random.Generator(np.random.PCG64(seed + 1000))
    row = pl.int_range(pl.len())
    numbers = [name for name in panel.columns if name != "date"]
    # Nothing moves for 35 sessions; the bar is one price there.
    flat = [_held(name, row, 500, 535) for name in numbers if "age" not in name]
    out = panel.with_columns(flat).with_columns(
        # The crude of 2020-04-20, in the future and in the spot price.
        crude_close=_where(row.is_in([300, 301]), -37.63, "crude_close"),
        wti_spot=_where(row == 308, -36.98, "wti_spot"),
        high=_where(row % 17 == 3, pl.col("close") - 0.01, "high"),
        low=_where(row % 29 == 3, 0.0, "low"),
        meal_close=_where(row % 41 == 3, 0.0, "meal_close"),
        # One number of a report is carried from the week before.
        speculators_long_age_days=pl.col("speculators_long_age_days")
        + pl.when(row % 37 < 3).then(7).otherwise(0),
    )
    values = [name for name in numbers if not name.endswith("_age_days")]
    holes = {name: chance.random(panel.height) < 0.03 for name in values}
    for name in values:
        holes[name][610:650] = True  # an outage
    holes["vix"][400:470] = True
    for name in set(numbers) - set(values):
        holes[name] = holes[name.removesuffix("_age_days")]
    return out.with_columns(
        pl.when(pl.Series(~mask)).then(pl.col(name)).alias(name)
        for name, mask in holes.items()
    )


def _bars(close: object, chance: np.random.Generator) -> dict[str, object]:
    closes = np.asarray(close)
    n = len(closes)
    opens = np.round(closes * np.exp(chance.normal(0.0, 0.01, n)), 4)
    above, below = np.abs(chance.normal(0.0, 0.3, (2, n)))
    return {
        "open": opens,
        "high": np.maximum(opens, closes) + above,
        "low": np.minimum(opens, closes) - below,
    }


def _reports(days: list[date], chance: np.random.Generator) -> dict[str, object]:
    """Return positions of Tuesdays, out on Fridays, and their ages."""
    tuesdays = [d - timedelta(days=3 + (d.weekday() - 4) % 7) for d in days]
    weeks = {tuesday: i for i, tuesday in enumerate(dict.fromkeys(tuesdays))}
    found: dict[str, object] = {}
    for name, level in WEEKLY.items():
        walk = np.round(level * np.exp(np.cumsum(chance.normal(0.0, 0.03, len(weeks)))))
        found[name] = [walk[weeks[tuesday]] for tuesday in tuesdays]
        ages = [(d - t).days for d, t in zip(days, tuesdays, strict=True)]
        found[f"{name}_age_days"] = ages
    return found


def _where(rows: pl.Expr, value: pl.Expr | float, name: str) -> pl.Expr:
    return pl.when(rows).then(value).otherwise(name)


def _held(name: str, row: pl.Expr, first: int, end: int) -> pl.Expr:
    flat = (row >= first) & (row < end)
    source = "close" if name in ("open", "high", "low") else name
    return _where(flat, pl.col(source).get(first), name).alias(name)


def _in_contract(registry: Registry, frame: pl.DataFrame) -> pl.DataFrame:
    schema = schema_of(registry.contracts["features.panel"])
    return frame.select(pl.col(name).cast(kind) for name, kind in schema.items())
