"""How FRED is asked: what changed first, then windows that lose no row."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from cbi_stream import SECRET, SourceRefused, SourceUnavailable, Want
from handlers.ingest.fred_ask import fred
from tests.ingest.asking import answer, named, param, poll_of, registry

DAYS = [str(date(2015, 1, 5) + timedelta(days=i)) for i in range(4500)]


def first(*series: str, **more: Any) -> Want:
    """Return the first question of a poll."""
    return next(fred.wants(poll_of("fred", *series, **more)))


def dates(*days: str, **more: Any) -> Any:
    """Return an answer with days of vintages."""
    told = {"count": len(days), "offset": 0, **more, "vintage_dates": list(days)}
    return answer(told)


def rows(count: int, **more: Any) -> Any:
    """Return an answer with rows."""
    entry = {"date": "x", "value": "1", "realtime_start": "x", "realtime_end": "x"}
    return answer(
        {"count": count, "offset": 0, **more, "observations": [entry] * count}
    )


def windows(
    want: Want, days: list[str]
) -> list[tuple[str | None, str | None, str | None]]:
    """Return start, end and cursor of each window that follows, all answered."""
    found, (want,) = [], want.follow(dates(*days))
    while True:
        if not want.lands:
            (want,) = want.follow(rows(1))
        found.append(
            (param(want, "realtime_start"), param(want, "realtime_end"), want.cursor)
        )
        following = list(want.follow(rows(1)))
        if not following:
            return found
        (want,) = following


def test_with_a_key_it_asks_when_a_series_changed() -> None:
    """From the beginning, with the key's place holder, and nothing lands."""
    want = first("GDP", keyed=True)
    assert (want.name, want.lands, want.key) == ("GDP.vintagedates.json", False, "GDP")
    assert param(want, "realtime_start") == "1776-07-04"
    assert param(want, "api_key") == SECRET
    assert param(want, "file_type") == "json"


def test_windows_overlap_by_one_day_and_hold_no_more_than_2000() -> None:
    """No row is lost where rows are cut; the last window has no end."""
    found = windows(first("DGS10", keyed=True), DAYS)
    assert [(s, e) for s, e, _ in found] == [
        (DAYS[0], DAYS[1999]),
        (DAYS[1999], DAYS[3998]),
        (DAYS[3998], "9999-12-31"),
    ]
    assert [cursor for _, _, cursor in found] == [DAYS[1999], DAYS[3998], DAYS[-1]]


@pytest.mark.parametrize("count", [1, 2, 3, 1999, 2000, 2001, 3999, 4000])
def test_every_vintage_lies_in_a_window(count: int) -> None:
    """Whatever their number: from the first to the last, with no gap."""
    found = windows(first("DGS10", keyed=True), DAYS[:count])
    assert found[0][0] == DAYS[0]
    assert found[-1][1:] == ("9999-12-31", DAYS[count - 1])
    for before, after in pairwise(found):
        assert before[1] == after[0]
        assert DAYS.index(str(before[1])) - DAYS.index(str(before[0])) <= 1999


def test_only_the_last_page_of_a_window_sets_the_cursor() -> None:
    """A page that fails must be asked for again: its window is not done."""
    (count,) = first("NFCI", keyed=True).follow(dates(*DAYS[:50]))
    assert (count.lands, param(count, "limit"), count.cursor) == (False, "1", None)
    (page,) = count.follow(answer({"count": 250_000, "observations": [0]}))
    seen = []
    while True:
        seen.append((page.name, param(page, "offset"), page.cursor))
        more = list(
            page.follow(answer({"count": 250_000, "observations": [0] * 100_000}))
        )
        if not more or len(seen) == 3:
            break
        (page,) = more
    assert seen == [
        ("NFCI.vintages.1.json", "0", None),
        ("NFCI.vintages.2.json", "100000", None),
        ("NFCI.vintages.3.json", "200000", DAYS[49]),
    ]


def test_nothing_is_asked_where_nothing_is_new() -> None:
    """The newest vintage is known: one small question a day."""
    known = {"GDP.vintages.1.json": "2026-03-27", "GDP.vintages.2.json": "2026-06-25"}
    want = first("GDP", keyed=True, cursors=known)
    assert param(want, "realtime_start") == "2026-06-25"
    same = dates("2026-06-25")
    assert want.judge(same) == "empty"
    assert list(want.follow(same)) == []


def test_what_is_new_begins_with_the_day_that_is_known() -> None:
    """One page, from the newest known vintage on; its cursor is the new one."""
    known = {"GDP.vintages.1.json": "2026-06-25"}
    want = first("GDP", keyed=True, cursors=known)
    new = dates("2026-06-25", "2026-07-30")
    assert want.judge(new) == "data"
    (page,) = want.follow(new)
    assert (page.name, page.cursor) == ("GDP.vintages.1.json", "2026-07-30")
    assert param(page, "realtime_start") == "2026-06-25"
    assert param(page, "realtime_end") == "9999-12-31"


