"""Indices of uncertainty against a walk in plain Python, and the quant's hit rates.

Nothing here asks the code under test how a window is cut.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from math import log
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from handlers.features.policy import policy
from handlers.features.uncertainty import uncertainty
from tests.features.graded import grid, knowable, nothing, same, versions
from tests.oracles.conftest import REAL

FIRST, DAYS = date(2010, 1, 1), 2300
NAMES = ("x_mean_30", "x_ratio_7_30", "x_growth_30", "x_rank_1260")


@pytest.fixture(scope="module")
def index():
    """Return six years of a daily index with holes, nulls, ties and restatements."""
    chance = np.random.Generator(np.random.PCG64(5))
    rows = []
    for i in range(DAYS):
        day = FIRST + timedelta(days=i)
        value = round(float(np.exp(chance.normal(4.0, 0.6))))
        if chance.random() < 0.04:
            continue
        late = 2 if chance.random() < 0.97 else 9
        missing = chance.random() < 0.02
        rows.append(
            ("x", day, 0, None if missing else value, knowable(day, after=late))
        )
        if chance.random() < 0.2:
            rows.append(("x", day, 1, value * 1.1, knowable(day, after=late + 4)))
    # An outage: too few days for a mean, and nothing new for a week.
    hole = (date(2015, 9, 1), date(2015, 9, 20))
    return versions([row for row in rows if not hole[0] <= row[1] < hole[1]])


def _walk(rows: list[dict[str, object]], session: date, decision: datetime) -> dict:
    """Return the features of one session, from their words alone."""
    by_day: dict[date, list[dict[str, object]]] = {}
    for row in rows:
        by_day.setdefault(row["date"], []).append(row)
    out_at = {
        day: there[0]["knowable_at"]
        for day, there in by_day.items()
        if there[0]["value"] is not None
    }

    def mean(day: date, window: int, need: int) -> float | None:
        values = []
        for back in range(window):
            told = by_day.get(day - timedelta(days=back), [])
            seen = [r for r in told if r["knowable_at"] <= out_at[day]]
            if seen and seen[-1]["value"] is not None:
                values.append(seen[-1]["value"])
        return sum(values) / len(values) if len(values) >= need else None

    means = {d: mean(d, 30, 23) for d, t in out_at.items() if t <= decision}
    means = {d: m for d, m in means.items() if m is not None and d <= session}
    newest = max(means, default=date.min)
    if (session - newest).days > 5:
        return dict.fromkeys(NAMES)
    here, week = means[newest], mean(newest, 7, 6)
    old = means.get(newest - timedelta(days=30))
    among = [m for d, m in means.items() if 0 <= (newest - d).days < 1826]
    below, alike = sum(m < here for m in among), sum(m == here for m in among)
    rank = (below + (alike + 1) / 2) / len(among) if len(among) >= 1370 else None
    ratio = None if week is None else week / here
    growth = None if old is None else log(here / old)
    return dict(zip(NAMES, (here, ratio, growth, rank), strict=True))


def test_a_walk_finds_the_same_numbers(registry, index):
    """Means, moves and ranks are those of a walk over the versions known by then."""
    sessions = grid(registry, date(2013, 8, 1), date(2016, 4, 20))
    found = uncertainty(sessions, index, prefix="x", max_age_days=5)
    rows = index.sort("date", "vintage").to_dicts()
    picked = [*range(0, sessions.height, 40), *range(525, 560, 4)]
    wrong = []
    for i in picked:
        row = found.row(i, named=True)
        expected = _walk(rows, row["date"], sessions["decision_time"][i])
        wrong += [
            f"{name} on {row['date']}: {expected[name]}, found {row[name]}"
            for name in NAMES
            if not same(expected[name], row[name])
        ]
    assert wrong == []
    there = found.drop_nulls()
    assert 100 < there.height < found.height, "values and nulls both are compared"
    assert there["x_rank_1260"].is_between(0.0, 1.0).all()


def test_a_slice_gives_the_bits_of_the_whole(registry, index):
    """One session with its own window alone has the same bits."""
    sessions = grid(registry, date(2015, 12, 1), date(2016, 3, 31))
    whole = uncertainty(sessions, index, prefix="x", max_age_days=5)
    assert whole["x_rank_1260"].null_count() < whole.height
    for i in (0, 31, 80):
        one = sessions[i : i + 1]
        oldest = one["date"][0] - timedelta(days=1861)
        near = index.filter(
            (pl.col("date") >= oldest)
            & (pl.col("knowable_at") <= one["decision_time"][0])
        )
        alone = uncertainty(one, near, prefix="x", max_age_days=5)
        assert alone.equals(whole[i : i + 1])


def test_what_comes_later_changes_nothing(registry, index):
    """Rows and versions that were not out at a decision leave its row alone."""
    sessions = grid(registry, date(2016, 1, 4), date(2016, 1, 29))
    plain = uncertainty(sessions, index, prefix="x", max_age_days=5)
    cut = sessions["decision_time"][5]
    late = pl.col("knowable_at") > cut
    other = index.with_columns(
        value=pl.when(late).then(pl.col("value") * 9 + 1).otherwise("value")
    )
    found = uncertainty(sessions, other, prefix="x", max_age_days=5)
    assert found[:6].equals(plain[:6])
    assert not found[12:].equals(plain[12:])


def test_the_handler_draws_on_the_series_that_it_names(registry):
    """Each index moves its own features alone, and no index leaves nulls."""
    sessions = grid(registry, date(2015, 12, 1), date(2015, 12, 31))
    days = [FIRST + timedelta(days=i) for i in range(DAYS)]
    used = {
        "tpu": ["daily_tpu_index"],
        "epu": ["us.daily"],
        "gpr": ["gprd", "gprd_threat", "gprd_act"],
    }
    empty = {
        name: nothing(registry, f"staging.{name}")
        for name in ("tpu", "epu", "gpr", "documents", "events", "policy_rates")
    }
    features = registry.feature_registry.of_table("features.policy")
    nulls = policy(sessions=sessions, **empty)
    assert nulls.columns == ["date", *(f.name for f in features)]
    assert nulls.drop(
        "date"
    ).null_count().sum_horizontal().item() == sessions.height * (nulls.width - 1)
    for source, names in used.items():
        for series in names:
            rows = [
                (series, d, 0, float(100 + i % 37), knowable(d, after=2))
                for i, d in enumerate(days)
            ]
            given = empty | {source: versions(rows)}
            found = policy(sessions=sessions, **given)
            moved = {
                n for n in found.columns[1:] if found[n].null_count() < found.height
            }
            named = {f.name for f in features if f"{source}.{series}" in f.sources}
            assert moved == named


def _trade_policy() -> pl.DataFrame:
    """Return the real index as staged: out on the second morning in New York."""
    path = REAL / "tpu" / "All_Daily_TPU_Data.csv"
    if not path.is_file():
        pytest.skip("no real files: the oracles need the folder shared/data/real")
    read = pl.read_csv(path, schema_overrides={"daily_tpu_index": pl.Float64})
    morning = (pl.col("date") + pl.duration(days=2)).dt.combine(time(6))
    zone = "America/New_York"
    return read.select(
        date=pl.date("year", "month", "day"),
        vintage=pl.lit(0, pl.Int64),
        value="daily_tpu_index",
    ).with_columns(
        knowable_at=morning.dt.replace_time_zone(zone)
        .dt.convert_time_zone("UTC")
        .dt.cast_time_unit("us")
    )


def _episodes(hits: list[int]) -> int:
    return sum(b - a > 20 for a, b in zip([-99, *hits], hits, strict=False))


def test_trade_policy_is_as_uncertain_as_the_quant_says(registry):
    """The real index is in its top 5 and 1 % of five years on 12.7 and 5.5 % of days."""
    rows = _trade_policy()
    ranks = []
    for year in range(2000, 2027):
        first = max(date(year, 1, 1), date(2000, 3, 15))
        last = min(date(year, 12, 31), date(2026, 7, 14))
        sessions = grid(registry, first, last)
        near = rows.filter(
            pl.col("date").is_between(first - timedelta(days=1900), last)
        )
        found = uncertainty(sessions, near, prefix="tpu", max_age_days=5)
        ranks += found["tpu_rank_1260"].to_list()
    known = [r for r in ranks if r is not None]
    assert len(known) / len(ranks) == pytest.approx(0.998, abs=0.003)
    for limit, share, episodes in ((0.95, 12.7, 16), (0.99, 5.5, 12)):
        hits = [i for i, r in enumerate(ranks) if r is not None and r > limit]
        assert 100 * len(hits) / len(known) == pytest.approx(share, abs=0.5)
        assert _episodes(hits) == episodes


def test_a_value_is_not_seen_before_its_morning(registry):
    """The real index of a day enters on the second session after it, not before."""
    rows = _trade_policy()
    sessions = grid(registry, date(2025, 4, 7), date(2025, 4, 11))
    spike = rows.with_columns(
        value=pl.when(pl.col("date") == date(2025, 4, 7)).then(1e6).otherwise("value")
    )
    plain, spiked = (
        uncertainty(sessions, r, prefix="x", max_age_days=5)["x_mean_30"]
        for r in (rows, spike)
    )
    moved = [a != b for a, b in zip(plain, spiked, strict=True)]
    assert moved == [False, False, True, True, True]
    local = datetime(2025, 4, 9, 6, tzinfo=ZoneInfo("America/New_York"))
    known = rows.filter(pl.col("date") == date(2025, 4, 7))["knowable_at"][0]
    assert known == local.astimezone(UTC)
