"""The simple rule on the lake's own prices gives every figure of an outside reading.

The expected figures were computed from the real file by other code, before this
project was written. They are compared as printed, and never recomputed to fit.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cbi_stream.lake.lake import Lake
from tests.oracles import real_lake, rules

# Front-month soybean oil, 2000-03-15 to 2021-06-09, forecast by the random walk.
ROWS = {
    "resolved/open": ["5,201/5", "5,185/21", "5,144/62", "5,085/121", "4,956/250"],
    "last": ["2021-06-02", "2021-05-10", "2021-03-11", "2020-12-11", "2020-06-09"],
    "mape/median": [
        "2.559/2.04",
        "5.423/4.22",
        "9.798/7.59",
        "14.421/10.78",
        "19.553/16.75",
    ],
    "mae": ["0.8853", "1.8738", "3.4227", "5.1340", "7.2386"],
    "log mae/rmse": [
        "0.02561/0.03325",
        "0.05435/0.07199",
        "0.09799/0.13040",
        "0.14527/0.19889",
        "0.20314/0.26601",
    ],
    "up, ties": ["50.05, 24", "52.07, 11", "52.80, 4", "54.73, 7", "54.32, 5"],
    "unique/greedy": ["1,092.6/1,090", "252.7/254", "86.3/85", "43.1/42", "21.3/21"],
}


def test_the_file_has_the_rows_that_were_counted(lake: Lake) -> None:
    """5,411 rows, 205 without a close, 5,206 priced, over the known span."""
    prices = real_lake.content(lake, "staging.prices")
    priced = prices.drop_nulls("close")
    assert (prices.height, prices["close"].null_count()) == (5_411, 205)
    assert priced.height == 5_206
    assert _span(prices) == _span(priced) == ("2000-03-15", "2021-06-09")


def test_staging_rounds_each_close_to_the_nearest_tick(lake: Lake, real: Path) -> None:
    """A staged close is the decimal with two places nearest to the file's cell."""
    with (real / real_lake.PRICES).open(newline="") as lines:
        cells = {row["Date"]: row["Close"] for row in csv.DictReader(lines)}
    prices = real_lake.content(lake, "staging.prices")
    staged = {str(d): c for d, c in prices.select("date", "close").iter_rows()}
    expected = {
        day: None if cell == "null" else float(f"{float(cell):.2f}")
        for day, cell in cells.items()
    }
    assert staged == expected


@pytest.mark.parametrize("name", rules.HORIZONS)
def test_the_simple_rule_gives_the_known_figures(lake: Lake, name: str) -> None:
    """Counts, errors, hit rate and independent labels agree to the printed digit."""
    priced = real_lake.content(lake, "staging.prices").drop_nulls("close")
    days, closes = rules.ordinals(priced["date"]), priced["close"].to_numpy()
    column = list(rules.HORIZONS).index(name)
    expected = {row: values[column] for row, values in ROWS.items()}
    assert rules.figures(days, closes, rules.HORIZONS[name]) == expected


@pytest.mark.parametrize(
    ("days", "horizon", "unique", "greedy"),
    [
        # Every row a day apart, labels of one day: none shares a row with another.
        ([1, 2, 3, 4], 1, 3.0, 3),
        # Labels (1,3] (2,4] (3,5]: rows 2 and 5 hold one label, rows 3 and 4 two.
        ([1, 2, 3, 4, 5], 2, 0.75 + 0.5 + 0.75, 2),
    ],
)
def test_uniqueness_on_rows_that_can_be_counted_by_hand(
    days: list[int], horizon: int, unique: float, greedy: int
) -> None:
    """The helper that judges the product is itself right on four and five rows."""
    made = rules.simple_rule(np.array(days), horizon)
    assert rules.uniqueness(made, len(days)) == pytest.approx(unique)
    assert rules.non_overlapping(made) == greedy


def _span(frame: pl.DataFrame) -> tuple[str, str]:
    return str(frame["date"].min()), str(frame["date"].max())
