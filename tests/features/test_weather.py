"""Weather against earlier years: by hand on simulated days, and on a real station."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cbi_stream.engine import probe
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.lake.canonical import canonical, schema_of
from cbi_stream.registry.loader import Registry
from handlers.conform.region_weather import reanalysis_weather, station_weather
from handlers.features.weather import weather
from handlers.ingest.ghcn_us_units import ghcn_us_units
from tests.features import weather_by_hand as by_hand
from tests.features.reported.making import sessions, staged
from tests.ingest.conformed import staged as conformed

STATION = Path(__file__).parents[2].parent / "shared/data/real/ghcn_daily"
REGIONS = {"us": "us", "brazil": "br", "argentina": "ar"}
FIRST, LAST = date(2016, 1, 4), date(2016, 12, 30)
Made = Callable[..., pl.DataFrame]


def _days(registry: Registry, region: str, lag: int, *, torn: bool) -> pl.DataFrame:
    """Return seventeen years of a region, cold in its winter, dry in some years."""
    chance = np.random.Generator(np.random.PCG64(len(region) * 100 + lag))
    rows = []
    day = date(1999, 12, 1)
    while day <= LAST:
        warm = math.cos((day.timetuple().tm_yday - 200) / 58.1)
        tmax = round(18 + 12 * (warm if region == "us" else -warm)
                     + float(chance.normal(0, 5)), 1)  # fmt: skip
        rain = round(float(chance.exponential(3.0)) * (chance.random() < 0.4), 1)
        hole = chance.random(4) < (0.04 if torn else 0)
        settled = datetime.combine(day, time(12), UTC) + timedelta(days=lag)
        if not hole[3]:
            rows.append((region, day, None if hole[0] else tmax,
                         None if hole[1] else tmax - 9.5, None if hole[2] else rain,
                         int(chance.integers(3, 6)), settled))  # fmt: skip
        day += timedelta(days=1)
    table = "staging.station_weather"
    schema = schema_of(registry.contracts[table])
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.fixture(scope="module")
def regions(registry: Registry) -> Callable[..., dict[str, pl.DataFrame]]:
    """Return a function that gives the days of each region, torn or whole."""

    def made(*, torn: bool) -> dict[str, pl.DataFrame]:
        lags = {"us": 3, "br": 7, "ar": 7}
        return {r: _days(registry, r, lag, torn=torn) for r, lag in lags.items()}

    return made


@pytest.fixture(scope="module")
def compute(registry: Registry) -> Made:
    """Return a function from sessions and days of regions to the features."""

    def rows(listed: pl.DataFrame, days: dict[str, pl.DataFrame]) -> pl.DataFrame:
        out = weather(
            sessions=listed,
            station_weather=days["us"],
            reanalysis_weather=pl.concat([days["ar"], days["br"]]),
        )
        return canonical(out, registry.contracts["features.weather"])

    return rows


@pytest.mark.parametrize("torn", [False, True])
def test_a_walk_with_a_calendar_gives_the_same(registry, compute, regions, torn):
    """Each feature on each 41st session is what the walk over the days says."""
    listed, days = sessions(registry, FIRST, LAST), regions(torn=torn)
    found = compute(listed, days)
    assert [
        n for n in found.columns if found[n].null_count() > 0.7 * found.height
    ] == []
    wrong = []
    for row in found.join(listed, on="date").rows(named=True)[::41]:
        for region, code in REGIONS.items():
            told = by_hand.expected(
                days[code], row["date"], row["decision_time"], south=code != "us"
            )
            for name, value in told.items():
                here = row[f"{region}_{name}"]
                same = value is here if None in (value, here) else math.isclose(
                    value, here, rel_tol=1e-9, abs_tol=1e-9
                )  # fmt: skip
                if not same:
                    wrong.append(
                        f"{region}_{name} {row['date']}: {value}, found {here}"
                    )
    assert wrong == []


def test_no_row_sees_a_day_that_is_not_settled(registry, compute, regions):
    """Without what came later a session's features are the same, to the bit."""
    listed, days = sessions(registry, FIRST, LAST), regions(torn=True)
    full = compute(listed, days)
    for i in (3, 60, 121, 250):
        decided = listed["decision_time"][i]
        then = {n: d.filter(pl.col("knowable_at") <= decided) for n, d in days.items()}
        found = compute(listed[i : i + 1], then)
        assert full[i : i + 1].equals(found, null_equal=True)


@pytest.mark.parametrize(
    "table",
    ["features.weather", "staging.station_weather", "staging.reanalysis_weather"],
)
def test_the_probe_finds_them_pure(graph, table):
    """The engine's own probe passes each handler, bit for bit."""
    assert probe.check(graph, graph.node(table)).window_pure


@pytest.fixture(scope="module")
def graph(registry: Registry) -> Graph:
    """Return every handler of the project."""
    return discover(registry)


