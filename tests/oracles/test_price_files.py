"""Every real price file through the door: its facts, its dirt, and what refuses it.

Expected values are those of the files' own cells and of the list of their known facts,
never of the tables that are judged.
"""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median

import polars as pl
import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.dropping import Hint, drop
from cbi_stream.doors.receipts import Receipt
from cbi_stream.engine import asof, fates
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock
from cbi_stream.words.span import Span
from handlers.ingest.fred import fred
from tests.oracles import price_road, real_lake, road

PRICES = ("open", "high", "low", "close")


@pytest.fixture(scope="module")
def told(
    real: Path, graph: Graph, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Lake, dict[str, Receipt]]:
    """Return the lake of all price files, and their receipts."""
    folder = tmp_path_factory.mktemp("prices") / "lake"
    return price_road.made(folder, graph, real)


@pytest.fixture(scope="module")
def priced(told: tuple[Lake, dict[str, Receipt]]) -> Lake:
    """Return the lake of all price files. Tests only read it."""
    return told[0]


@pytest.fixture(scope="module")
def staged(priced: Lake) -> pl.DataFrame:
    """Return every staged bar."""
    return real_lake.content(priced, "staging.prices")


def bar(staged: pl.DataFrame, symbol: str, day: date) -> dict[str, object]:
    """Return one staged bar."""
    found = staged.filter((pl.col("symbol") == symbol) & (pl.col("date") == day))
    return found.row(0, named=True)


def values(lake: Lake, source: str, series: str) -> dict[date, float]:
    """Return the staged values of a series by date."""
    rows = real_lake.content(lake, f"staging.{source}")
    return dict(
        rows.filter(pl.col("series") == series).select("date", "value").iter_rows()
    )


def cells(path: Path) -> list[list[str]]:
    """Return the cells of a file without quotes under its header."""
    return [line.split(",") for line in road.lines(path)]


def test_each_file_is_known_and_counted(told: tuple[Lake, dict[str, Receipt]]) -> None:
    """Source, symbol, lines and unreadable lines are those of the list of files."""
    found = {
        name: (each.source, each.key, each.lines, each.unreadable)
        for name, each in told[1].items()
    }
    assert found == price_road.FILES
    assert {each.end for each in told[1].values()} == {"archive"}
    remarks = [each.reason or "" for each in told[1].values()]
    assert not any("not registered" in remark for remark in remarks)


def test_every_line_is_accounted_for(priced: Lake, graph: Graph) -> None:
    """P5: no line of any of these files is lost; two trade on a Saturday."""
    counted = fates.of_lake(priced, graph)
    assert {
        name: each["unaccounted"] for name, each in counted.items()
    } == dict.fromkeys(counted, 0)
    turned_away = real_lake.content(priced, "quarantine.prices")
    weekend = turned_away.filter(pl.col("rules") == "weekend")
    assert weekend.select("symbol", "date").sort("symbol").rows() == [
        ("CT_DEFERRED", date(2014, 10, 18)),
        ("SB_DEFERRED", date(2014, 10, 18)),
    ]
    assert turned_away["rules"].unique().sort().to_list() == ["unreadable", "weekend"]


def test_true_extremes_stay(priced: Lake, staged: pl.DataFrame) -> None:
    """Negative oil, the highest VIX and the dearest oil are no mistakes."""
    oil = bar(staged, "CL", date(2020, 4, 20))
    assert (oil["close"], oil["low"]) == (-37.63, -40.32)
    fear = bar(staged, "VIX", date(2020, 3, 16))
    assert (fear["close"], fear["source"]) == (82.69, "cboe+yfinance")
    assert bar(staged, "ZL", date(2022, 4, 28))["close"] == 90.6
    assert values(priced, "datahub", "wti.spot")[date(2020, 4, 20)] == -36.98
    palm = bar(staged, "FCPO", date(2022, 3, 1))
    assert (palm["close"], palm["ohlc_breach"] is None) == (8163.0, False)


def test_what_is_printed_comes_back(staged: pl.DataFrame, real: Path) -> None:
    """Funds, rates and deferred months are staged to the last digit of their files."""
    for name in ("dbc", "spy", "tlt", "uup", "ung"):
        path = real / "yahoo_etf_2026" / f"{name}.csv.gz"
        symbol = price_road.FILES[f"yahoo_etf_2026/{name}.csv.gz"][1]
        found = staged.filter(pl.col("symbol") == symbol).select("date", *PRICES)
        printed = [
            (date.fromisoformat(row[0]), *map(float, row[1:5])) for row in cells(path)
        ]
        assert found.rows() == printed, name
    ringgit = staged.filter(pl.col("symbol") == "USDMYR")
    assert ringgit.filter(pl.col("date") == date(2015, 1, 2))["close"].item() == (
        3.5250000953674316
    )


