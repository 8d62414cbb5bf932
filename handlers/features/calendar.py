"""What the calendar alone says of a session: season, delivery, and reports to come.

A day to come is taken from the stored calendar of sessions, which is known in advance;
never from rows that follow. Closings by surprise (2001-09-11, days of mourning) stand
in that calendar as well. Reports whose dates are not a stated rule are not awaited:
those of WASDE are set by hand each year, so only the time since the newest is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from cbi_stream import Spec, grid, handler, known
from cbi_stream.kernels.release import released_at
from handlers.features.delivery import contracts, option_expiries, years_around
from handlers.features.seasons import circles, crops

_SEASON_DAYS = 500
"""A report of WASDE names seasons that began at most so many days before it."""
_REPORTED = "soybean_oil.us.ending_stocks"
"""Every report has it."""
_WASDE_DAYS = 65
"""It comes each month; an older one says that reports are missing."""
_TUESDAY = 2
"""By ISO's count of weekdays."""

_NAMES = (
    "year_sin", "year_cos", "half_year_sin", "half_year_cos", "week_sin", "week_cos",
    "us_planting_share", "us_harvest_share", "brazil_planting_share",
    "brazil_harvest_share", "argentina_harvest_share", "sessions_to_month_end",
    "sessions_to_quarter_end", "days_to_next_session", "sessions_to_first_notice",
    "sessions_to_last_trade", "in_delivery_window", "front_contract_month",
    "sessions_to_option_expiry", "sessions_to_positions", "days_since_wasde",
)  # fmt: skip


@handler(
    reads={
        "calendar.sessions": grid("staging.prices"),
        "staging.wasde": known(max_age=_SEASON_DAYS),
    },
    writes="features.calendar",
    spec=("settings", "universe", "closures", "data_sources.cftc"),
)
def calendar(
    sessions: pl.DataFrame, wasde: pl.DataFrame, *, spec: Spec
) -> pl.DataFrame:
    """Return one row of features per session of the target's extent."""
    listed = sessions.filter("listed").select("date", "decision_time")
    numbered = _numbered(spec)
    out = listed.join(numbered, on="date", how="left", maintain_order="left")
    years = years_around(out["date"], ahead=2)
    traded = contracts(spec, spec.settings.target, years)
    expiries = option_expiries(spec, years)
    out = out.with_columns(
        **circles(),
        **crops(),
        sessions_to_option_expiry=_until(out, numbered, expiries),
        sessions_to_positions=_to_positions(out, numbered, spec),
        days_since_wasde=_since_report(listed, wasde),
        **_front(out, numbered, traded),
    )
    return out.select("date", *_NAMES)


