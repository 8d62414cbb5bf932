"""Small tables on which faults are planted: a price, its labels, features, the files.

The prices are drawn with a fixed seed and are nobody's. The labels are computed here
once more, by hand, so that no check is held against the handler that it judges.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from cbi_stream import Finding, Subject
from cbi_stream.registry.loader import Registry, load
from cbi_stream.shapes.gate import Gate
from cbi_stream.words.span import Span

ROOT = Path(__file__).resolve().parents[2]
FIRST, LAST = date(2015, 1, 2), date(2018, 12, 31)


@cache
def registry() -> Registry:
    """Return the product's own registry."""
    return load(ROOT / "registry")


def sessions(first: date = FIRST, last: date = LAST) -> tuple[date, ...]:
    """Return the sessions of the product's calendar, both ends included."""
    return registry().sessions.between(Span(first, last + timedelta(days=1)))


@cache
def draws(number: int, *, seed: int) -> tuple[float, ...]:
    """Return so many normal draws, the same each time."""
    return tuple(np.random.default_rng(seed).normal(size=number).tolist())


def market() -> pl.DataFrame:
    """Return a price per session: a walk of about 1.5 % a session."""
    days = sessions()
    walk = np.cumsum(draws(len(days), seed=1)) * 0.015
    close = [round(float(x), 2) for x in 30 * np.exp(walk)]
    return pl.DataFrame({"date": days, "close": close})


def column(name: str, *, seed: int, level: float = 20.0) -> pl.DataFrame:
    """Return the market with a further column that walks by itself, above zero."""
    rows = market()
    walk = np.cumsum(draws(rows.height, seed=seed)) * 0.02
    return rows.with_columns(pl.Series(name, level * np.exp(walk)))


def labels(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the labels of a market, each looked up by itself."""
    closes = dict(rows.select("date", "close").iter_rows())
    found = []
    for day, base in closes.items():
        for name, length in registry().horizons.days.items():
            due = registry().sessions.on_or_after(day + timedelta(days=length))
            price = closes.get(due)
            known = base is not None and price is not None
            reason = None if known else "open" if due > LAST else "missing_settlement"
            moved = np.log(price) - np.log(base) if known else None
            up = price > base if known else None
            price = price if known else None
            found.append((day, name, due, base, price, moved, up, known, reason))
    schema = {
        "date": pl.Date,
        "horizon": pl.String,
        "matures_on": pl.Date,
        "base_price": pl.Float64,
        "target_price": pl.Float64,
        "target_log_return": pl.Float64,
        "target_up": pl.Boolean,
        "resolved": pl.Boolean,
        "reason": pl.String,
    }
    return pl.DataFrame(found, schema=schema, orient="row")


def features(rows: pl.DataFrame) -> pl.DataFrame:
    """Return every feature of the registry, each a walk of its own but the close."""
    names = [f.name for f in registry().feature_registry.features if f.name != "close"]
    made = {
        name: np.array(draws(rows.height, seed=100 + i)) for i, name in enumerate(names)
    }
    return rows.with_columns(**{name: pl.Series(x) for name, x in made.items()})


def files(master: pl.DataFrame, made: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the ten files as they should be."""
    spec = registry()
    label = ("target_price", "target_log_return", "target_up", "matures_on")
    return {
        name: master.select(
            "date", *spec.feature_registry.on_surface(entry.surface)
        ).join(
            made.filter(pl.col("horizon") == entry.horizon, "resolved").select(
                "date", *label
            ),
            on="date",
            how="inner",
            maintain_order="left",
        )
        for name, entry in spec.exports.exports.items()
    }


def partition(table: str = "features.panel", **said: object) -> Subject:
    """Return a candidate partition with the whole calendar of the tests."""
    given = {"sessions": sessions(), "spec": registry(), **said}
    return Subject(table, "2015", **given)  # type: ignore[arg-type]


def effect(**said: object) -> Subject:
    """Return an effect with the registry."""
    return Subject("effects.export", **{"spec": registry(), **said})  # type: ignore[arg-type]


def assert_passes(
    gate: Gate, what: object, subject: Subject, **numbers: object
) -> None:
    """Insist that a check passes."""
    finding = judged(gate, what, subject, **numbers)
    assert finding.passed, finding
    assert finding.places == ()


def assert_fails(
    gate: Gate, what: object, subject: Subject, *, at: str, **numbers: object
) -> None:
    """Insist that a check fails, and says where: a place holds this text."""
    finding = judged(gate, what, subject, **numbers)
    assert not finding.passed, finding
    assert any(at in place for place in finding.places), finding
    assert len(finding.places) <= 5
    assert finding.expected
    assert finding.found


def judged(gate: Gate, what: object, subject: Subject, **numbers: object) -> Finding:
    """Return what a check finds; it must be given exactly its numbers."""
    assert numbers.keys() <= gate.numbers.keys(), gate.name
    return gate(what, subject, **numbers)