def test_a_deferred_month_is_no_front_month(staged: pl.DataFrame) -> None:
    """They differ by a fifth of a cent in the median, and stand under two names."""
    front, later = (
        dict(staged.filter(pl.col("symbol") == s).select("date", "close").iter_rows())
        for s in ("ZL", "ZL_DEFERRED")
    )
    apart = [
        later[day] - front[day]
        for day in later
        if day.year >= 2015 and front.get(day) and later[day]
    ]
    assert len(apart) == 1218
    assert round(median(apart), 2) == 0.2
    assert min(later) == date(1959, 7, 1)


def test_the_bad_day_of_2012_stays_and_says_so(staged: pl.DataFrame) -> None:
    """2012-01-17 is broken in most CME files: it is staged, and flagged."""
    for symbol in ("ZL", "ZM", "ZC", "CL", "HO", "NG", "GC", "HG"):
        found = bar(staged, f"{symbol}_DEFERRED", date(2012, 1, 17))
        assert found["ohlc_breach"] is True, symbol
    assert bar(staged, "HG_DEFERRED", date(2012, 1, 17))["low"] == 0.0
    assert bar(staged, "ZS_DEFERRED", date(2012, 1, 17))["ohlc_breach"] is False


def test_the_newest_day_of_a_contract_is_unfinished(
    priced: Lake, staged: pl.DataFrame, graph: Graph
) -> None:
    """On 3 October its open interest was 0, which is none; next morning it was known."""
    raw = real_lake.content(priced, "raw.barchart").filter(pl.col("symbol") == "ZLZ25")
    newest = raw.filter(pl.col("date") == date(2025, 10, 3)).sort("as_of")
    assert newest["open_interest"].to_list()[0] == ""
    known = bar(staged, "ZLZ25", date(2025, 10, 3))
    assert (known["close"], known["source"]) == (50.05, "barchart")
    assert isinstance(known["open_interest"], int)
    assert known["open_interest"] > 0
    then = datetime(2025, 10, 4, 12, tzinfo=UTC)
    seen = asof.rows(
        priced, graph, "staging.prices", Span.day(date(2025, 10, 3)), as_seen=then
    ).filter(pl.col("symbol") == "ZLZ25")
    assert seen.select("close", "volume", "open_interest").rows() == [
        (50.05, None, None)
    ]
    live = staged.filter(
        (pl.col("symbol") == "ZLZ25") & (pl.col("date") > date(2025, 10, 14))
    )
    assert live.height == 0, "seen at noon of the day: a bar that is not finished"


def test_the_baltic_index_has_no_weekends(priced: Lake) -> None:
    """1,025 lines repeat Friday on a weekend and are set aside; the extremes are true."""
    index = values(priced, "baltic", "bdi")
    assert len(index) == 3588 - 1025
    assert {day.weekday() for day in index} <= set(range(5))
    assert (index[date(2016, 2, 10)], min(index.values())) == (290.0, 290.0)
    assert (index[date(2021, 10, 7)], max(index.values())) == (5650.0, 5650.0)


def test_soybeans_in_dollars_are_no_bar_of_cents(
    priced: Lake, staged: pl.DataFrame
) -> None:
    """Dollars a bushel are a series of its own, without seven weekend days."""
    beans = values(priced, "macrotrends", "soybean")
    assert beans[date(2025, 11, 4)] == 11.08
    assert len(beans) == 14403 - 7
    assert "ZS" not in staged["symbol"].unique().to_list()


def test_spot_oil_is_that_of_fred(priced: Lake, real: Path) -> None:
    """Two copies of one series: equal on all 10,067 days that both have."""
    ours = values(priced, "datahub", "wti.spot")
    data = (real / "fred_long_layout_2026/DCOILWTICO.csv").read_bytes()
    theirs = fred.parse(data, "DCOILWTICO").filter(pl.col("value") != "")
    shared = [
        (ours[day], float(value))
        for day, value in theirs.select("date", "value").iter_rows()
        if day in ours
    ]
    assert len(shared) == 10_067
    assert all(a == b for a, b in shared)


def test_a_month_of_rates_is_known_when_it_is_over(priced: Lake) -> None:
    """The mean of a month is dated on its first day, and knowable after its end."""
    rates = real_lake.content(priced, "staging.datahub").filter(
        pl.col("series") == "fx.brazil"
    )
    assert rates.height > 300
    waits = rates.select(
        (pl.col("knowable_at").dt.date() - pl.col("date")).dt.total_days()
    )
    assert waits.to_series().min() == 36


