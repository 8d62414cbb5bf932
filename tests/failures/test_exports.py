"""F27, F28, F34, F42: training files that are copies, placeholders, or of another shape.

Each fault is planted into ten files that pass without it; no file is written.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from handlers.gates.carrying import nothing_carried
from handlers.gates.counts import feature_count, flags_present
from handlers.gates.exports import same_columns, ten_exports
from handlers.gates.weights import regime_count, weights
from tests.failures.frames import (
    assert_fails,
    assert_passes,
    effect,
    features,
    files,
    labels,
    market,
    partition,
)

FILES = {"features": "features.master", "labels": "labels.forward", "count": 10}
NUMBERS = {"least": {"prod": 150, "full": 300}, "most": {"prod": 300, "full": 1000}}
WEEK, MONTH = (f"zl_training_prod_allhistory_{h}" for h in ("1w", "1m"))
WEIGHT = {
    "column": "training_weight",
    "between": (50.0, 5000.0),
    "least_effective": 0.2,
    "over_years": 2.0,
}
REGIME = {
    "column": "regime",
    "least": 3,
    "over_years": 2.0,
    "calendar": "labels.regimes",
}


def world():
    """Return what the effect reads, and the files that it made of it."""
    tables = {"features.master": features(market()), "labels.forward": labels(market())}
    return tables, files(tables["features.master"], tables["labels.forward"])


def test_f27_copies_posing_as_horizons():
    """A month's file under the name of a week's fails, though its rows are right."""
    tables, made = world()
    assert_passes(ten_exports, tables, effect(files=made), **FILES)
    copied = made | {WEEK: made[MONTH]}
    assert_fails(ten_exports, tables, effect(files=copied), at="are equal", **FILES)
    label = ("target_price", "target_log_return", "target_up", "matures_on")
    month = made[MONTH].select("date", *label)
    posing = made[WEEK].drop(label).join(month, on="date", how="inner")
    assert_fails(
        ten_exports,
        tables,
        effect(files=made | {WEEK: posing}),
        at="labels are equal",
        **FILES,
    )


def test_f27_files_that_are_not_there():
    """Nine files, eleven, a row less and a row twice: each fails."""
    tables, made = world()
    nine = {name: frame for name, frame in made.items() if name != WEEK}
    assert_fails(ten_exports, tables, effect(files=nine), at=WEEK, **FILES)
    eleven = made | {"zl_training_prod_allhistory_2w": made[WEEK]}
    assert_fails(ten_exports, tables, effect(files=eleven), at="not named", **FILES)
    short = made | {WEEK: made[WEEK].slice(1)}
    assert_fails(ten_exports, tables, effect(files=short), at=WEEK, **FILES)
    twice = made | {WEEK: made[WEEK].vstack(made[WEEK].head(1))}
    assert_fails(ten_exports, tables, effect(files=twice), at=WEEK, **FILES)


def test_f34_files_of_another_shape():
    """A column less, one of another type, and one of the full surface: each fails."""
    tables, made = world()
    assert_passes(same_columns, tables, effect(files=made))
    for changed, where in (
        (made[WEEK].drop("close"), "close"),
        (made[WEEK].with_columns(pl.col("close").cast(pl.Float32)), "close"),
        (made[WEEK].with_columns(tpu_mean_30=1.0), "tpu_mean_30"),
        (made[WEEK].select("close", pl.exclude("close")), "order"),
    ):
        fault = made | {WEEK: changed}
        assert_fails(same_columns, tables, effect(files=fault), at=where)


def test_f34_the_number_of_features():
    """A surface with fewer features than it may have fails, and one without numbers."""
    tables, made = world()
    assert_passes(feature_count, tables, effect(files=made), **NUMBERS)
    few = made | {WEEK: made[WEEK].select("date", "close", "target_price")}
    assert_fails(feature_count, tables, effect(files=few), at="1 features", **NUMBERS)
    half = {"least": {"prod": 150}, "most": {"prod": 300}}
    assert_fails(feature_count, tables, effect(files=made), at="full", **half)


def weighted():
    """Return the week's file with three regimes, the calendar, and weights."""
    tables, made = world()
    year = pl.col("date").dt.year()
    named = pl.when(year < 2016).then(pl.lit("calm")).when(year < 2018).then(
        pl.lit("trade_war")
    ).otherwise(pl.lit("after"))  # fmt: skip
    weight = pl.when(year < 2016).then(100.0).when(year < 2018).then(1000.0)
    calendar = (
        tables["labels.forward"].select("date").unique().with_columns(regime=named)
    )
    file = made[WEEK].with_columns(
        regime=named, training_weight=weight.otherwise(600.0)
    )
    return {"labels.regimes": calendar}, file