def _numbered(spec: Spec) -> pl.DataFrame:
    """Return the sessions of the calendar, counted, with what ends after them."""
    days = pl.DataFrame({"date": spec.sessions.days}, schema={"date": pl.Date})
    counted = days.with_columns(number=pl.int_range(pl.len(), dtype=pl.Int64))
    following = pl.col("date").shift(-1)
    year, month = pl.col("date").dt.year(), pl.col("date").dt.month()
    last = pl.col("number").max()
    return counted.with_columns(
        sessions_to_month_end=_float(last.over(year, month) - pl.col("number")),
        sessions_to_quarter_end=_float(
            last.over(year, (month - 1) // 3) - pl.col("number")
        ),
        days_to_next_session=_float((following - pl.col("date")).dt.total_days()),
    )


def _until(
    rows: pl.DataFrame,
    numbered: pl.DataFrame,
    days: Sequence[date] | pl.Series,
    *,
    beyond: bool = False,
) -> pl.Series:
    """Return how many sessions lie between each row and the first of `days` from it on.

    0 where it is one of them, or with `beyond` the next one's; null where none follows.
    """
    events = pl.DataFrame({"date": days}, schema={"date": pl.Date}).join(
        numbered.select("date", event="number"), on="date"
    )
    ahead = rows.select("date", "number").join_asof(
        events.sort("date"),
        on="date",
        strategy="forward",
        allow_exact_matches=not beyond,
    )
    return ahead.select(_float(pl.col("event") - pl.col("number"))).to_series()


def _front(
    rows: pl.DataFrame, numbered: pl.DataFrame, traded: pl.DataFrame
) -> dict[str, pl.Series | pl.Expr]:
    """Return where the contract in front stands, the one that stops trading next.

    First notice is that of the nearest contract which is not yet in delivery: while the
    contract in front is, it is the next one's. The window runs from its first notice
    day to its last trade, both inside.
    """
    front = rows.select("date").join_asof(
        traded.sort("last_trade"),
        left_on="date",
        right_on="last_trade",
        strategy="forward",
    )
    month = pl.col("month") % 12 + 1
    inside = pl.col("date") >= pl.col("first_notice")
    found = front.select(in_delivery_window=_float(inside), front=_float(month))
    return {
        "sessions_to_first_notice": _until(rows, numbered, traded["first_notice"]),
        "sessions_to_last_trade": _until(rows, numbered, traded["last_trade"]),
        "in_delivery_window": found["in_delivery_window"],
        "front_contract_month": found["front"],
    }


def _to_positions(rows: pl.DataFrame, numbered: pl.DataFrame, spec: Spec) -> pl.Series:
    """Return the sessions to the next Commitments of Traders, by their rule.

    Counted from the decision: on the session of a report it is the next report's. The
    release rule of data_sources.yaml without its delays, which nobody foresaw: while
    the government is closed no report comes, and this counts on.
    """
    first, last = rows["date"].min(), rows["date"].max()
    release, sessions = spec.source.release, spec.sessions
    if not isinstance(first, date) or not isinstance(last, date) or release is None:
        return pl.Series([None] * rows.height, dtype=pl.Float64)
    begin, end = first - timedelta(days=14), last + timedelta(days=21)
    around = pl.DataFrame({"date": pl.date_range(begin, end, "1d", eager=True)})
    tuesdays = around.filter(pl.col("date").dt.weekday() == _TUESDAY)
    terms = release.terms(spec.closures)
    terms["delays"] = ()
    out = tuesdays.select(released_at(pl.col("date"), **terms).dt.date()).to_series()
    # The first session from a release on is the first that can use it.
    inside = [day for day in out if day <= sessions.days[-1]]
    used = [sessions.on_or_after(day) for day in inside]
    until = _until(rows, numbered, used, beyond=True)
    weekly = rows["date"] >= spec.settings.positions_weekly_from
    return until.zip_with(weekly, pl.Series([None], dtype=pl.Float64))


def _since_report(listed: pl.DataFrame, wasde: pl.DataFrame) -> pl.Series:
    """Return the days since the newest WASDE that was out at the decision.

    Only stamped lines tell of a report; one that was seen again later is none. Null
    where the newest known one is over 65 days old.
    """
    mine = (pl.col("basis") == "stamp") & (pl.col("series") == _REPORTED)
    reports = wasde.filter(mine).select("knowable_at", season="date")
    pairs = listed.join_where(
        reports.unique(),
        pl.col("knowable_at") <= pl.col("decision_time"),
        pl.col("season") <= pl.col("date"),
        pl.col("season") >= pl.col("date").dt.offset_by(f"-{_SEASON_DAYS}d"),
    )
    newest = pairs.group_by("date").agg(pl.col("knowable_at").max())
    zone = "America/New_York"
    day = pl.col("knowable_at").dt.convert_time_zone(zone).dt.date()
    age = (pl.col("date") - day).dt.total_days()
    return (
        listed.join(newest, on="date", how="left", maintain_order="left")
        .select(pl.when(age <= _WASDE_DAYS).then(_float(age)))
        .to_series()
    )


def _float(number: pl.Expr) -> pl.Expr:
    return number.cast(pl.Float64)