def test_a_terminal_agrees_with_yahoo(priced: Lake, staged: pl.DataFrame) -> None:
    """Soybean oil of both is equal on all shared days but one; RIN prices are plausible."""
    oil = values(priced, "vendor_prices", "boc1")
    front = dict(
        staged.filter(pl.col("symbol") == "ZL").select("date", "close").iter_rows()
    )
    other = {
        day: (oil[day], front[day])
        for day in oil
        if day.year >= 2015 and front.get(day) not in (None, oil[day])
    }
    assert len([d for d in oil if d.year >= 2015 and front.get(d)]) == 2586
    assert other == {date(2025, 4, 16): (47.41, 47.48)}
    traded = values(priced, "vendor_prices", "rin-d4-us")
    assert (min(traded.values()), max(traded.values())) >= (30.0, 200.0)
    assert traded[date(2018, 12, 28)] == 55.75


def test_a_parquet_file_is_refused_with_a_reason(
    real: Path, graph: Graph, tmp_path: Path
) -> None:
    """It is moved to the quarantine, and the receipt says what to do."""
    lake = Lake.create(tmp_path / "lake", graph.registry, kind="real")
    files = sorted((real / "cbi_v14_exports").glob("*.parquet"))
    assert len(files) == 7
    for path in files:
        drop(lake, path, Hint())
    for receipt in landing.take_in(lake, graph):
        assert receipt.end == "quarantine"
        assert "found a Parquet file" in (receipt.reason or "")
        assert "write it as CSV" in (receipt.mend or "")


def test_two_sources_with_one_header_are_told_by_name(
    real: Path, graph: Graph, tmp_path: Path
) -> None:
    """Stooq and yfinance share a first line: the name tells, else a person must."""
    lake = Lake.create(tmp_path / "lake", graph.registry, kind="real")
    prices = (real / "yahoo_etf_2026/weat.csv.gz").read_bytes()
    nameless = tmp_path / "prices.csv.gz"
    nameless.write_bytes(prices)
    drop(lake, nameless, Hint())
    (waits,) = landing.take_in(lake, graph)
    assert waits.end == "waiting"
    assert "stooq, yfinance have the header" in (waits.reason or "")
    assert "--source yfinance" in (waits.mend or "")
    drop(lake, nameless, Hint(source="yfinance", key="WEAT"))
    (taken,) = landing.take_in(lake, graph)
    assert (taken.end, taken.key) == ("archive", "WEAT")


def test_a_past_evening_shows_the_file_of_that_evening(
    real: Path, graph: Graph, tmp_path: Path
) -> None:
    """Eight true arrivals: as seen after each, the bars are those of that very file."""
    lake = Lake.create(tmp_path / "lake", graph.registry, kind="real")
    arrivals = []
    for path in road.dated(real, "yahoo_etf_2026/vintages/weat_asof_*"):
        day = date.fromisoformat(path.name.split("_")[2])
        evening = datetime(day.year, day.month, day.day, 23, tzinfo=UTC)
        with clock.held_at(evening):
            drop(lake, path, Hint(as_of=evening))
            (receipt,) = landing.take_in(lake, graph)
        assert receipt.taken, receipt
        arrivals.append((evening, path))
        with clock.held_at(evening):
            run_wave(lake, price_road.staging_of(graph), probing="off")
    assert len(arrivals) == 8
    year = Span(date(2026, 1, 1), date(2027, 1, 1))
    for evening, path in arrivals:
        printed = [row for row in _rows(path) if row[0] >= year.start]
        seen = asof.rows(lake, graph, "staging.prices", year, as_seen=evening)
        assert seen.select("date", *PRICES).rows() == [row[:5] for row in printed]
        # The volume of the newest day is not final before the next session.
        expected = [row[5] for row in printed[:-1]] + [None]
        assert seen["volume"].to_list() == expected
    last = asof.rows(lake, graph, "staging.prices", Span.all(), as_seen=arrivals[-1][0])
    assert last.select("date", *PRICES).rows() == [
        r[:5] for r in _rows(arrivals[-1][1])
    ]
    world = asof.rows(lake, graph, "staging.prices", year, as_of=arrivals[2][0])
    assert world["date"].max() == date(2026, 5, 29), "the world knew no later day"


def _rows(path: Path) -> list[tuple[date, float, float, float, float, int]]:
    text = gzip.decompress(path.read_bytes()).decode()
    found = [line.split(",") for line in text.split("\n")[1:] if line]
    return [
        (date.fromisoformat(r[0]), *map(float, r[1:5]), int(r[5]))  # type: ignore[misc]
        for r in found
    ]
