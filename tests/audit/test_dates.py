"""When rows are: each fault is planted into a clean table, and the clean one passes.

No test here reads a file.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl

from tests.audit.making import bars, grave, said, sessions, told, wave


def monthly(n: int = 60) -> pl.DataFrame:
    """Return a clean monthly series."""
    days = [date(2015 + i // 12, i % 12 + 1, 1) for i in range(n)]
    return pl.DataFrame({"date": days, "value": wave(n)})


def weekly(n: int = 330) -> pl.DataFrame:
    """Return a clean weekly series from the first Tuesday of 2015 on."""
    days = [date(2015, 1, 6) + timedelta(days=7 * i) for i in range(n)]
    return pl.DataFrame({"report_date": days, "long": wave(n, level=5e4)})


def test_clean_tables_are_kept():
    """Clean bars, weeks and months ask for nothing and tell no quirk."""
    for frame in (bars(), weekly(), monthly()):
        one = told(frame)
        assert one.verdict == "keep"
        assert one.findings == ()


def test_a_hole_against_the_calendar():
    """A hole of 40 sessions asks for another file; one of five is a holiday."""
    frame = bars()
    found = told(pl.concat([frame[:100], frame[140:]]))
    assert "40 sessions missing" in said(found, "hole")
    assert found.verdict == "replace"
    assert told(pl.concat([frame[:100], frame[105:]])).verdict == "keep"


def test_a_shorter_hole_is_a_note():
    """Ten missing sessions are told, and alone ask for nothing."""
    frame = bars()
    found = told(pl.concat([frame[:100], frame[110:]]))
    assert "10 sessions missing" in said(found, "hole")
    assert found.verdict == "keep"


def test_days_that_the_source_lists_are_no_hole():
    """Rows without a value say that the source knew of the days: a note."""
    frame = bars()
    empty = [None if 100 <= i < 140 else v for i, v in enumerate(frame["close"])]
    found = told(frame.select("date").with_columns(pl.Series("value", empty)))
    assert found.verdict == "keep"
    assert said(found, "silent stretch")
    assert "40 rows without a value" in said(found, "empty rows")


def test_the_first_weeks_of_each_year_are_missing():
    """A hole that comes back at the turn of three years is told as one."""
    frame = weekly()
    cut = frame.filter(
        (pl.col("report_date").dt.month() > 2)
        | (pl.col("report_date").dt.year() == 2015)
    )
    found = told(cut)
    assert "6 years in a row" in said(found, "yearly hole")
    assert not said(told(frame), "yearly hole")


def test_one_missing_month_is_a_note():
    """A month that was never published is told; two in a row are a hole."""
    frame = monthly()
    one = told(pl.concat([frame[:20], frame[21:]]))
    assert "one period is missing" in said(one, "period missing")
    assert one.verdict == "keep"
    assert said(told(pl.concat([frame[:20], frame[23:]])), "hole")


def test_a_series_may_change_its_rhythm():
    """Quarters that become months are no hole."""
    quarters = [date(2000 + i // 4, 3 * (i % 4) + 1, 1) for i in range(40)]
    months = [date(2010 + i // 12, i % 12 + 1, 1) for i in range(60)]
    frame = pl.DataFrame({"date": [*quarters, *months], "value": wave(100)})
    assert told(frame).verdict == "keep"


def test_events_have_no_holes():
    """Dates that follow no rhythm are events: no hole is told."""
    days = [date(2015, 1, 1) + timedelta(days=i * i * 3) for i in range(25)]
    frame = pl.DataFrame({"date": days, "note": [f"event {i}" for i in range(25)]})
    assert told(frame).findings == ()


def test_intraday_rows_among_daily_ones():
    """Rows with a time of their own are found, and what is empty in them is named."""
    frame = bars().with_columns(pl.col("date").cast(pl.Datetime("us", "UTC")))
    hours = [datetime(2016, 4, 1, hour, 5, 12, tzinfo=UTC) for hour in (14, 16, 18)]
    late = pl.DataFrame({"date": hours, "close": [30.1, 30.2, 30.3]})
    found = told(pl.concat([frame, late], how="diagonal"))
    text = said(found, "intraday")
    assert "3 rows" in text
    assert "14:05, 16:05, 18:05" in text
    assert "open, high, low, volume are empty" in text
    assert found.verdict == "replace"
    assert told(frame).findings == ()


def test_midnight_in_new_york():
    """Stamps of 04:00 and 05:00 are summer and winter of one midnight: a note."""
    stamps = [
        datetime(d.year, d.month, d.day, 4 if 4 <= d.month <= 10 else 5, tzinfo=UTC)
        for d in sessions(300)
    ]
    found = told(bars().with_columns(pl.Series("date", stamps)))
    assert "04:00 or 05:00" in said(found, "stamped midnight")
    assert found.verdict == "keep"


def test_a_log_of_events_is_no_mixture():
    """Where each row has a time of its own nothing is intraday or stands twice."""
    stamps = [
        datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=377 * i)
        for i in range(100)
    ]
    found = told(pl.DataFrame({"time": stamps, "value": wave(100)}))
    assert not said(found, "intraday")
    assert not said(found, "duplicates")


def test_weekend_rows():
    """Saturdays in a daily series are told; a series of all days has none to tell."""
    frame = bars()
    saturday = frame[:1].with_columns(date=pl.lit(date(2015, 3, 7)))
    assert "2015-03-07" in said(told(pl.concat([frame, saturday])), "weekend")
    days = [date(2015, 1, 1) + timedelta(days=i) for i in range(300)]
    assert told(pl.DataFrame({"date": days, "value": wave(300)})).findings == ()


def filled(*, halfway: bool) -> pl.DataFrame:
    """Return a grid of all days whose weekends were filled in."""
    values = wave(700)
    for i in range(700):
        day = date(2015, 1, 5) + timedelta(days=i)
        if day.isoweekday() == 6 and i + 2 < 700:
            values[i] = (
                (values[i - 1] + values[i + 2]) / 2 if halfway else values[i - 1]
            )
        if day.isoweekday() == 7:
            values[i] = values[i - 1]
    days = [date(2015, 1, 5) + timedelta(days=i) for i in range(700)]
    return pl.DataFrame({"date": days, "value": values})


def test_weekends_between_friday_and_monday_look_ahead():
    """A Saturday halfway to Monday knows Monday; one that repeats Friday does not."""
    found = told(filled(halfway=True))
    assert "look ahead" in said(found, "weekend")
    assert found.verdict == "replace"
    held = told(filled(halfway=False))
    assert "repeat the day before" in said(held, "weekend")
    assert held.verdict == "keep"


def test_dates_after_the_loading():
    """A row dated after it was loaded is found, by the column that says when."""
    frame = monthly().with_columns(created_at=pl.lit(datetime(2020, 1, 15, tzinfo=UTC)))
    later = frame[-1:].with_columns(date=pl.lit(date(2020, 9, 1)))
    assert "2020-09-01" in said(told(pl.concat([frame, later])), "future")
    assert not said(told(frame), "future")


def test_a_date_far_off():
    """A row ten years before all others was dated wrong."""
    frame = monthly()
    early = frame[:1].with_columns(date=pl.lit(date(1900, 7, 1)))
    assert "1900-07-01" in said(told(pl.concat([frame, early])), "far date")
    assert not said(told(frame), "far date")


def test_rows_out_of_order():
    """Newest first and oldest first are orders; anything else is told."""
    frame = bars()
    assert told(frame.reverse()).findings == ()
    mixed = pl.concat([frame[100:], frame[:100]])
    assert {f.what for f in told(mixed).findings} == {"unsorted"}


def test_a_week_that_is_a_month():
    """A column called week that holds the month is found; the true week is not."""
    frame = weekly()
    day = pl.col("report_date").dt
    wrong = told(frame.with_columns(week=day.month().cast(pl.Int64)))
    assert "it holds the month on every row" in said(wrong, "calendar column")
    right = told(frame.with_columns(week=day.week().cast(pl.Int64), year=day.year()))
    assert not said(right, "calendar column")


def test_lines_below_the_table():
    """A footer has no date: it is counted, and asks for nothing."""
    frame = bars().with_columns(pl.col("date").cast(pl.String))
    footer = pl.DataFrame({"date": ["Downloaded at 5 pm"]})
    found = told(pl.concat([frame, footer], how="diagonal"))
    assert "1 rows have no date" in said(found, "undated")
    assert grave(found) == set()