def test_sources_are_the_places_and_measures_that_it_draws_on(
    registry, compute, regions
):
    """Other temperatures or rain move the features that name them, in their region."""
    listed, days = sessions(registry, FIRST, LAST), regions(torn=False)
    full = compute(listed, days)
    drawn: dict[str, set[str]] = {name: set() for name in full.columns}
    for code in REGIONS.values():
        for column, measure in (
            ("tmax", "tmax"),
            ("tmin", "tmin"),
            ("rain_mm", "prcp"),
        ):
            row = pl.int_range(pl.len())
            # As many days are null as values are other: a count of years moves too.
            other = days[code].with_columns(
                pl.when((pl.col("date").dt.year() != 2009) & (row % 5 > 0)).then(
                    pl.col(column) * (1.1 + 0.2 * (row % 3)) + row / 1000
                )
            )
            found = compute(listed, days | {code: other})
            for name in full.columns:
                if not full[name].eq_missing(found[name]).all():
                    drawn[name].add(f"{code}.{measure}")
    series = {
        **dict.fromkeys(_series(registry, "ghcn"), "us"),
        # The reanalysis holds places of the US too, which no feature draws on.
        **{
            s: s.split(".")[1][:2]
            for s in _series(registry, "open_meteo")
            if not s.startswith("open_meteo.us_")
        },
    }
    for feature in registry.feature_registry.of_table("features.weather"):
        if feature.name.endswith("_places"):
            continue  # counts whatever was told
        expected = {s for s, code in series.items()
                    if f"{code}.{s.rpartition('.')[2]}" in drawn[feature.name]}  # fmt: skip
        assert expected == set(feature.sources), feature.name


def _series(registry: Registry, source: str) -> list[str]:
    return [f"{source}.{s}" for s in registry.data_sources.sources[source].series]


def test_what_is_restated_stays_off_production(registry):
    """Weather is of grade C: on the full surface alone, and so are its counts."""
    features = registry.feature_registry.of_table("features.weather")
    assert {(f.surface, f.reliability) for f in features} == {("full", "C")}
    assert {f.name for f in features if f.category == "quality"} == {
        f"{r}_{n}" for r in REGIONS for n in ("climatology_years", "places")
    }


def test_nothing_is_said_about_nothing(registry, compute, regions):
    """Without days every feature is null, and without sessions there is no row."""
    listed, days = sessions(registry, FIRST, LAST), regions(torn=False)
    none = {n: d.clear() for n, d in days.items()}
    found = compute(listed, none).drop("date")
    assert found.null_count().sum_horizontal().item() == found.height * found.width
    assert compute(listed.clear(), days).height == 0


def test_nine_years_are_no_climatology(registry, compute, regions):
    """With nine years before there is no anomaly, with ten there is one."""
    day, days = date(2016, 7, 11), regions(torn=False)
    listed = sessions(registry, day, day)
    for first, there in ((date(2007, 6, 1), False), (date(2006, 6, 1), True)):
        short = {n: d.filter(pl.col("date") >= first) for n, d in days.items()}
        row = compute(listed, short)
        assert row["us_heat_anomaly_7"].is_not_null().item() is there
        assert row["us_climatology_years"].item() == 9 + there


def _told(place: str, day: date, value: float, *, after: timedelta, vintage: int = 0):
    moment = datetime.combine(day, time(), UTC) + after
    return (f"{place}.tmax", day, vintage, value, moment)


def test_a_late_place_and_a_correction_never_enter_a_day():
    """A day is settled once: nobody ever sees another one than was seen then."""
    day, soon = date(2020, 7, 1), timedelta(days=3)
    rows = [
        _told("A", day, 30.0, after=soon),
        _told("B", day, 33.0, after=soon),
        _told("B", day, 10.0, after=soon, vintage=1),
        _told("C", day, 90.0, after=timedelta(days=3, hours=13)),
        _told("A", day + timedelta(days=1), 20.0, after=timedelta(days=9)),
    ]
    found = station_weather(ghcn=staged(rows))
    assert found.rows() == [
        ("us", day, 31.5, None, None, 2, datetime(2020, 7, 4, 12, tzinfo=UTC))
    ]
    south = [(f"{c}_{s}", *rest) for c, (s, *rest) in
             zip(("br", "ar"), rows, strict=False)]  # fmt: skip
    told = reanalysis_weather(open_meteo=staged(south))
    assert told.select("region", "tmax").rows() == [("ar", 33.0), ("br", 30.0)]


@pytest.fixture(scope="module")
def milwaukee() -> pl.DataFrame:
    """Return the days of a real station, as the only one of its region."""
    path = STATION / "GHCN_USW00014839.csv.gz"
    if not path.exists():
        pytest.skip("no real files: this needs the folder shared/data/real")
    parser = replace(ghcn_us_units, source="ghcn")
    rows = conformed(parser, gzip.decompress(path.read_bytes()), "USW00014839")
    return station_weather(ghcn=rows)


def test_a_real_station_by_hand(registry, compute, milwaukee):
    """Growing degrees, anomalies and dry days of Milwaukee in 2012 are those of a walk."""
    listed = sessions(registry, date(2012, 3, 26), date(2012, 7, 31))
    none = milwaukee.clear()
    found = compute(listed, {"us": milwaukee, "br": none, "ar": none})
    for i in (0, listed.height - 1):
        day, decided = listed["date"][i], listed["decision_time"][i]
        told = by_hand.expected(milwaukee, day, decided, south=False)
        for name, value in told.items():
            assert found[f"us_{name}"][i] == (
                None if value is None else pytest.approx(value, rel=1e-9)
            ), name
    # The warmest March on record, and the drought of that summer.
    assert found["us_heat_anomaly_7"][0] > 15
    assert found["us_drought_days_30"].max() == 30
