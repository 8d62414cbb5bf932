"""F01, F02, F03, F20, F35: prices and labels that are not those of their day.

Each fault is planted into a table that passes without it; no check sees a stored table.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from handlers.gates.coverage import only_sessions
from handlers.gates.labels import (
    labels_covered,
    labels_covered_of_history,
    labels_true,
)
from handlers.gates.leakage import allowed_columns, no_leakage
from handlers.gates.placeholders import no_stamped_rows
from tests.failures.frames import (
    FIRST,
    assert_fails,
    assert_passes,
    column,
    effect,
    features,
    labels,
    market,
    partition,
)

STAMP = {"table": "features.master", "column": "close", "jump": 0.1, "apart": 60}
TRUE = {"labels": "labels.forward", "prices": "features.master", "tolerance": 1e-12}
LEAK = {
    "table": "features.master",
    "labels": "labels.forward",
    "price": "close",
    "equal": 0.98,
    "lead": 0.15,
    "sigmas": 5.0,
}
LABEL_NAMES = ("target_*", "*_lead*", "matures_on", "resolved")
ALLOWED = {"table": "features.master", "beside": ("date",), "labels": LABEL_NAMES}


def tables(rows, made=None):
    """Return what the effect reads."""
    return {
        "features.master": rows,
        "labels.forward": labels(market()) if made is None else made,
    }


def test_f01_the_first_price_stamped_on_later_rows():
    """Seventeen rows that repeat the first price after a jump fail; a return to it not."""
    rows = market().with_columns(
        close=pl.when(pl.int_range(pl.len()) == 500)
        .then(pl.col("close").first() * 1.2)
        .otherwise("close")
    )
    assert_passes(no_stamped_rows, tables(rows), effect(), **STAMP)
    tail = pl.int_range(pl.len()) >= pl.len() - 17
    last = rows.height - 18
    high = pl.when(pl.int_range(pl.len()) == last).then(pl.col("close").first() * 1.5)
    stamped = rows.with_columns(close=high.otherwise("close")).with_columns(
        close=pl.when(tail).then(pl.col("close").first()).otherwise("close")
    )
    day = str(rows["date"][last + 1])
    assert_fails(no_stamped_rows, tables(stamped), effect(), at=day, **STAMP)


def test_f01_a_row_on_a_saturday():
    """A row on a day that is no session fails."""
    rows = market()
    assert_passes(only_sessions, rows, partition())
    saturday = pl.DataFrame({"date": [date(2015, 9, 12)], "close": [rows["close"][0]]})
    assert_fails(only_sessions, rows.vstack(saturday), partition(), at="2015-09-12")


def test_f02_labels_that_are_not_known_yet():
    """A label of an open row that holds the first row's price fails, and so does its word."""
    made = labels(market())
    assert_passes(labels_true, tables(market(), made), effect(), **TRUE)
    still_open = pl.col("reason") == "open"
    fake = made.with_columns(
        target_price=pl.when(still_open).then(33.64).otherwise("target_price"),
        resolved=pl.lit(True),
    )
    assert_fails(labels_true, tables(market(), fake), effect(), at="33.64", **TRUE)
    word = made.with_columns(resolved=pl.lit(True))
    assert_fails(labels_true, tables(market(), word), effect(), at="horizon=", **TRUE)


def test_f02_a_hole_that_was_filled_with_the_next_close():
    """Where the session that decides has no price, the next close is no label."""
    rows = market()
    hole = rows["date"][200]
    holed = rows.with_columns(close=pl.when(pl.col("date") != hole).then("close"))
    made = labels(holed)
    assert_passes(labels_true, tables(holed, made), effect(), **TRUE)
    filled = labels(rows)
    assert_fails(labels_true, tables(holed, filled), effect(), at=str(hole), **TRUE)


def test_f03_rows_counted_for_days():
    """Labels that are 7 or 30 rows ahead, and not days, fail; so does one cent."""
    made = labels(market())
    prices = market()
    shifted = made.join(
        prices.select("date", far=pl.col("close").shift(-7)), on="date", how="left"
    ).with_columns(
        target_price=pl.when(pl.col("horizon") == "1w")
        .then("far")
        .otherwise("target_price")
    )
    assert_fails(
        labels_true, tables(prices, shifted), effect(), at="horizon=1w", **TRUE
    )
    cent = made.with_columns(
        target_price=pl.when(pl.int_range(pl.len()) == 777)
        .then(pl.col("target_price") + 0.01)
        .otherwise("target_price")
    )
    assert_fails(
        labels_true, tables(prices, cent), effect(), at=str(made["date"][777]), **TRUE
    )


