"""The Big 8 on small frames: scales, what is missing, and what follows. No real data."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from cbi_stream import Pillar
from handlers.features import signals as s


def _pillar(name: str, **said: Any) -> Pillar:
    given = {
        "name": f"feature_{name}",
        "inputs": {name: 1.0},
        "points": [[0, 0], [1, 1]],
        "crisis": 0.5,
        "sign": 1,
        "weight": 1.0,
        "flag": f"{name}_override_flag",
        "driver": name.upper(),
        "regime": f"{name.upper()}_REGIME",
        "doc": "x",
    }
    return Pillar.model_validate(given | said)


ONE, TWO = _pillar("fear"), _pillar("oats", sign=-1, weight=3.0)
THREE = _pillar("ties", sign=0)


def _said(pillars: list[Pillar], expr: pl.Expr, *values: float | None) -> Any:
    columns = {p.name: pl.Float64 for p in pillars}
    frame = pl.DataFrame([values], schema=columns, orient="row")
    flags = {p.flag: s.way_to_crisis(p) >= 1.0 for p in pillars}
    return frame.with_columns(**flags).select(out=expr).item()


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (10, 0.0),
        (15, 0.0),
        (22.5, 0.375),
        (30, 0.75),
        (40, 0.875),
        (80, 1.0),
        (None, None),
    ],
)
def test_a_scale_is_lines_between_points(value: float | None, place: float | None):
    """Level before the first and after the last; null stays null."""
    points = ((15.0, 0.0), (30.0, 0.75), (50.0, 1.0))
    frame = pl.DataFrame({"x": [value]}, schema={"x": pl.Float64})
    found = frame.select(s.on_scale(pl.col("x"), points)).item()
    assert found == (None if place is None else pytest.approx(place, abs=1e-15))


def test_the_composite_adds_signed_values_of_those_that_are_known():
    """Weights of the known ones alone; a pillar without a sign says nothing of a price."""
    every = [ONE, TWO, THREE]
    assert _said(every, s.composite(every), 0.8, 0.4, 1.0) == pytest.approx(-0.1)
    assert _said(every, s.composite(every), 0.8, None, 1.0) == pytest.approx(0.8)
    assert _said(every, s.composite(every), None, None, 1.0) is None


def test_the_intensity_is_how_far_each_is_on_its_way():
    """A hundred where each is in crisis; away from its crisis a pillar adds nothing."""
    low = _pillar("rain", points=[[-1, -1], [1, 1]], crisis=-0.5)
    every = [ONE, low]
    assert _said(every, s.intensity(every), 0.9, -1.0) == pytest.approx(100.0)
    assert _said(every, s.intensity(every), 0.25, 0.7) == pytest.approx(25.0)
    assert _said(every, s.intensity(every), None, -0.25) == pytest.approx(50.0)


def test_the_regime_is_that_of_the_one_crisis():
    """None is calm, one has its name, two are mixed; a missing one is no crisis."""
    every = [ONE, TWO]
    assert _said(every, s.classified(every), 0.1, 0.2) == "FUNDAMENTALS_REGIME"
    assert _said(every, s.classified(every), 0.1, 0.5) == "OATS_REGIME"
    assert _said(every, s.classified(every), 0.6, 0.5) == "MIXED_SIGNALS_REGIME"
    assert _said(every, s.classified(every), 0.6, None) == "FEAR_REGIME"


def test_the_driver_is_the_farthest_on_its_way():
    """Nobody before half of it; of two alike the first of the file."""
    every = [ONE, TWO]
    assert _said(every, s.driver(every, 0.5), 0.1, 0.2) == "BALANCED"
    assert _said(every, s.driver(every, 0.5), 0.1, 0.3) == "OATS"
    assert _said(every, s.driver(every, 0.5), 0.3, 0.3) == "FEAR"
    assert _said(every, s.driver(every, 0.5), None, 0.3) == "OATS"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"points": [[1, 0], [1, 1]]}, "growing inputs"),
        ({"points": [[0, 0], [1, 1], [2, 0.5]]}, "all rising or falling"),
        ({"points": [[0, 0], [1, 1.5]]}, "from -1 to 1"),
        ({"crisis": 1.5}, "on the scale"),
        ({"crisis": 0.0}, "not 0"),
        ({"weight": 0.0}, "greater than 0"),
    ],
)
def test_a_scale_that_means_nothing_is_refused(said: dict[str, Any], message: str):
    """Each with what was expected."""
    with pytest.raises(ValueError, match=message):
        _pillar("fear", **said)
