"""Facts of the real files that must come through the whole road unharmed."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from cbi_stream.engine import asof, fates
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.prove import prove
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock
from cbi_stream.words.span import Span
from tests.oracles import real_lake, road

CHICAGO = ZoneInfo("America/Chicago")
Content = Callable[[str], pl.DataFrame]


@pytest.fixture(scope="module")
def content(whole_lake: Lake) -> Content:
    """Return a function that reads a whole table once."""
    known: dict[str, pl.DataFrame] = {}

    def read(table: str) -> pl.DataFrame:
        if table not in known:
            known[table] = real_lake.content(whole_lake, table)
        return known[table]

    return read


def _close(prices: pl.DataFrame, symbol: str, day: date) -> float:
    row = prices.filter((pl.col("symbol") == symbol) & (pl.col("date") == day))
    return float(row["close"].item())


def _observed(content: Content, series: str, day: date) -> list[float | None]:
    rows = content("staging.fred").filter(
        (pl.col("series") == series) & (pl.col("date") == day)
    )
    return rows["value"].to_list()


def test_true_extremes_stay(content: Content) -> None:
    """Negative oil and the highest VIX are no mistakes: no rule takes them away."""
    assert _observed(content, "DCOILWTICO", date(2020, 4, 20)) == [-36.98]
    assert _observed(content, "VIXCLS", date(2020, 3, 16)) == [82.69]
    prices = content("staging.prices")
    assert _close(prices, "CL", date(2020, 4, 20)) == -37.63
    low = prices.filter(
        (pl.col("symbol") == "CL") & (pl.col("date") == date(2020, 4, 20))
    )
    assert low["low"].item() == -40.32
    panel = content("features.panel")
    by_date = dict(panel.select("date", "crude_close").iter_rows())
    assert by_date[date(2020, 4, 20)] == -37.63


def test_closes_outside_their_range_are_flags(content: Content) -> None:
    """838 rows of soybean oil before 2012 have one; each keeps its close."""
    oil = content("staging.prices").filter(pl.col("symbol") == "ZL")
    early = oil.filter(pl.col("date") < date(2012, 1, 1))
    assert early["ohlc_breach"].sum() == 838
    assert early.filter("ohlc_breach")["close"].null_count() == 0
    assert oil.filter(pl.col("date") >= date(2012, 1, 1))["ohlc_breach"].sum() == 0


def test_gold_bars_on_weekends_are_quarantined(content: Content, real: Path) -> None:
    """The file is laid out by calendar days: its 1,060 weekend rows are turned away."""
    turned_away = content("quarantine.prices")
    weekend = sum(
        date.fromisoformat(line[:10]).weekday() >= 5
        for line in road.lines(real / "yahoo_csv_2021/GC=F.csv")
    )
    assert weekend == 1060
    late = turned_away.filter(pl.col("rules") == "weekend")
    assert late.height == weekend
    assert late["symbol"].unique().to_list() == ["GC"]
    rest = turned_away.filter(pl.col("rules") != "weekend").sort("symbol")
    # Two bars repeat those of the session before, volume and all.
    assert rest.select("symbol", "date", "rules").rows() == [
        ("ZC", date(2003, 3, 11), "stale_bar"),
        ("ZM", date(2001, 6, 25), "stale_bar"),
    ]


@pytest.mark.parametrize(
    ("day", "unfinished", "final"),
    [
        (date(2026, 6, 17), 68.01, 71.54),
        (date(2026, 6, 22), 66.84, 71.15),
        (date(2026, 7, 13), 71.09, 73.04),
    ],
)
def test_an_unfinished_bar_never_reaches_staging(
    whole_lake: Lake,
    graph: Graph,
    real: Path,
    day: date,
    unfinished: float,
    final: float,
) -> None:
    """As this lake held things between the two pulls there was no bar of that day."""
    pulls = road.dated(real, "yahoo_futures_2026/vintages/*")
    seen = [p for p in pulls if f"_asof_{day}" in p.name]
    assert any(f"{day}," in line for path in seen for line in road.lines(path))
    between = datetime.combine(day, time(23, 59), CHICAGO)
    held = asof.rows(
        whole_lake, graph, "staging.prices", Span.day(day), as_seen=between
    )
    assert held.filter(pl.col("symbol") == "ZL")["close"].to_list() == []
    raw = real_lake.content(whole_lake, "raw.yfinance")
    written = raw.filter((pl.col("date") == day) & (pl.col("symbol") == "ZL"))
    cells = [round(float(cell), 2) for cell in written["close"].drop_nulls()]
    assert (unfinished in cells, cells[-1]) == (True, final)
    assert _close(real_lake.content(whole_lake, "staging.prices"), "ZL", day) == final


def test_after_all_pulls_every_bar_is_the_last_pulls(
    content: Content, real: Path
) -> None:
    """Open, high, low, close of every date equal those of the eighth file.

    Its own last row is unfinished (the file's name states that very day).
    """
    last = road.dated(real, "yahoo_futures_2026/vintages/*")[-1]
    expected = {
        date.fromisoformat(cells[0]): tuple(round(float(c), 2) for c in cells[1:5])
        for cells in (line.split(",") for line in road.lines(last))
    }
    assert max(expected) == date(2026, 7, 14)
    expected.pop(date(2026, 7, 14))
    oil = content("staging.prices").filter(
        (pl.col("symbol") == "ZL") & (pl.col("date") >= min(expected))
    )
    found = {
        row[0]: row[1:]
        for row in oil.drop_nulls("close")
        .select("date", "open", "high", "low", "close")
        .iter_rows()
    }
    assert found == expected


def test_a_stated_time_after_the_release_finishes_the_bar(
    graph: Graph, real: Path, tmp_path: Path
) -> None:
    """Said to be seen that evening, the eighth pull's last bar stands too."""
    lake = Lake.create(tmp_path / "lake", graph.registry, kind="real")
    pulls = road.dated(real, "yahoo_futures_2026/vintages/*")
    evening = road.Hint(as_of=datetime(2026, 7, 14, 18, tzinfo=CHICAGO))
    road.one_by_one(lake, graph, [(p, road.Hint()) for p in pulls[:-1]])
    road.one_by_one(lake, graph, [(pulls[-1], evening)])
    real_lake.settle(lake, graph)
    prices = real_lake.content(lake, "staging.prices")
    expected = [
        (date.fromisoformat(c[0]), *(round(float(x), 2) for x in c[1:5]))
        for c in (line.split(",") for line in road.lines(pulls[-1]))
    ]
    found = prices.select("date", "open", "high", "low", "close").rows()
    assert found == expected


def test_any_order_of_files_gives_the_same_bytes(
    graph: Graph, real: Path, tmp_path: Path
) -> None:
    """Forwards, backwards and mixed: what each file states decides, not its turn."""
    pulls = [
        *road.dated(real, "yahoo_futures_2026/vintages/*")[4:],
        *road.dated(real, "fred_api_layout_2026/vintages/PAYEMS*"),
        *road.dated(real, "fred_api_layout_2026/vintages/NFCI*")[:4],
        *road.dated(real, "cftc_native/annual_legacy_2025*")[:4],
    ]
    orders = [pulls, pulls[::-1], pulls[1::2] + pulls[::2]]
    tables = ("staging.prices", "staging.fred", "staging.cftc", "features.panel")
    roots = []
    for i, order in enumerate(orders):
        lake = Lake.create(tmp_path / f"lake{i}", graph.registry, kind="real")
        road.one_by_one(lake, graph, [(path, road.Hint()) for path in order])
        real_lake.settle(lake, graph)
        roots.append([real_lake.root(lake, table) for table in tables])
    assert roots[0] == roots[1] == roots[2]


@pytest.mark.parametrize("series", ["CPIAUCSL", "NFCI", "PAYEMS", "DFF"])
def test_each_vintage_can_be_read_as_it_was_seen(
    whole_lake: Lake, graph: Graph, real: Path, series: str
) -> None:
    """On the evening of each file's day, the lake as seen is exactly that file."""
    by_day: dict[date, Path] = {}
    for path in real.glob(f"fred_*/vintages/{series}_asof_*"):
        day = date.fromisoformat(path.name.partition("_asof_")[2][:10])
        # Of several files of one day the longest is what had been seen by its end.
        if day not in by_day or len(road.lines(path)) > len(road.lines(by_day[day])):
            by_day[day] = path
    assert len(by_day) >= 3
    for day, path in sorted(by_day.items()):
        evening = datetime.combine(day, time(23, 59, 59), CHICAGO)
        held = asof.rows(whole_lake, graph, "staging.fred", Span.all(), as_seen=evening)
        found = held.filter(pl.col("series") == series).select("date", "value").rows()
        assert found == [
            (date.fromisoformat(d), float(v))
            for d, v in (line.split(",") for line in road.lines(path))
        ], path.name


def test_what_the_world_knew_is_the_vintage_of_that_day(
    whole_lake: Lake, graph: Graph
) -> None:
    """January payrolls were 158,558 until 3 April 2026, and 158,592 from then on."""
    found = []
    for day in (date(2026, 4, 2), date(2026, 4, 4)):
        then = datetime.combine(day, time(12), CHICAGO)
        known = asof.rows(
            whole_lake, graph, "staging.fred", Span.day(date(2026, 1, 1)), as_of=then
        )
        found += known.filter(pl.col("series") == "PAYEMS")["value"].to_list()
    assert found == [158558.0, 158592.0]


def test_sources_that_agree_may_swap_precedence_without_a_commit(
    whole_lake: Lake, graph: Graph, tmp_path: Path, real: Path
) -> None:
    """1,608 closes are shared, 51 of them bit-equal: no table gets a new file."""
    shared = _shared_closes(real)
    assert len(shared) == 1608
    assert sum(a == b for a, b in shared) == 51
    assert max(abs(a - b) for a, b in shared) < 1e-5
    lake = real_lake.copied(whole_lake, tmp_path / "lake")
    before = {n.table: lake.table(n.table).head()[1].root for n in graph.nodes}
    swapped = real_lake.with_priorities(graph, yahoo=2, yfinance=1)
    report = run_wave(Lake(lake.folder, swapped.registry), swapped, probing="off")
    assert not report.failed
    assert report.tables["staging.prices"].planned > 20
    assert {n: t.changed for n, t in report.tables.items() if t.changed} == {}
    assert {n.table: lake.table(n.table).head()[1].root for n in graph.nodes} == before


def _shared_closes(real: Path) -> list[tuple[float, float]]:
    first = _closes(road.lines(real / "yahoo_csv_2021/ZL=F.csv"))
    second = _closes(road.lines(real / "yahoo_futures_2026/soybean_oil.csv"))
    return [(first[day], second[day]) for day in first.keys() & second.keys()]


def _closes(lines: list[str]) -> dict[str, float]:
    cells = (line.split(",") for line in lines)
    return {c[0]: float(c[4]) for c in cells if c[4] not in ("", "null")}


def test_positions_join_on_the_day_of_their_release(content: Content) -> None:
    """A Tuesday's count stands in no row before its Friday, holidays moved it on."""
    panel = content("features.panel")
    counts = dict(panel.select("date", "open_interest").iter_rows())
    ages = dict(panel.select("date", "open_interest_age_days").iter_rows())
    # Of 7 January 2025; the 9th was a day of mourning: out on Monday the 13th.
    days = [date(2025, 1, d) for d in (7, 8, 9, 10, 13, 14, 15, 16, 17, 21)]
    found = [counts[day] for day in days]
    assert found == [None] * 4 + [557470.0] * 4 + [counts[days[8]]] * 2
    assert counts[days[8]] not in (None, 557470.0)
    assert [ages[date(2025, 1, 13)], ages[date(2025, 1, 17)]] == [6, 3]


def test_each_week_of_positions_is_one_version(content: Content, real: Path) -> None:
    """Ten states of the year's file hold the same weeks: none was restated."""
    counted = content("staging.cftc")
    oil = counted.filter(pl.col("series") == "007601.open_interest")
    assert oil.height == 10
    assert oil["vintage"].to_list() == [0] * 10
    last = road.lines(road.dated(real, "cftc_native/annual_legacy_2025*")[-1])
    expected = sorted(
        (date.fromisoformat(cells[2]), float(cells[7]))
        for cells in (line.split(",") for line in last)
        if cells[3] == "007601"
    )
    assert oil.select("date", "value").rows() == expected


def test_a_month_that_was_never_published_stays_missing(content: Content) -> None:
    """October 2025 has no consumer prices, and none is made up."""
    assert _observed(content, "CPIAUCSL", date(2025, 10, 1)) == []
    september = _observed(content, "CPIAUCSL", date(2025, 9, 1))
    assert len(september) == 1
    panel = content("features.panel")
    ages = dict(panel.select("date", "cpi_growth_12m_age_days").iter_rows())
    # In late November the newest month is still September's, and it says its age.
    assert ages[date(2025, 11, 24)] == (date(2025, 11, 24) - date(2025, 9, 1)).days


def test_growth_is_that_of_the_file_then_current(content: Content, real: Path) -> None:
    """Twelve months of prices, both ends from the file of May 2026."""
    file = road.dated(real, "fred_api_layout_2026/vintages/CPIAUCSL*")[-1]
    values = {c[0]: float(c[1]) for c in (line.split(",") for line in road.lines(file))}
    expected = math.log(values["2026-04-01"]) - math.log(values["2025-04-01"])
    row = content("features.panel").filter(pl.col("date") == date(2026, 5, 14))
    assert row["cpi_growth_12m"].item() == expected


def test_every_line_of_every_file_is_accounted_for(
    whole_lake: Lake, graph: Graph, real: Path
) -> None:
    """P5: lines by source, counted in the files and in what became of them."""
    found = fates.of_lake(whole_lake, graph)
    read = dict.fromkeys(found, 0)
    of = {
        "yahoo_csv": "raw.yahoo",
        "yahoo_fut": "raw.yfinance",
        "fred": "raw.fred",
        "cftc": "raw.cftc",
    }
    files = [real / name for name in road.STATED]
    files += [path for pattern in road.DATED for path in road.dated(real, pattern)]
    for path in files:
        where = str(path.relative_to(real))
        raw = next(table for start, table in of.items() if where.startswith(start))
        read[raw] += len(road.lines(path))
    assert {raw: counts["read"] for raw, counts in found.items()} == read
    for raw, counts in found.items():
        assert counts["unaccounted"] == 0, (raw, counts)
        stored = whole_lake.table(raw).head()[1].partitions.values()
        assert counts["stored"] == sum(entry.rows for entry in stored), raw
    assert found["raw.yahoo"]["quarantined"] == 1062
    assert found["raw.cftc"]["unused"] > 0
    assert found["raw.yfinance"]["provisional"] > 0


def test_receipts_add_up(whole_receipts: list[object]) -> None:
    """Each file's own receipt counts each of its lines once."""
    names = (
        "staged",
        "quarantined",
        "superseded",
        "duplicate",
        "provisional",
        "unused",
    )
    for receipt in whole_receipts:
        counts = [getattr(receipt, name) for name in names]
        assert sum(counts) == receipt.lines, receipt  # type: ignore[attr-defined]


def test_a_live_row_is_the_row_of_that_evening(
    whole_lake: Lake, graph: Graph, content: Content
) -> None:
    """P6: 200 sessions, each computed again from what was knowable by then, bit for bit."""
    everything = content("features.master")
    # A session without a settlement became a row when a later one had its own.
    master = everything.drop_nulls("close")
    step = master.height / 200
    days = [master["date"][int(i * step)] for i in range(200)]
    assert len(set(days)) == 200
    for day in days:
        evening = datetime.combine(day, time(18), CHICAGO)
        then = asof.rows(
            whole_lake, graph, "features.master", Span.day(day), as_of=evening
        )
        live = master.filter(pl.col("date") == day)
        assert then.height == 1
        assert _bits(then) == _bits(live), day


def _bits(row: pl.DataFrame) -> list[object]:
    return [v.hex() if isinstance(v, float) else v for v in row.row(0)]


def test_a_planted_leak_is_seen_by_that_comparison(
    whole_lake: Lake, graph: Graph
) -> None:
    """Joined on its Tuesday, a count is in the live row and not in that evening's."""
    leaky = real_lake.with_leaky_panel(graph)
    tuesday = date(2025, 2, 4)
    evening = datetime.combine(tuesday, time(18), CHICAGO)
    year = Span(date(2025, 1, 1), date(2026, 1, 1))
    live = asof.rows(whole_lake, leaky, "features.panel", year).filter(
        pl.col("date") == tuesday
    )
    then = asof.rows(
        whole_lake, leaky, "features.panel", Span.day(tuesday), as_of=evening
    )
    assert live["open_interest"].item() != then["open_interest"].item()


def test_the_same_files_again_change_nothing(
    whole_lake: Lake, graph: Graph, real: Path, tmp_path: Path
) -> None:
    """P4: every line is known; no table right of raw gets a commit."""
    lake = real_lake.copied(whole_lake, tmp_path / "lake")
    versions = {n.table: lake.table(n.table).head()[0] for n in graph.nodes}
    files = [(real / name, road.Hint(as_of=seen)) for name, seen in road.STATED.items()]
    files += [(p, road.Hint()) for each in road.DATED for p in road.dated(real, each)]
    receipts = road.one_by_one(lake, graph, files[::-1])
    assert sum(receipt.stored or 0 for receipt in receipts) == 0
    with clock.held_at(road.NOW + timedelta(days=1)):
        assert run_wave(lake, graph, probing="off").quiet
    assert {n.table: lake.table(n.table).head()[0] for n in graph.nodes} == versions


def test_the_whole_lake_is_what_a_rebuild_gives(whole_lake: Lake, graph: Graph) -> None:
    """P1: every derived table, and the ten files."""
    certificate = prove(whole_lake, graph, deep=True)
    assert certificate.identical, certificate.differences
    assert set(certificate.deep.values()) <= {"identical", "left out: empty"}


def test_vintages_leave_old_rows_alone(content: Content) -> None:
    """Twelve restatements of the conditions index: each row has the one of its time."""
    rows = content("staging.fred").filter(pl.col("series") == "NFCI")
    newest = rows.group_by("date").agg(pl.col("knowable_at").sort(), "vintage")
    for known in newest["knowable_at"]:
        assert all(a < b for a, b in pairwise(known))
    day = rows.filter(pl.col("date") == date(2020, 3, 27)).sort("vintage")
    assert day.height > 5
    assert day["basis"].to_list() == ["rule"] + ["stated"] * (day.height - 1)
    assert day["knowable_at"][0] == datetime(2020, 4, 1, 12, 30, tzinfo=UTC)
