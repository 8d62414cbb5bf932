"""What rows say: each fault is planted into a clean table, and the clean one passes.

No test here reads a file.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from tests.audit.making import bars, grave, said, sessions, told, wave, weather


def put(frame: pl.DataFrame, column: str, values: dict[int, float]) -> pl.DataFrame:
    """Return a table with other values in some rows of a column."""
    cells = frame[column].to_list()
    for i, value in values.items():
        cells[i] = value
    return frame.with_columns(pl.Series(column, cells))


def column(values: list[float | None], *, called: str = "value") -> pl.DataFrame:
    """Return a daily table of one column beside a clean one."""
    n = len(values)
    return pl.DataFrame({"date": sessions(n), called: values, "other": wave(n, seed=3)})


def test_a_column_of_zeros():
    """Zeros in every row of a measure are a hole; those of a volume are not."""
    dead = told(bars().with_columns(managed_money_net=pl.lit(0.0)))
    assert "managed_money_net" in said(dead, "zero column")
    assert dead.verdict == "replace"
    assert told(bars().with_columns(volume=pl.lit(0.0))).verdict == "keep"


def test_a_column_without_a_value():
    """An empty column is a note; a table with nothing but empty ones is no data."""
    one = told(bars().with_columns(score=pl.lit(None, pl.Float64)))
    assert "score" in said(one, "empty column")
    assert one.verdict == "keep"
    bare = pl.DataFrame({"date": sessions(30), "score": [None] * 30})
    assert told(bare).verdict == "archive"


def test_a_snapshot_poses_as_history():
    """One value over a year is a snapshot, also when each symbol has its own."""
    frames = [
        bars().with_columns(symbol=pl.lit(name), beta=pl.lit(beta))
        for name, beta in (("AA", 1.1), ("BB", 0.7))
    ]
    found = told(pl.concat([frames[0], frames[1].with_columns(pl.col("close") * 1.5)]))
    assert "beta never changes" in said(found, "snapshot")
    assert not said(told(frames[0].drop("beta")), "snapshot")


def test_a_placeholder_in_the_middle():
    """A half on every second row is put there; zeros of rain are not."""
    values = [0.5 if i % 2 else v / 60 for i, v in enumerate(wave(300))]
    found = told(column(values))
    assert "exactly 0.5 on 151 of 300 rows (50%)" in said(found, "placeholder")
    dry = [0.0 if i % 2 else v for i, v in enumerate(wave(300))]
    assert not said(told(column(dry)), "placeholder")


def test_a_word_for_missing():
    """-999 among prices is a word; 999 among values around 1,000 is a value."""
    found = told(put(bars(), "close", {50: -999.0, 51: -999.0}))
    assert "-999 on 2 rows" in said(found, "sentinel")
    near = put(bars(level=1000.0), "close", {50: 999.0})
    assert not said(told(near), "sentinel")


def test_the_end_is_zero():
    """Zeros at the end of a series that never had one are a hole."""
    values = [*wave(60), 0.0, 0.0, 0.0, 0.0]
    assert "0 on the last 4 rows" in said(told(column(values)), "zero tail")
    often = [0.0 if i % 5 == 0 else v for i, v in enumerate(wave(60))] + [0.0] * 4
    assert not said(told(column(often)), "zero tail")


def test_the_end_stands_still():
    """A price that stands for three weeks is stale; a rate that is set is not."""
    values = wave(200)
    stale = told(column([*values, *[values[-1]] * 15]))
    assert "stands at" in said(stale, "stale tail")
    rate = [float(2 + i // 20) for i in range(200)] + [12.0] * 90
    assert not said(told(column(rate)), "stale tail")


def test_frozen_at_the_first_row():
    """Rows that come back to the first row's value with a jump are found."""
    frame = bars()
    first = frame["close"][0]
    stuck = put(frame, "close", dict.fromkeys(range(255, 297, 7), first * 1.0))
    moved = stuck.with_columns(
        close=pl.when(pl.col("close") == first)
        .then(first)
        .otherwise(pl.col("close") * 1.6)
    )
    assert "the value of its first row, on 6 later rows" in said(
        told(moved), "frozen at the first"
    )
    assert not said(told(frame), "frozen at the first")


def test_two_series_under_one_name():
    """A column that goes to and fro between 99 and 121 holds two series."""
    mixed = [v if i % 2 else v + 22 for i, v in enumerate(wave(60, level=2.0))]
    frame = column([*wave(200, level=99.0), *[m + 97 for m in mixed]])
    found = told(frame)
    assert "several series under one name" in said(found, "two levels")
    assert found.verdict == "replace"


def test_several_values_a_day():
    """A rate with three values on each day is several rates; one that moves is one."""
    days = [d for d in sessions(30) for _ in range(3)]
    rates = [rate for _ in range(30) for rate in (4.22, 4.33, 4.48)]
    history = [round(4 + 0.01 * (i % 37), 2) for i in range(60)]
    before = sessions(60, first=date(2014, 1, 2))
    frame = pl.DataFrame({"date": [*before, *days], "rate": [*history, *rates]})
    assert "4.22 and 4.33 and 4.48" in said(told(frame), "two levels")