def test_f03_prices_of_several_symbols():
    """Staged prices are those of the target: another symbol's close is no label."""
    made = labels(market())
    staged = pl.concat(
        [
            market().with_columns(symbol=pl.lit("ZL")),
            market().with_columns(pl.col("close") * 2, symbol=pl.lit("ZS")),
        ]
    )
    numbers = {**TRUE, "prices": "staging.prices"}
    there = {"staging.prices": staged, "labels.forward": made}
    assert_passes(labels_true, there, effect(), **numbers)
    others = there | {"staging.prices": staged.filter(symbol="ZS")}
    assert_fails(labels_true, others, effect(), at="horizon=1w", **numbers)


def test_f03_a_horizon_that_nobody_named():
    """A label of another horizon cannot be recomputed, so it fails."""
    made = labels(market())
    fake = made.with_columns(horizon=pl.lit("2w"))
    assert_fails(labels_true, tables(market(), fake), effect(), at="horizon=2w", **TRUE)


def test_f20_a_feature_that_is_tomorrows_return():
    """Tomorrow's return, a price of next week and a label itself are each seen."""
    clean = features(market())
    assert_passes(no_leakage, tables(clean), effect(), **LEAK)
    log = pl.col("close").log()
    made = labels(market()).filter(horizon="3m").select("date", x="target_log_return")
    for said, leak in {
        "tomorrow": log.shift(-1) - log,
        "month ahead": log.shift(-20) - log,
        "next close": pl.col("close").shift(-1),
    }.items():
        leaky = clean.with_columns(vix=leak)
        assert_fails(no_leakage, tables(leaky), effect(), at="vix", **LEAK)
        assert said
    label = clean.drop("vix").join(made.rename({"x": "vix"}), on="date", how="left")
    assert_fails(no_leakage, tables(label), effect(), at="label:3m", **LEAK)


def test_f20_a_price_of_the_month_to_come():
    """The price at which a label matures is that label, whatever its unit."""
    made = labels(market()).filter(horizon="1m").select("date", x="target_price")
    leaky = features(market()).drop("vix").join(made, on="date", how="left")
    leaky = leaky.with_columns(vix=pl.col("x") * 22.0462).drop("x")
    assert_fails(no_leakage, tables(leaky), effect(), at="vix over the price", **LEAK)


def test_f20_what_knows_the_past_passes():
    """Today's return, a mean and a level that is nearly the price are no leaks."""
    rows = market()
    log = pl.col("close").log()
    honest = rows.with_columns(
        return_1=log - log.shift(1),
        mean_20=pl.col("close").rolling_mean(20),
        near=pl.col("close") * 1.01,
    )
    assert_passes(no_leakage, tables(honest), effect(), **LEAK)


def test_f20_a_column_that_nobody_registered():
    """A column outside the registry, and one named like a label, fail."""
    clean = features(market())
    assert_passes(allowed_columns, tables(clean), effect(), **ALLOWED)
    for name in ("corr_lead_5", "target_1w", "nn_forecast_1week"):
        fault = clean.with_columns(pl.col("close").alias(name))
        assert_fails(allowed_columns, tables(fault), effect(), at=name, **ALLOWED)


def test_f35_open_labels_are_no_loss():
    """The open tail counts for nothing; labels that are lost do count."""
    made = labels(market())
    numbers = {"least": 0.95, "since": FIRST, "tolerated": 5}
    assert made.filter(reason="open").height > 300
    assert_passes(labels_covered, made, partition("labels.forward"), **numbers)
    gone = (pl.col("date") < date(2015, 6, 30)) & (pl.col("horizon") == "6m")
    lost = made.with_columns(
        resolved=pl.col("resolved") & ~gone,
        reason=pl.when(gone).then(pl.lit("missing_settlement")).otherwise("reason"),
    )
    assert_fails(labels_covered, lost, partition("labels.forward"), at="6m", **numbers)
    every = {
        "labels": "labels.forward",
        "least": 0.95,
        "since": FIRST,
        "tolerated": 5,
    }
    assert_passes(labels_covered_of_history, tables(market(), made), effect(), **every)
    assert_fails(
        labels_covered_of_history,
        tables(market(), lost),
        effect(),
        at="horizon=6m",
        **every,
    )


def test_f35_a_label_without_a_word():
    """A row that is neither resolved nor open is lost, also where its reason is null."""
    made = labels(market()).with_columns(resolved=None, reason=None)
    made = made.with_columns(pl.col("resolved").cast(pl.Boolean))
    since = FIRST + timedelta(days=1)
    assert_fails(
        labels_covered,
        made,
        partition("labels.forward"),
        at="2015",
        least=0.95,
        since=since,
        tolerated=5,
    )


def test_the_walk_of_another_column_is_no_leak():
    """A walk of its own has a correlation with levels, and none with returns."""
    assert_passes(no_leakage, tables(column("vix", seed=3)), effect(), **LEAK)
