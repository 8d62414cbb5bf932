"""F06, F07, F08, F12, F43: values in another unit, or of another series.

Each fault is planted into a column that passes without it, and what is strange and true
passes as well: no bound was drawn around a sample.
"""

from __future__ import annotations

import math
from datetime import date

import polars as pl
import pytest

from handlers.gates.climate import climate_means, climatology
from handlers.gates.units import identities, one_series, one_unit, stays_in_range
from tests.failures.frames import (
    assert_fails,
    assert_passes,
    column,
    draws,
    effect,
    partition,
    registry,
)

MASTER = "features.master"
UNIT = {"table": MASTER, "factor": 8.0, "window": 10, "may_break": ()}
SERIES = {
    "table": MASTER,
    "jump": 0.1,
    "usual": 10.0,
    "undone": 6,
    "may_alternate": (),
}
CRUSH = {
    "sums": {"crush": {"meal": 0.022, "close": 0.11, "beans": -0.01}},
    "ratios": {
        "oil_share": {
            "over": {"close": 0.11},
            "under": {"close": 0.11, "meal": 0.022},
        }
    },
    "tolerance": 1e-9,
    "may_be_empty": (),
}
BANDS = {
    "bands": {
        "USW*.tmax": ((-22.0, 16.0), (-20.0, 20.0), (-13.0, 26.0), (-3.0, 30.0),
                      (5.0, 34.0), (13.0, 38.0), (17.0, 42.0), (16.0, 42.0),
                      (10.0, 37.0), (1.0, 31.0), (-10.0, 24.0), (-20.0, 18.0)),
    },
    "sigmas": 8.0, "floor": 3.0, "years": 3, "least_days": 20,
}  # fmt: skip
RAIN = {"bands": {"USW*.prcp": (0.5, 8.0)}, "least_days": 300}


def crush():
    """Return the legs of a crush, and what is made of them."""
    rows = column("meal", seed=8, level=300.0).with_columns(
        beans=pl.col("close") * 11 + pl.col("meal") * 2.2 - 100
    )
    value, oil = pl.col("meal") * 0.022, pl.col("close") * 0.11
    return rows.with_columns(
        crush=value + oil - pl.col("beans") * 0.01, oil_share=oil / (oil + value)
    )


def weather():
    """Return four years of a station: a season with noise, and rain one day in three."""
    days = pl.date_range(date(2015, 1, 1), date(2018, 12, 31), eager=True).to_list()
    noise = draws(len(days), seed=9)
    season = [
        10 - 15 * math.cos(2 * math.pi * d.timetuple().tm_yday / 365) for d in days
    ]
    heat = [s + 4 * n for s, n in zip(season, noise, strict=True)]
    rain = [max(0.0, 6 * n) for n in noise]
    return pl.concat(
        pl.DataFrame({"series": [name] * len(days), "date": days, "value": said})
        for name, said in (("USW1.tmax", heat), ("USW1.prcp", rain))
    )


def test_f06_a_score_in_a_column_of_levels():
    """Levels up to a day and a score from 0 to 1 from then on are a step; a fall is none."""
    rows = column("vix", seed=4)
    assert_passes(one_unit, {MASTER: rows}, effect(), **UNIT)
    tail = pl.int_range(pl.len()) >= pl.len() - 58
    fake = rows.with_columns(
        vix=pl.when(tail).then(pl.col("vix") / 40).otherwise("vix")
    )
    assert_fails(one_unit, {MASTER: fake}, effect(), at="vix", **UNIT)
    halved = rows.with_columns(
        vix=pl.when(tail).then(pl.col("vix") / 3).otherwise("vix")
    )
    assert_passes(one_unit, {MASTER: halved}, effect(), **UNIT)


def test_f06_a_range_per_column():
    """A score is outside the range of a level, and so are NaN and infinity."""
    rows = column("vix", seed=4).with_columns(pl.col("vix").clip(9, 90))
    numbers = {"ranges": {"vix": (5.0, 150.0)}, "may_be_empty": ()}
    assert_passes(stays_in_range, rows, partition(), **numbers)
    for wrong in (0.5, float("nan"), float("inf")):
        fake = rows.with_columns(
            vix=pl.when(pl.int_range(pl.len()) == 9).then(wrong).otherwise("vix")
        )
        assert_fails(
            stays_in_range, fake, partition(), at=str(rows["date"][9]), **numbers
        )
    empty = rows.with_columns(vix=pl.lit(None, dtype=pl.Float64))
    assert_fails(stays_in_range, empty, partition(), at="vix: no value", **numbers)
    assert_passes(
        stays_in_range, empty, partition(), **{**numbers, "may_be_empty": ("v*",)}
    )