def test_a_coarse_rate_has_one_level():
    """A rate that is set in quarters and comes back is no mixture."""
    rate = [3.0 if i // 3 % 2 else 2.75 for i in range(300)]
    assert not said(told(column(rate)), "two levels")


@pytest.mark.parametrize("factor", [100.0, 0.01, 10.0, 25.4])
def test_a_jump_by_a_factor(factor):
    """A quiet series that is a hundred times itself from one day on changed its unit."""
    values = wave(200)
    jumped = [v * factor if i >= 120 else v for i, v in enumerate(values)]
    found = told(column(jumped))
    assert str(sessions(200)[120]) in said(found, "unit jump")
    assert found.verdict == "replace"


def test_a_true_jump_is_none():
    """Claims that rise twentyfold within weeks changed nothing but their value."""
    values = [*wave(100, level=250.0), 3300.0, 6900.0, 6600.0, *wave(60, level=4000.0)]
    assert not said(told(column(values)), "unit jump")


def test_a_level_gives_way_to_a_score():
    """Values of 15 to 30 that become values of 0 to 1 are two measures."""
    values = [*wave(100, level=20.0), *[v / 60 for v in wave(60)]]
    assert "a level, then a score" in said(told(column(values)), "level, then score")


def test_three_units_in_one_column():
    """Stations in Celsius, in tenths and in Fahrenheit are told apart."""
    clean = pl.concat([weather("A_1"), weather("A_2", shift=3.0)])
    assert told(clean).findings == ()
    mixed = pl.concat(
        [clean, weather("A_3", scale=0.1), weather("A_4", scale=1.8, shift=32.0)]
    )
    text = said(told(mixed), "mixed units")
    assert "3 units" in text
    assert "Celsius divided by 10 in 1 series (A_3" in text
    assert "Fahrenheit in 1 series (A_4" in text


def test_inches_among_millimetres():
    """Rain that is 25 times smaller at one station is in inches."""
    inches = weather("A_2").with_columns(pl.col("rain_mm") / 25.4)
    found = told(pl.concat([weather("A_1"), inches]))
    assert "inches in A_2" in said(found, "mixed units")


def test_no_rain_at_one_station():
    """A station with nothing but zeros among others that have rain is dead."""
    dry = weather("A_3").with_columns(rain_mm=pl.lit(0.0))
    places = [weather("A_1"), weather("A_2"), *[weather(f"B_{i}") for i in range(4)]]
    found = told(pl.concat([*places, dry]))
    assert "0 on all 400 rows of A_3" in said(found, "zero for a key")


def test_a_source_over_two_schemes():
    """A source that stands over ids of two agencies is a wrong label."""
    frame = pl.concat([weather("GHCND:US1"), weather("INMET_A702")])
    wrong = told(frame.with_columns(source_name=pl.lit("NOAA_GHCND")))
    assert "INMET (1 ids)" in said(wrong, "mislabelled source")
    own = pl.col("station_id").str.slice(0, 4).alias("source_name")
    assert not said(told(frame.with_columns(own)), "mislabelled source")


def test_bars_that_break():
    """A close above the high is told; one in twenty asks for another file."""
    frame = bars()
    high = float(frame["high"].max()) * 1.1
    few = told(put(frame, "close", {10: high}))
    assert "1 of 300 bars" in said(few, "ohlc")
    assert few.verdict == "keep"
    many = told(put(frame, "open", dict.fromkeys(range(0, 300, 10), high)))
    assert many.verdict == "replace"


def test_a_bar_that_misses_by_a_hair():
    """Quotes that miss their range by less than a tenth of a percent are a note."""
    frame = bars().with_columns(high=pl.max_horizontal("open", "close") * 0.9999)
    assert "0 of them by more than 0.1%" in said(told(frame), "ohlc")
    assert told(frame).verdict == "keep"


def test_a_negative_price_is_a_price():
    """Crude oil at -37.63 breaks nothing."""
    frame = put(bars(), "close", {150: -37.63})
    frame = put(put(frame, "low", {150: -40.32, 151: -37.7}), "open", {151: -37.63})
    assert grave(told(frame)) == set()


def test_cells_that_are_no_numbers():
    """Words in a column of numbers are told, and the others are still numbers."""
    text = bars().with_columns(pl.col("close").cast(pl.String))
    words = text["close"].to_list()
    words[7] = "see note"
    found = told(text.with_columns(pl.Series("close", words)))
    assert "'see note'" in said(found, "odd cells")
    assert found.verdict == "keep"


def test_days_stand_for_days():
    """The helper's clean tables are daily: a fault is not an artefact of the grid."""
    days = weather("A_1")["date"].to_list()
    assert days[1] - days[0] == timedelta(days=1)
