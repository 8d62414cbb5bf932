"""Heat, rain and growing degrees of three regions against their own earlier years.

A climatology is of earlier years alone, ten at least, as they stood then; no normals
that were published later, and nothing is filled: a day that is not out is not known.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from cbi_stream import grid, handler, known
from cbi_stream import kernels as k
from cbi_stream.kernels.asof import newest_known
from cbi_stream.kernels.climatology import against_earlier_years
from handlers.features.growth import degree_days

_YEARS = 15
_LEAST_YEARS = 10
_NEAR = 15
_LEAST_VALUES = 24
"""Of the 31 days of a season: three quarters."""
_MAX_AGE = 14
_COUNTED = 30
_READ = 5900
"""Days: fifteen years, before them a season's growth or 90 days of rain, and room."""
_DRY, _HOT = 0.2, 0.1

_REGIONS = {"us": "us", "brazil": "br", "argentina": "ar"}
_SUMS = {
    "rain_7": k.sum("rain_mm", 7, min_count=6),
    "rain_30": k.sum("rain_mm", 30, min_count=23),
    "rain_90": k.sum("rain_mm", 90, min_count=68),
    "tmax_7": k.mean("tmax", 7, min_count=6),
    "tmin_7": k.mean("tmin", 7, min_count=6),
}
_FEATURES = (
    "rain_7_log", "rain_30_log_ratio", "rain_90_log_ratio", "heat_anomaly_7",
    "cold_anomaly_7", "degree_days", "degree_days_gap", "drought_days_30",
    "heat_days_30", "climatology_years", "places",
)  # fmt: skip


@handler(
    reads={
        "calendar.sessions": grid("staging.prices"),
        "staging.station_weather": known(max_age=_READ),
        "staging.reanalysis_weather": known(max_age=_READ),
    },
    writes="features.weather",
)
def weather(
    sessions: pl.DataFrame,
    station_weather: pl.DataFrame,
    reanalysis_weather: pl.DataFrame,
) -> pl.DataFrame:
    """Return one row of features per session."""
    listed = sessions.filter("listed")
    out = listed.select("date")
    for name, region in _REGIONS.items():
        rows = station_weather if name == "us" else reanalysis_weather
        its = rows.filter(pl.col("region") == region)
        said = _of_region(listed, its, south=name != "us")
        named = said.select("date", pl.exclude("date").name.prefix(f"{name}_"))
        out = out.join(named, on="date", how="left", maintain_order="left")
    return out


def _of_region(
    listed: pl.DataFrame, rows: pl.DataFrame, *, south: bool
) -> pl.DataFrame:
    """Return the features of a region, of the newest day that each session knows."""
    if listed.is_empty() or rows.is_empty():
        nothing = {n: pl.lit(None, pl.Float64) for n in _FEATURES}
        return listed.select("date", **nothing)
    days = _every_day(rows)
    first = listed["date"][0] - timedelta(days=_MAX_AGE + _COUNTED)
    said = _features(days, first, south=south)
    told = rows.select("date", "knowable_at", vintage=0, value=pl.lit(1.0))
    newest = newest_known(listed, told, max_age_days=_MAX_AGE)
    seen = newest.select(
        session="date", date=pl.col("date") - pl.duration(days="age_days")
    )
    of_sessions = seen.join(said, on="date", how="left", maintain_order="left")
    dated = of_sessions.select(pl.col("session").alias("date"), *_FEATURES)
    return listed.select("date").join(
        dated, on="date", how="left", maintain_order="left"
    )


def _every_day(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the region's days without a hole, nulls where nothing is known."""
    ends = rows.select(first=pl.col("date").min(), last=pl.col("date").max())
    days = ends.select(date=pl.date_ranges("first", "last").explode())
    return days.join(rows, on="date", how="left", maintain_order="left")


def _features(days: pl.DataFrame, first: date, *, south: bool) -> pl.DataFrame:
    """Return the features by day from `first` on.

    drought_days_30: days of the newest 30 on which the rain of 30 days is below the
    20th percentile of its season, so below four fifths of the values of earlier years;
    heat_days_30: those whose highest temperature is above the 90th percentile.
    """
    sums = k.roll(days, _SUMS).with_columns(degree_days=degree_days(days, south=south))
    usual = {
        name: _usual(sums, name, first)
        for name in ("rain_30", "rain_90", "tmax_7", "tmin_7", "tmax")
    }
    grown = _usual(sums, "degree_days", first, near=0)
    now = sums.filter(pl.col("date") >= first)
    dry = usual["rain_30"]["at_or_below"] < _DRY
    hot = usual["tmax"]["at_or_above"] < _HOT
    counted = k.roll(
        now.select(dry=dry.cast(pl.Float64), hot=hot.cast(pl.Float64)),
        {
            "drought_days": k.sum("dry", _COUNTED, min_count=23),
            "heat_days": k.sum("hot", _COUNTED, min_count=23),
        },
    )
    return now.select(
        "date",
        rain_7_log=(pl.col("rain_7") + 1.0).log(),
        rain_30_log_ratio=_log_ratio("rain_30", usual["rain_30"]["usual"]),
        rain_90_log_ratio=_log_ratio("rain_90", usual["rain_90"]["usual"]),
        heat_anomaly_7=pl.col("tmax_7") - usual["tmax_7"]["usual"],
        cold_anomaly_7=pl.col("tmin_7") - usual["tmin_7"]["usual"],
        degree_days="degree_days",
        degree_days_gap=pl.col("degree_days") - grown["usual"],
        drought_days_30=counted["drought_days"],
        heat_days_30=counted["heat_days"],
        climatology_years=usual["tmax_7"]["years"],
        places=pl.col("places").cast(pl.Float64),
    )


def _usual(
    sums: pl.DataFrame, name: str, first: date, *, near: int = _NEAR
) -> pl.DataFrame:
    """Return the climatology of a column, null where too few years have it."""
    found = against_earlier_years(
        sums,
        name,
        first=first,
        years=_YEARS,
        near_days=near,
        least_values=_LEAST_VALUES if near else 1,
    )
    enough = pl.col("years") >= _LEAST_YEARS
    return found.with_columns(
        pl.when(enough).then(n).alias(n)
        for n in ("usual", "at_or_below", "at_or_above")
    )


def _log_ratio(column: str, usual: pl.Series) -> pl.Expr:
    """Return the log of a sum of rain over the usual one, a millimetre added to both."""
    return (pl.col(column) + 1.0).log() - (usual + 1.0).log()