def test_f28_a_placeholder_for_a_regime():
    """One regime on all rows, one that the calendar does not have, and a null fail."""
    tables, file = weighted()
    assert_passes(regime_count, tables, effect(files={WEEK: file}), **REGIME)
    for fake in ("allhistory", None):
        frame = file.with_columns(regime=pl.lit(fake, dtype=pl.String))
        fault = effect(files={WEEK: frame})
        assert_fails(regime_count, tables, fault, at=WEEK, **REGIME)
    gap = {
        "labels.regimes": tables["labels.regimes"].filter(
            pl.col("date").dt.year() > 2015
        )
    }
    assert_fails(regime_count, gap, effect(files={WEEK: file}), at="None", **REGIME)
    assert not regime_count({}, effect(files={WEEK: file}), **REGIME).passed
    assert not regime_count(tables, effect(), **REGIME).passed


def test_f28_a_weight_that_weighs_nothing():
    """A constant weight, one out of bounds, NaN and null fail; what is left is said."""
    tables, file = weighted()
    assert_passes(weights, tables, effect(files={WEEK: file}), **WEIGHT)
    found = weights(tables, effect(files={WEEK: file}), **WEIGHT).found
    assert f"of {file.height} rows in effect" in found
    first = pl.int_range(pl.len()) == 0
    for wrong in (49.0, 5001.0, float("nan"), None):
        frame = file.with_columns(
            training_weight=pl.when(first).then(wrong).otherwise("training_weight")
        )
        assert_fails(weights, tables, effect(files={WEEK: frame}), at=WEEK, **WEIGHT)
    same = file.with_columns(training_weight=100.0)
    assert_fails(weights, tables, effect(files={WEEK: same}), at="same", **WEIGHT)


def test_f28_a_young_lake_has_one_regime():
    """Three months lie in one regime, and none of their yearly labels is resolved."""
    tables, file = weighted()
    young = effect(files={WEEK: file.head(60), MONTH: file.head(0)})
    assert_passes(weights, tables, young, **WEIGHT)
    assert_passes(regime_count, tables, young, **REGIME)
    bare = effect(files={WEEK: file.head(0).drop("regime", "training_weight")})
    assert_fails(weights, tables, bare, at="training_weight", **WEIGHT)
    assert_fails(regime_count, tables, bare, at="regime", **REGIME)


def test_f42_a_few_rows_that_weigh_all():
    """Weights of which a handful count leave too small a sample in effect."""
    tables, file = weighted()
    heavy = pl.int_range(pl.len()) < 20
    frame = file.with_columns(
        training_weight=pl.when(heavy).then(5000.0).otherwise(50.0)
    )
    assert_fails(weights, tables, effect(files={WEEK: frame}), at="in effect", **WEIGHT)


def test_a_flag_that_is_a_number():
    """A flag of zeros and ones, a null and an absent one fail; true and false pass."""
    rows = pl.DataFrame({"date": [date(2015, 1, 2)], "flag": [True]})
    numbers = {"columns": ("flag",), "may_be_null": False}
    assert_passes(flags_present, rows, partition(), **numbers)
    for wrong in (
        rows.with_columns(flag=1),
        rows.with_columns(flag=pl.lit(None, dtype=pl.Boolean)),
        rows.drop("flag"),
    ):
        assert_fails(flags_present, wrong, partition(), at="flag", **numbers)


def test_a_held_partition_behind_the_files():
    """One held partition behind the tables fails, and names itself."""
    tables, _ = world()
    assert_passes(nothing_carried, tables, effect())
    held = effect(carried=("staging.prices/2020@0123456789ab",))
    assert_fails(nothing_carried, tables, held, at="staging.prices/2020")