def test_f07_cents_for_dollars_in_the_crush():
    """A crush with oil at a hundred times its price is no sum of its legs."""
    rows = crush()
    assert_passes(identities, rows, partition(), **CRUSH)
    cents = rows.with_columns(
        crush=pl.col("meal") * 0.022 + pl.col("close") * 11 - pl.col("beans") * 0.01
    )
    assert_fails(identities, cents, partition(), at="crush=", **CRUSH)
    share = rows.with_columns(oil_share=pl.col("oil_share") * 100)
    assert_fails(identities, share, partition(), at="oil_share=", **CRUSH)
    wide = {"ranges": {"crush": (-2.0, 8.0)}, "may_be_empty": ()}
    assert_passes(stays_in_range, rows.with_columns(pl.col("crush").clip(-2, 8)), partition(),
           **wide)  # fmt: skip
    assert_fails(stays_in_range, cents, partition(), at="not in -2 to 8", **wide)


def test_f07_a_value_without_its_parts():
    """A crush on a day without a price of meal was made of nothing."""
    rows = crush()
    day = rows["date"][12]
    holed = rows.with_columns(meal=pl.when(pl.col("date") != day).then("meal"))
    assert_fails(identities, holed, partition(), at=str(day), **CRUSH)
    null = holed.with_columns(
        pl.when(pl.col("meal").is_not_null()).then(pl.col(c)).alias(c)
        for c in ("crush", "oil_share")
    )
    assert_passes(identities, null, partition(), **CRUSH)


def test_f08_fahrenheit_among_degrees():
    """A station in Fahrenheit leaves its band; one warm month in Fahrenheit its years."""
    rows = weather()
    assert_passes(climatology, rows, partition("staging.ghcn"), **BANDS)
    warm = pl.col("value") * 1.8 + 32
    heat = pl.col("series") == "USW1.tmax"
    fake = rows.with_columns(value=pl.when(heat).then(warm).otherwise("value"))
    assert_fails(climatology, fake, partition("staging.ghcn"), at="band", **BANDS)
    april = heat & (pl.col("date").dt.strftime("%Y-%m") == "2017-04")
    one = rows.with_columns(value=pl.when(april).then(warm).otherwise("value"))
    wide = {**BANDS, "bands": {"USW*.tmax": ((-60.0, 160.0),)}}
    assert_passes(climatology, rows, partition("staging.ghcn"), **wide)
    assert_fails(climatology, one, partition("staging.ghcn"), at="2017-04", **wide)


def test_f08_rain_that_was_converted_twice():
    """Rain 254 times too small is no rain of a year, though each dry month is true."""
    rows = weather()
    assert_passes(climate_means, rows, partition("staging.ghcn"), **RAIN)
    rain = pl.col("series") == "USW1.prcp"
    fake = rows.with_columns(
        value=pl.when(rain).then(pl.col("value") / 254).otherwise("value")
    )
    assert_fails(climate_means, fake, partition("staging.ghcn"), at="USW1.prcp", **RAIN)
    short = fake.group_by("series").head(100)
    assert_passes(climate_means, short, partition("staging.ghcn"), **RAIN)


def test_f12_two_indices_under_one_name():
    """An index that is another one on every second day jumps there and back."""
    rows = column("dollar_index", seed=12, level=98.0)
    calm = rows.with_columns(98 * (pl.col("dollar_index") / 98) ** 0.1)
    assert_passes(one_series, {MASTER: calm}, effect(), **SERIES)
    tail = pl.int_range(pl.len()) >= pl.len() - 20
    turn = tail & (pl.int_range(pl.len()) % 2 == 0)
    fake = calm.with_columns(
        dollar_index=pl.when(turn)
        .then(pl.col("dollar_index") * 1.2)
        .otherwise("dollar_index")
    )
    assert_fails(one_series, {MASTER: fake}, effect(), at="dollar_index", **SERIES)
    once = pl.int_range(pl.len()) == 700
    spike = calm.with_columns(
        dollar_index=pl.when(once)
        .then(pl.col("dollar_index") * 1.2)
        .otherwise("dollar_index")
    )
    assert_passes(one_series, {MASTER: spike}, effect(), **SERIES)


@pytest.mark.parametrize(
    ("symbol", "close"), [("ZL", 14.38), ("ZL", 90.6), ("CL", -37.63), ("VIX", 82.69)]
)
def test_f43_a_range_that_rejects_true_history(symbol, close):
    """The ranges of universe.yaml hold true lows and highs; the ranges of F43 do not."""
    low, high = registry().universe.symbols[symbol].plausible
    rows = pl.DataFrame({"date": [date(2020, 4, 20)], "close": [close]})
    numbers = {"ranges": {"close": (low, high)}, "may_be_empty": ()}
    assert_passes(stays_in_range, rows, partition(), **numbers)
    if symbol == "CL":
        narrow = {"ranges": {"close": (10.0, 200.0)}, "may_be_empty": ()}
        assert_fails(stays_in_range, rows, partition(), at="close=-37.63", **narrow)
