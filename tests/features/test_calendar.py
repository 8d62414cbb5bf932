"""What the calendar says of a session, against real dates and plain walks.

The dates of expiries and last trades are the exchange's; no rule of the code is asked.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from cbi_stream.engine import probe
from cbi_stream.engine.graph import discover
from cbi_stream.registry.spec import Spec
from handlers.features.calendar import calendar
from tests.features.graded import grid, knowable, nothing, same, versions

FIRST, LAST = date(2014, 12, 1), date(2026, 7, 14)
STOCKS = "soybean_oil.us.ending_stocks"
MONTHS = (1, 3, 5, 7, 8, 9, 10, 12)


@pytest.fixture(scope="module")
def made(registry):
    """Return a function from sessions and reports to the features."""

    def of(sessions: pl.DataFrame, wasde: pl.DataFrame | None = None) -> pl.DataFrame:
        reports = nothing(registry, "staging.wasde") if wasde is None else wasde
        spec = Spec(registry, calendar.spec)
        return calendar(sessions=sessions, wasde=reports, spec=spec)

    return of


@pytest.fixture(scope="module")
def found(registry, made):
    """Return the features of twelve years."""
    return made(grid(registry, FIRST, LAST))


def _at(found: pl.DataFrame, day: date) -> dict:
    return found.row(by_predicate=pl.col("date") == day, named=True)


@pytest.mark.parametrize(
    ("last_trade", "month", "sessions_before"),
    [
        # Ten last trades of soybean oil, some before a 15th on a weekend; and how many
        # sessions the month's first one lies before it.
        (date(2018, 9, 14), 9, 8),
        (date(2019, 3, 14), 3, 9),
        (date(2020, 5, 14), 5, 9),
        (date(2021, 8, 13), 8, 9),
        (date(2022, 10, 14), 10, 9),
        (date(2023, 1, 13), 1, 8),
        (date(2024, 7, 12), 7, 8),
        (date(2024, 12, 13), 12, 9),
        (date(2025, 8, 14), 8, 9),
        (date(2025, 12, 12), 12, 9),
    ],
)
def test_sessions_are_counted_to_ten_real_last_trades(
    registry, found, last_trade, month, sessions_before
):
    """On the last trade none is left; the session after it counts to the next one."""
    here = _at(found, last_trade)
    assert here["sessions_to_last_trade"] == 0.0
    assert here["front_contract_month"] == month
    assert here["in_delivery_window"] == 1.0
    first_of_month = registry.sessions.on_or_after(last_trade.replace(day=1))
    counted = _at(found, first_of_month)["sessions_to_last_trade"]
    # Counted by hand from the month's first session on.
    assert counted == sessions_before
    after = _at(found, registry.sessions.on_or_after(last_trade + timedelta(days=1)))
    assert after["sessions_to_last_trade"] > 10
    assert after["front_contract_month"] != month


def test_delivery_is_what_a_walk_says(registry, found):
    """First notice, last trade and the window are those of a walk over contracts."""
    days = registry.sessions.days
    contracts = []
    for year in range(2014, 2028):
        for month in MONTHS:
            notice = max(d for d in days if d < date(year, month, 1))
            last = max(d for d in days if d < date(year, month, 15))
            contracts.append((notice, last, month))
    place = {day: i for i, day in enumerate(days)}
    for day in found["date"][::13]:
        here = _at(found, day)
        notice = min(n for n, _, _ in contracts if n >= day)
        front = min((c for c in contracts if c[1] >= day), key=lambda c: c[1])
        assert here["sessions_to_first_notice"] == place[notice] - place[day]
        assert here["sessions_to_last_trade"] == place[front[1]] - place[day]
        assert here["in_delivery_window"] == float(front[0] <= day)
        assert here["front_contract_month"] == front[2]


def test_the_front_is_in_delivery_on_a_third_of_sessions(found):
    """Since 2015 33.3 % of the sessions with a price are; the quant counted 966."""
    since = found.filter(pl.col("date") >= date(2015, 1, 1))
    assert since.height == 2900
    assert 100 * since["in_delivery_window"].mean() == pytest.approx(33.3, abs=0.5)


def test_options_expire_on_the_exchanges_dates(found):
    """Known expiries stand on their days, and every month has one."""
    for day in (date(2025, 2, 21), date(2025, 6, 20), date(2024, 11, 22)):
        assert _at(found, day)["sessions_to_option_expiry"] == 0.0
    # One a month, always a Friday or the session before a closed one.
    expiries = found.filter(pl.col("sessions_to_option_expiry") == 0)["date"]
    months = {(d.year, d.month) for d in expiries}
    assert len(months) == expiries.len() == 140 - 1
    assert {d.weekday() for d in expiries} <= {3, 4}


def test_positions_come_on_fridays_and_after_holidays_later(found):
    """Counted to the next report by rule: a federal holiday in its week moves it."""
    ahead = {d: _at(found, d)["sessions_to_positions"] for d in found["date"]}
    assert ahead[date(2024, 6, 11)] == 3.0
    assert ahead[date(2024, 6, 13)] == 1.0
    # The report of a Friday is out at the decision; Juneteenth moves the next one.
    assert ahead[date(2024, 6, 14)] == 5.0
    assert ahead[date(2024, 6, 18)] == 3.0
    assert min(ahead.values()) == 1.0
    # Christmas and New Year, with two closed days in a week.
    assert max(ahead.values()) <= 7.0


def test_positions_are_not_awaited_before_they_were_weekly(registry, made):
    """Before 2001 there was no weekday for them."""
    early = made(grid(registry, date(2000, 12, 1), date(2001, 1, 31)))
    held = early.filter(pl.col("sessions_to_positions").is_not_null())["date"]
    assert held[0] == date(2001, 1, 2)


def test_months_and_quarters_end_where_a_walk_says(registry, found):
    """What is left of a month and a quarter, and the days to the next session."""
    days = registry.sessions.days
    for day in found["date"][::37]:
        here = _at(found, day)
        later = [d for d in days if d > day]
        month = [d for d in later if (d.year, d.month) == (day.year, day.month)]
        quarter = [
            d
            for d in later
            if d.year == day.year and (d.month - 1) // 3 == (day.month - 1) // 3
        ]
        assert here["sessions_to_month_end"] == len(month)
        assert here["sessions_to_quarter_end"] == len(quarter)
        assert here["days_to_next_session"] == (later[0] - day).days


@pytest.mark.parametrize(
    ("name", "first", "last", "days"),
    [
        ("us_planting_share", (4, 1), (6, 30), 91),
        ("us_harvest_share", (9, 1), (11, 30), 91),
        ("brazil_planting_share", (10, 1), (12, 31), 92),
        ("brazil_harvest_share", (2, 1), (4, 30), None),
        ("argentina_harvest_share", (3, 1), (5, 31), 92),
    ],
)
def test_seasons_pass_day_by_day(found, name, first, last, days):
    """Outside of a season its share is 0; inside it is the days that have passed."""
    for day in found["date"]:
        begin, end = date(day.year, *first), date(day.year, *last)
        whole = days or (end - begin).days + 1
        share = ((day - begin).days + 1) / whole if begin <= day <= end else 0.0
        assert same(share, _by_day(found, name)[day])


def _by_day(found: pl.DataFrame, name: str) -> dict[date, float]:
    return _CACHE.setdefault(name, dict(found.select("date", name).iter_rows()))


_CACHE: dict[str, dict[date, float]] = {}


def test_circles_close(found):
    """A year and a week come back to where they began; both waves have length 1."""
    for name in ("year", "half_year", "week"):
        length = found[f"{name}_sin"] ** 2 + found[f"{name}_cos"] ** 2
        assert (length - 1.0).abs().max() < 1e-12
    assert _at(found, date(2019, 7, 3))["year_cos"] == pytest.approx(-1.0, abs=1e-3)
    mondays = found.filter(pl.col("date").dt.weekday() == 1)
    assert mondays["week_cos"].unique().to_list() == [1.0]


def test_wasde_is_counted_from_what_was_out(registry, made):
    """Days since the newest stamped report; another series and a later sight are none."""
    season = date(2018, 10, 1)
    noon = 16
    out = [date(2019, 1, 11), date(2019, 2, 8), date(2019, 3, 8)]
    rows = [
        (STOCKS, season, i, 1.0, knowable(day, after=0, hour=noon))
        for i, day in enumerate(out)
    ]
    rows.append(
        ("soybean_meal.us.exports", season, 0, 1.0, knowable(date(2019, 3, 1), after=0))
    )
    wasde = versions(rows)
    seen_again = versions(
        [(STOCKS, season, 9, 1.0, knowable(date(2019, 3, 20), after=0))]
    )
    wasde = pl.concat([wasde, seen_again.with_columns(basis=pl.lit("sight"))])
    found = made(grid(registry, date(2019, 1, 2), date(2019, 6, 28)), wasde)
    ages = dict(found.select("date", "days_since_wasde").iter_rows())
    assert ages[date(2019, 1, 10)] is None
    assert ages[date(2019, 1, 11)] == 0.0
    assert ages[date(2019, 2, 7)] == 27.0
    assert ages[date(2019, 3, 22)] == 14.0
    assert ages[date(2019, 5, 10)] == 63.0
    assert ages[date(2019, 5, 13)] is None


def test_the_end_of_the_calendar_guesses_nothing(registry, made):
    """Where the stored calendar ends, what lies beyond is null and no error."""
    last = registry.sessions.days[-1]
    found = made(grid(registry, last - timedelta(days=40), last))
    assert found["days_to_next_session"].null_count() == 1
    assert found["sessions_to_last_trade"].null_count() > 5
    assert found["year_sin"].null_count() == 0


def test_each_column_stands_in_the_registry_in_order(registry, found):
    """What is computed is what the registry says, as doubles."""
    named = [f.name for f in registry.feature_registry.of_table("features.calendar")]
    assert found.columns == ["date", *named]
    assert {kind for kind in found.schema.values() if kind != pl.Date} == {pl.Float64}
    held = found.drop("date", "days_since_wasde").null_count().sum_horizontal().item()
    assert held == 0


def test_nothing_looks_ahead(registry):
    """The engine's probe passes the family, bit for bit, and one session alone too."""
    graph = discover(registry)
    assert probe.check(graph, graph.node("features.calendar")).window_pure


def test_a_session_alone_has_the_bits_of_many(registry, made, found):
    """A row does not depend on which others are computed with it."""
    for at in range(0, found.height, 97):
        day = found["date"][at]
        assert made(grid(registry, day, day)).equals(found[at : at + 1])
    assert made(grid(registry, FIRST, LAST).clear()).height == 0
