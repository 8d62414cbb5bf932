"""The term structure against plain walks over single contracts. Nothing asks a kernel.

A spread is of two named months, and null where one of them was not dropped.
"""

from __future__ import annotations

from datetime import date, timedelta
from math import fsum, log, sqrt

import numpy as np
import polars as pl
import pytest

from cbi_stream.engine import probe
from cbi_stream.engine.graph import discover
from cbi_stream.registry.spec import Spec
from handlers.features.curve import curve
from tests.features.graded import grid, same
from tests.oracles.conftest import REAL

FIRST, LAST = date(2017, 1, 3), date(2019, 12, 31)
LETTERS = {1: "F", 3: "H", 5: "K", 7: "N", 8: "Q", 9: "U", 10: "V", 12: "Z"}
GRAINS = {"soybeans": ("ZS", (1, 3, 5, 7, 8, 9, 11)), "corn": ("ZC", (3, 5, 7, 9, 12))}


@pytest.fixture(scope="module")
def made(registry):
    """Return a function from sessions and prices to the features."""

    def of(sessions: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
        spec = Spec(registry, curve.spec)
        return curve(sessions=sessions, prices=prices, spec=spec)

    return of


@pytest.fixture(scope="module")
def prices(registry):
    """Return closes of many contracts and of deferred months, with holes."""
    chance = np.random.Generator(np.random.PCG64(11))
    names = [
        f"ZL{letter}{year}" for year in (17, 18, 19, 20) for letter in LETTERS.values()
    ]
    names += ["ZL", "ZS", "ZC", "ZL_DEFERRED", "ZS_DEFERRED", "ZC_DEFERRED", "CL"]
    days = [d for d in registry.sessions.days if FIRST <= d <= LAST]
    rows = []
    for name in names:
        level = 35.0 * np.exp(np.cumsum(chance.normal(0, 0.01, len(days))))
        there = chance.random(len(days)) > (0.03 if name != "ZLK18" else 0.6)
        rows += [
            (name, day, round(float(price), 2) if seen else None)
            for day, price, seen in zip(days, level, there, strict=True)
            if seen or chance.random() < 0.5
        ]
    rows += [("ZLH18", days[0] - timedelta(days=1), -1.0)]
    schema = {"symbol": pl.String, "date": pl.Date, "close": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("symbol", "date")


def _before(registry, day: date) -> date:
    return max(d for d in registry.sessions.days if d < day)


def _contracts(registry) -> list[tuple[date, int, str]]:
    """Return first notice, months since the year 0 and name of each contract."""
    return [
        (_before(registry, date(y, m, 1)), y * 12 + m, f"ZL{letter}{y % 100}")
        for y in range(2016, 2022)
        for m, letter in LETTERS.items()
    ]


def _carry(near, far, price, day):
    """Return the spread of two contracts and that per month between them."""
    a, b = price.get((near[2], day)), price.get((far[2], day))
    if a is None or b is None:
        return None, None
    return log(b / a), log(b / a) / (far[1] - near[1])


def _minus(left, right):
    return None if left is None or right is None else left - right


def test_single_contracts_give_what_a_walk_gives(registry, made, prices):
    """Spread, carry, its change of the same pair, and the far end, session by session."""
    found = made(grid(registry, FIRST, LAST), prices)
    price = {(s, d): c for s, d, c in prices.iter_rows() if c is not None and c > 0}
    contracts, days = _contracts(registry), found["date"].to_list()
    wrong, held = [], 0
    for t in range(0, len(days), 5):
        ahead = [c for c in contracts if c[0] > days[t]]
        near, second = ahead[0], ahead[1]
        spread, carry = _carry(near, second, price, days[t])
        old = _carry(near, second, price, days[t - 20])[1] if t >= 20 else None
        dropped = [
            c for c in ahead if 3 <= c[1] - near[1] <= 12 and (c[2], days[t]) in price
        ]
        far = _carry(near, dropped[-1], price, days[t])[1] if dropped else None
        expected = {
            "contract_spread": spread,
            "contract_carry": carry,
            "contract_carry_change_20": _minus(carry, old),
            "far_carry": far,
            "carry_curvature": _minus(carry, far),
        }
        here = found.row(t, named=True)
        wrong += [
            (n, days[t], v, here[n])
            for n, v in expected.items()
            if not same(v, here[n])
        ]
        held += sum(v is not None for v in expected.values())
    assert wrong == []
    assert 400 < held < 5 * len(days) / 5, "values and nulls both are compared"


def test_deferred_months_stand_over_their_gap(registry, made, prices):
    """Each future's deferred month is the next listed one, per month between the two."""
    found = made(grid(registry, FIRST, LAST), prices)
    price = {(s, d): c for s, d, c in prices.iter_rows() if c is not None and c > 0}
    futures = {"target": ("ZL", tuple(LETTERS)), **GRAINS}
    carries: dict[str, list[float | None]] = {name: [] for name in futures}
    for day in found["date"]:
        for name, (symbol, months) in futures.items():
            a, b = price.get((symbol, day)), price.get((f"{symbol}_DEFERRED", day))
            listed = [(y, m) for y in range(2016, 2022) for m in months]
            # The last trade is before the 15th; no session lies between but those.
            trading = [(y, m) for y, m in listed if _last_trade(registry, y, m) >= day]
            (y1, m1), (y2, m2) = trading[:2]
            gap = (y2 - y1) * 12 + m2 - m1
            carries[name].append(None if None in (a, b) else log(b / a) / gap)
    columns = {"target": "deferred_carry", "soybeans": "soybeans_deferred_carry"}
    columns["corn"] = "corn_deferred_carry"
    for name, column in columns.items():
        pairs = zip(carries[name], found[column], strict=True)
        assert [p for p in pairs if not same(*p)] == [], name
    assert found["meal_deferred_carry"].null_count() == found.height
    _windows_hold(found, carries["target"])


_LAST: dict[tuple[int, int], date] = {}


def _last_trade(registry, year: int, month: int) -> date:
    if (year, month) not in _LAST:
        _LAST[year, month] = _before(registry, date(year, month, 15))
    return _LAST[year, month]


def _windows_hold(found: pl.DataFrame, carry: list[float | None]) -> None:
    """Hold change, rank and deviations against a walk over the carries."""
    for t in range(0, found.height, 17):
        here, row = carry[t], found.row(t, named=True)
        old = carry[t - 20] if t >= 20 else None
        assert same(_minus(here, old), row["deferred_carry_change_20"])
        year = [c for c in carry[max(0, t - 251) : t + 1] if c is not None]
        rank = None
        if here is not None and len(year) >= 189:
            ties = sum(c == here for c in year)
            rank = (sum(c < here for c in year) + (ties + 1) / 2) / len(year)
        assert same(rank, row["deferred_carry_rank_252"])
        quarter = [c for c in carry[max(0, t - 59) : t + 1] if c is not None]
        score = None
        if here is not None and len(quarter) >= 45:
            mean = fsum(quarter) / len(quarter)
            var = fsum((c - mean) ** 2 for c in quarter) / (len(quarter) - 1)
            score = (here - mean) / sqrt(var)
        assert same(score, row["deferred_carry_zscore_60"])


def test_a_late_slice_has_the_bits_of_the_whole(registry, made, prices):
    """A year computed from its own slice equals the same rows of all history."""
    whole = made(grid(registry, FIRST, LAST), prices)
    first = date(2019, 1, 1)
    span = registry.sessions.before(first)
    days = registry.sessions.days
    oldest = days[days.index(span) + 1 - 251]
    late = made(grid(registry, first, LAST), prices.filter(pl.col("date") >= oldest))
    assert late.equals(whole.filter(pl.col("date") >= first))
    assert late["deferred_carry_rank_252"].null_count() < late.height / 2


def test_later_prices_change_nothing(registry, made, prices):
    """Other prices after a session leave its row as it is."""
    whole = made(grid(registry, FIRST, LAST), prices)
    day = date(2018, 6, 1)
    after = pl.col("date") > day
    other = prices.with_columns(
        close=pl.when(after).then(pl.col("close") * 1.7).otherwise("close")
    )
    found = made(grid(registry, FIRST, LAST), other)
    until = pl.col("date") <= day
    assert found.filter(until).equals(whole.filter(until))
    assert not found.equals(whole)


def test_without_contracts_everything_is_null(registry, made, prices):
    """The front month alone has no curve, and no sessions give no rows."""
    sessions = grid(registry, date(2018, 1, 2), date(2018, 3, 29))
    found = made(sessions, prices.filter(pl.col("symbol").is_in(["ZL", "CL"])))
    cells = found.drop("date")
    assert found.height == sessions.height
    assert cells.null_count().sum_horizontal().item() == cells.height * cells.width
    assert made(sessions.clear(), prices.clear()).height == 0
    assert made(sessions, prices.clear()).height == sessions.height
    named = [f.name for f in registry.feature_registry.of_table("features.curve")]
    assert found.columns == ["date", *named]


def test_nothing_looks_ahead(registry):
    """The engine's probe passes the family, bit for bit."""
    graph = discover(registry)
    assert probe.check(graph, graph.node("features.curve")).window_pure


def _real(path: str, date_column: str, close: str, symbol: str) -> pl.DataFrame:
    file = REAL / path
    if not file.is_file():
        pytest.skip("no real files: the oracles need the folder shared/data/real")
    read = pl.read_csv(file, null_values=["null"], infer_schema_length=None)
    return read.select(
        symbol=pl.lit(symbol),
        date=pl.col(date_column).str.to_date(),
        close=pl.col(close).cast(pl.Float64),
    ).drop_nulls()


def test_real_months_step_together(registry, made):
    """The front and the deferred month of real files step after the same last trade."""
    front = _real("yahoo_csv_2021/ZL=F.csv", "Date", "Close", "ZL")
    behind = _real("quandl_chris/ZL.csv", "Date", "Settle", "ZL_DEFERRED")
    real = pl.concat([front, behind]).filter(
        pl.col("date").is_between(date(2010, 1, 4), date(2019, 11, 5))
    )
    found = made(grid(registry, date(2010, 1, 4), date(2019, 11, 5)), real)
    spread = found["deferred_spread"]
    # 27.52 over 27.34 on 2018-11-20, December and January: one month.
    here = found.row(by_predicate=pl.col("date") == date(2018, 11, 20), named=True)
    assert here["deferred_spread"] == pytest.approx(log(27.52 / 27.34), abs=1e-7)
    assert here["deferred_carry"] == here["deferred_spread"]
    jump = spread.diff().abs()
    traded = {_last_trade(registry, y, m) for y in range(2010, 2020) for m in LETTERS}
    steps = found["date"].shift(1).is_in(sorted(traded)).fill_null(value=False)
    usual = jump.filter(~steps).median()
    assert jump.filter(steps).median() > 5 * usual
    # One or two months of storage and interest: between -2 and 3 % a month.
    held = found["deferred_carry"].drop_nulls()
    assert held.len() > 2300
    assert held.is_between(-0.03, 0.03).all()
