"""What stands twice and what nobody measured: planted, and a clean twin beside it.

No test here reads a file.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl

from tests.audit.making import bars, grave, said, sessions, told, wave


def two(*names: str) -> pl.DataFrame:
    """Return clean bars of several symbols, each with prices of its own."""
    frames = [
        bars(level=30.0 + 20 * i).with_columns(symbol=pl.lit(name))
        for i, name in enumerate(names)
    ]
    return pl.concat(frames)


def test_rows_that_stand_twice():
    """Copies are counted by how often they stand; clean keys share dates rightly."""
    frame = two("ZL", "ZS")
    assert told(frame).findings == ()
    found = told(pl.concat([frame, frame[:50], frame[:50]]))
    assert "50 of 600 dates stand several times (50 with 3 rows)" in said(
        found, "duplicates"
    )
    assert "all copies agree" in said(found, "duplicates")
    assert found.verdict == "replace"


def test_rows_that_contradict():
    """Two values of one date are shown side by side; bookkeeping does not count."""
    frame = two("ZL", "ZS").with_columns(ingest_id=pl.int_range(600))
    other = frame[100:110].with_columns(pl.col("close") + 1)
    text = said(told(pl.concat([frame, other])), "contradictions")
    assert "10 dates have different values (ZL 10)" in text
    assert f"{frame['close'][100]:.6g} and {other['close'][0]:.6g}" in text
    loaded_again = frame[100:110].with_columns(pl.col("ingest_id") + 1000)
    assert not said(told(pl.concat([frame, loaded_again])), "contradictions")


def test_one_slip_is_a_note():
    """One date of a thousand that stands twice is told and asks for nothing."""
    frame = bars(1200)
    found = told(pl.concat([frame, frame[5:6].with_columns(pl.col("close") * 1.001)]))
    assert said(found, "contradictions")
    assert grave(found) == set()


def test_a_copied_column():
    """Two measures that are equal wherever both have a value are one."""
    frame = bars().with_columns(
        china=pl.col("close") * 0.37 + 1, tariff=pl.col("close") * 0.37 + 1
    )
    gaps = frame.with_columns(
        tariff=pl.when(pl.int_range(300) % 3 == 0)
        .then(None)
        .otherwise(pl.col("tariff"))
    )
    found = told(gaps)
    assert "china and tariff are equal on all 200 rows" in said(found, "copied column")
    assert found.verdict == "replace"


def test_close_and_adjusted_close_may_be_equal():
    """Two prices of one bar that are equal are a note."""
    found = told(bars().with_columns(pl.col("close").alias("Adj Close")))
    assert said(found, "copied column")
    assert found.verdict == "keep"


def test_one_series_under_two_names():
    """Two symbols with the same closes are one; two that move together are two."""
    frame = two("DXY", "ZS")
    again = frame[:300].with_columns(symbol=pl.lit("DX-Y.NYB"))
    found = told(pl.concat([frame, again]))
    assert "DX-Y.NYB and DXY are one series" in said(found, "one series, two names")
    near = again.with_columns(pl.col("open", "high", "low", "close") * 1.001)
    assert not said(told(pl.concat([frame, near])), "one series, two names")


def test_what_one_key_leaves_empty():
    """Columns that one symbol never fills are told together."""
    frame = two("ZL", "ZS").with_columns(source_name=pl.lit("yahoo"))
    hollow = frame[300:].with_columns(
        volume=pl.lit(None, pl.Float64), source_name=pl.lit(None, pl.String)
    )
    text = said(told(pl.concat([frame[:300], hollow])), "empty for a key")
    assert "volume, source_name have no value on all 300 rows of ZS" in text


def test_sources_that_disagree():
    """Two sources of one name that differ by a fifth are two series."""
    one = pl.DataFrame(
        {"date": sessions(40), "indicator": "dollar", "value": wave(40, level=99)}
    )
    other = one.with_columns(pl.col("value") * 1.22, source=pl.lit("FRED"))
    frame = pl.concat([one.with_columns(source=pl.lit("Yahoo")), other])
    assert "FRED and Yahoo differ by 18%" in said(told(frame), "two sources")
    near = other.with_columns(pl.col("value") / 1.22 * 1.001)
    frame = pl.concat([one.with_columns(source=pl.lit("Yahoo")), near])
    assert not said(told(frame), "two sources")


def test_a_source_that_says_that_it_is_made_up():
    """A source called synthetic measured nothing; one called NASS did."""
    frame = bars(60).with_columns(source=pl.lit("ours_Synthetic"))
    assert told(frame).verdict == "archive"
    assert told(bars(60).with_columns(source=pl.lit("USDA_NASS"))).verdict == "keep"


def test_a_template_that_nobody_filled():
    """'None -> None' is a template; a sentence with the word none is a text."""
    stamps = [
        datetime(2025, 1, 1, 8, tzinfo=UTC) + timedelta(hours=5 * i) for i in range(20)
    ]
    hollow = pl.DataFrame(
        {"published": stamps, "content": [f"Trade {i}: None -> USA" for i in range(20)]}
    )
    assert told(hollow).verdict == "archive"
    lawful = hollow.with_columns(
        content=pl.Series([f"None of the {i + 2} crops failed" for i in range(20)])
    )
    assert told(lawful).verdict == "keep"


def test_texts_that_come_again():
    """Forty rows with four texts are ten times the same story."""
    stamps = [
        datetime(2025, 1, 1, 8, tzinfo=UTC) + timedelta(minutes=i) for i in range(40)
    ]
    frame = pl.DataFrame(
        {"published": stamps, "title": [f"Story {i % 4}" for i in range(40)]}
    )
    assert "40 rows hold 4 different texts" in said(told(frame), "repeated texts")
    own = frame.with_columns(title=pl.Series([f"Story {i}" for i in range(40)]))
    assert not said(told(own), "repeated texts")


def test_a_ladder():
    """A price that rises by 5 on each of ten rows was typed; a moving one was not."""
    days = [date(2025, 9, 2) + timedelta(days=7 * i) for i in range(10)]
    steps = [955.0 + 5 * i for i in range(10)]
    found = told(pl.DataFrame({"date": days, "peso": steps}))
    assert "exactly 5 on each of 10 rows (955 to 1000)" in said(found, "ladder")
    assert found.verdict == "archive"
    steps[4] += 1
    assert told(pl.DataFrame({"date": days, "peso": steps})).verdict == "keep"


def test_an_exact_share():
    """Imports that are 30 % of others on every row were computed; dollars of cents too, rightly."""
    total = [round(v, 1) for v in wave(40, level=100)]
    frame = pl.DataFrame({"date": sessions(40), "total": total})
    typed = told(frame.with_columns(ours=pl.col("total") * 0.3))
    assert "ours is exactly 30% of total on 40 of 40 rows" in said(typed, "exact share")
    assert typed.verdict == "archive"
    assert told(frame.with_columns(cents=pl.col("total") * 100)).verdict == "keep"


def test_dates_of_a_machine():
    """Dates 30 days apart follow no calendar; months and weeks do."""
    for step, verdict in ((30, "archive"), (7, "keep"), (1, "keep")):
        days = [date(2023, 11, 30) + timedelta(days=step * i) for i in range(24)]
        one = told(pl.DataFrame({"date": days, "value": wave(24)}))
        assert one.verdict == verdict, step


def test_too_many_digits():
    """A gallon told to eight decimals was computed; one told to a whole was not."""
    days = [date(2023 + i // 12, i % 12 + 1, 1) for i in range(24)]
    fine = [v * 1e6 / 7 for v in wave(24)]
    found = told(pl.DataFrame({"date": days, "gallons": fine}))
    assert "computed, not reported" in said(found, "too many digits")
    assert (
        told(pl.DataFrame({"date": days, "gallons": [round(v) for v in fine]})).verdict
        == "keep"
    )


def test_a_running_total_that_falls():
    """A total to date falls only where a season ends."""
    days = [date(2024, 9, 5) + timedelta(days=7 * i) for i in range(30)]
    total = [1000.0 * (i + 1) + i * i for i in range(30)]
    frame = pl.DataFrame(
        {"date": days, "marketing_year": ["2024/25"] * 30, "cumulative_mt": total}
    )
    assert told(frame).verdict == "keep"
    total[12] = 500.0
    fell = told(frame.with_columns(pl.Series("cumulative_mt", total)))
    assert "falls on 1 of 30 rows" in said(fell, "falling total")


def progress(first: date) -> pl.DataFrame:
    """Return the progress of a crop in two states, from a day on."""
    days = [first + timedelta(days=7 * i) for i in range(11)]
    shares = [2.0, 8, 18, 30, 48, 66, 76, 84, 90, 93, 96]
    states = [
        pl.DataFrame({"date": days, "state": s, "harvest_pct": shares})
        for s in ("IOWA", "OHIO")
    ]
    return pl.concat([states[0], states[1].with_columns(pl.col("harvest_pct") - 1)])


def test_planting_is_no_harvest():
    """Half of a harvest of the United States is not in by May; by October it is."""
    assert "planting, no harvest" in said(
        told(progress(date(2025, 4, 13))), "wrong measure"
    )
    assert not said(told(progress(date(2025, 9, 14))), "wrong measure")
    brazil = progress(date(2025, 2, 1)).with_columns(pl.col("state") + " do Sul")
    assert not said(told(brazil), "wrong measure")
