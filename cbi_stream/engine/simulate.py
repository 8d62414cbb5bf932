"""Frames of invented values that fit a contract, for probing handlers.

They exist in memory only and are never written anywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import polars as pl

from cbi_stream.lake.canonical import DTYPES
from cbi_stream.registry.contract import READING, Column, Contract

_NULL_SHARE = 0.05
_AGAIN_SHARE = 0.08
"""The share of dates that have a second version, where the key allows one."""
_RELEASE = time(21, 30, tzinfo=UTC)


def simulated(
    contract: Contract,
    dates: Sequence[date],
    *,
    seed: int,
    every: Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """Return one row per date and per combination of the key's text values.

    Args:
        contract: the table.
        dates: ascending.
        seed: the same seed gives the same frame.
        every: of a series that is not told daily, each how many-th date it has.
    """
    # Each table draws from a stream of its own, so that adding one moves no other.
    name = int(hashlib.sha256(contract.table.encode()).hexdigest()[:8], 16)
    chance = np.random.Generator(np.random.PCG64([seed, name]))
    entities = [n for n in contract.key if n != "date" and contract.columns[n].simulate]
    choices = [contract.columns[n].simulate for n in entities]
    parts = []
    for values in _product(choices):
        entity = dict(zip(entities, values, strict=True))
        step = (every or {}).get(entity.get("series", ""), 1)
        parts.append(_one_entity(contract, dates[::step], entity, chance))
    return pl.concat(parts).sort(contract.key)


def _product(choices: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [()]
    for values in choices:
        found = [(*left, value) for left in found for value in values]
    return found


def _one_entity(
    contract: Contract,
    dates: Sequence[date],
    entity: dict[str, str],
    chance: np.random.Generator,
) -> pl.DataFrame:
    versioned = {"vintage", "batch"} & set(contract.key)
    again = chance.random(len(dates)) < (_AGAIN_SHARE if versioned else 0.0)
    rows = [(day, 0) for day in dates]
    rows += [(day, 1) for day, twice in zip(dates, again, strict=True) if twice]
    rows.sort()
    # Each entity's lines are those of a file of its own.
    file = hashlib.sha256(repr(sorted(entity.items())).encode()).hexdigest()
    same = {"sha256": file, **entity}
    columns = {
        name: (
            pl.Series([same[name]] * len(rows), dtype=pl.String)
            if name in same
            else _column(name, column, rows, chance)
        )
        for name, column in contract.columns.items()
    }
    return pl.DataFrame(columns)


def _column(
    name: str, column: Column, rows: list[tuple[date, int]], chance: np.random.Generator
) -> pl.Series:
    n = len(rows)
    low, high = column.simulate_range
    walk = np.abs(np.cumsum(chance.normal(0.0, (high - low) / 60.0, n)))
    level = np.round(low + walk % (high - low), 2)
    level[n // 3 : n // 3 + 30] = level[n // 3] if n else 0.0  # a flat stretch
    values: list[object]
    if name in _NAMED:
        values = [_NAMED[name](day, version) for day, version in rows]
    elif column.type == "time":
        values = [_release(day, version) for day, version in rows]
    elif column.type == "date":
        values = [day + timedelta(days=30) for day, _ in rows]
    elif column.type == "bool":
        values = list(chance.random(n) < 0.5)
    elif column.simulate:
        values = list(chance.choice(list(column.simulate), n))
    elif column.type == "string":
        values = [f"{value:.2f}" for value in level]
    elif column.type == "int":
        values = [int(value) for value in level]
    else:
        values = [float(value) for value in level]
    if not column.required and name not in ("line", "sha256"):
        holes = chance.random(n) < _NULL_SHARE
        values = [None if hole else v for v, hole in zip(values, holes, strict=True)]
    return pl.Series(name, values, dtype=DTYPES[column.type], strict=False)


_NAMED: Mapping[str, Callable[[date, int], object]] = {
    "date": lambda day, _: day,
    "vintage": lambda _, version: version,
    "batch": lambda _, version: version,
    "line": lambda day, _: day.toordinal(),
    **{name: lambda _, __: None for name in READING},  # every line can be read
}
"""Columns whose name says what they hold."""


def _release(day: date, version: int) -> datetime:
    return datetime.combine(day + timedelta(days=1 + 40 * version), _RELEASE)


def altered(frame: pl.DataFrame, rows: pl.Series, contract: Contract) -> pl.DataFrame:
    """Return the frame with other values in the rows of a mask; keys and times stay."""
    exprs = []
    present = {n: c for n, c in contract.columns.items() if n in frame.columns}
    for name, column in present.items():
        if name in contract.key or column.type in ("time", "date") or column.simulate:
            continue
        here = pl.col(name)
        if column.type == "float":
            other = here * 1.37 + 1.0
        elif column.type == "int":
            other = here + 7
        elif column.type == "bool":
            other = ~here
        elif name in ("sha256", "parser"):
            continue
        else:
            other = pl.lit("1") + here  # a number's text becomes another number's
        exprs.append(pl.when(rows).then(other).otherwise(here).alias(name))
    return frame.with_columns(exprs)