def test_cursors_of_other_series_are_not_its_own() -> None:
    """GDP is not GDPC1."""
    want = first("GDP", keyed=True, cursors={"GDPC1.vintages.1.json": "2026-06-25"})
    assert param(want, "realtime_start") == "1776-07-04"


def test_since_asks_for_observations_from_then_on() -> None:
    """Every version of what is dated from that day."""
    want = first(
        "GDP",
        keyed=True,
        asked_since=date(2026, 1, 1),
        cursors={"GDP.vintages.1.json": "x"},
    )
    assert param(want, "realtime_start") == "2026-01-01"
    (page,) = want.follow(dates("2026-01-29"))
    assert param(page, "observation_start") == "2026-01-01"


def test_days_of_vintages_come_in_pages_too() -> None:
    """More than ten thousand: the rest is asked for before any window."""
    (more,) = first("DFF", keyed=True).follow(dates(*DAYS[:3], count=5))
    assert (more.name, param(more, "offset")) == ("DFF.vintagedates.json", "3")
    (page,) = more.follow(dates(*DAYS[3:5], count=5))
    assert param(page, "realtime_start") == DAYS[0]


def test_a_series_without_vintages_is_asked_plainly() -> None:
    """Its values count as seen when they are asked for."""
    want = first("GDP", keyed=True)
    assert want.judge(dates()) == "data"
    assert named(want.follow(dates())) == ["GDP.json"]


def test_without_a_key_it_asks_for_the_graph() -> None:
    """One series a question; one that is restated is asked for as a whole."""
    landed = {"DGS10.csv": date(2026, 7, 14), "NFCI.csv": date(2026, 7, 14)}
    rate, index = fred.wants(poll_of("fred", "DGS10", "NFCI", landed=landed))
    assert rate.params == (("id", "DGS10"), ("cosd", "2025-06-09"))
    assert index.params == (("id", "NFCI"), ("cosd", "1900-01-01"))
    assert rate.name == "DGS10.csv"


def test_series_that_ended_are_not_asked() -> None:
    """They stay registered, and so readable."""
    asked = {want.key for want in fred.wants(poll_of("fred"))}
    held = registry().data_sources.sources["fred"].series
    assert held.keys() - asked == {"TEDRATE", "USSLIND", "STLFSI2", "PPICRM"}


ERRORS = [
    (400, "Bad Request.  The value for variable api_key is not registered.", "FRED_API_KEY"),
    (400, "Bad Request.  The series does not exist.", "does not exist"),
    (404, "Not Found.  The series does not exist.", "does not exist"),
    (400, "Bad Request.  There are 2004 vintage dates in the specified real-time period: "
          "1776-07-04 to 9999-12-31.  This exceeds the maximum number of vintage dates "
          "allowed (2000).", "too many vintages"),
    (400, "Bad Request.  Something else.", "refuses"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "message", "said"), ERRORS)
def test_a_refusal_is_named(status: int, message: str, said: str) -> None:
    """Each with its mend, with the source and the series, in JSON and in XML."""
    want = first("GDP", keyed=True)
    told = {"error_code": status, "error_message": message}
    with pytest.raises(SourceRefused, match=f"fred: GDP: .*{said}"):
        want.judge(answer(told, status))
    xml = f'<?xml version="1.0"?>\n<error code="{status}" message="{message}"/>'
    with pytest.raises(SourceRefused, match=f"fred: GDP: .*{said}"):
        want.judge(answer(xml.encode(), status))


def test_too_many_questions_and_pages_may_pass() -> None:
    """They are trouble, and no refusal: asking again may help."""
    want = first("GDP", keyed=True)
    said = {
        "error_code": 429,
        "error_message": "Too Many Requests.  Exceeded Rate Limit",
    }
    for content in (said, b"<html>Gateway Timeout</html>"):
        with pytest.raises(SourceUnavailable, match="fred"):
            want.judge(answer(content))


def test_rows_of_another_shape_stop_the_windows_behind_them() -> None:
    """A renamed field is refused before the cursor could pass over it."""
    (page,) = first("GDP", keyed=True).follow(dates("2026-01-29"))
    with pytest.raises(SourceRefused, match=r"fred: GDP: expected \['date'"):
        page.judge(answer({"count": 1, "observations": [{"date": "x"}]}))


def test_the_graph_of_another_or_no_series_is_seen() -> None:
    """A page with 404 is an unknown series; another header is trouble."""
    want = first("DGS10")
    with pytest.raises(SourceRefused, match="no such one"):
        want.judge(answer(b"<html>not here</html>", 404))
    for data in (b"<html>x</html>", b"PK\x03\x04", b"observation_date,GDP\n"):
        with pytest.raises(SourceUnavailable, match="fred: expected"):
            want.judge(answer(data))
    assert want.judge(answer(b"observation_date,DGS10\n")) == "empty"
    assert want.judge(answer(b"DATE,DGS10\r\n2024-01-02,.\r\n")) == "data"
