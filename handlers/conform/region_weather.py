"""The weather of whole regions by day, from stations and from a reanalysis.

A region's day is settled at a fixed hour: its value is the mean over the places that
were out by then, each in its first version, and each counts alike. What comes later, a
place or a correction, never enters it, so that nobody sees another day than was seen.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import days, handler

_READ = days(columns=("series", "date", "vintage", "value", "knowable_at"))
_STATIONS = "3d12h"
_REANALYSIS = "7d12h"
"""When a day is settled, after its midnight in UTC: hours after the release rules of
data_sources.yaml let it out (two days, and six), and before the hour of decision."""
_MEASURES = ("tmax", "tmin", "prcp")


@handler(reads={"staging.ghcn": _READ}, writes="staging.station_weather")
def station_weather(ghcn: pl.DataFrame) -> pl.DataFrame:
    """Return the mean over the stations of the US soybean belt, by day."""
    return by_region(ghcn.with_columns(region=pl.lit("us")), settled=_STATIONS)


@handler(reads={"staging.open_meteo": _READ}, writes="staging.reanalysis_weather")
def reanalysis_weather(open_meteo: pl.DataFrame) -> pl.DataFrame:
    """Return the means over the places of each country, by day."""
    return by_region(
        open_meteo.with_columns(region=pl.col("series").str.head(2)),
        settled=_REANALYSIS,
    )


def by_region(rows: pl.DataFrame, *, settled: str) -> pl.DataFrame:
    """Return a row per region and day that any place has told of in time.

    Args:
        rows: of a staging table of weather, with `region`; degrees C and mm.
        settled: how long after its midnight in UTC a day is settled.
    """
    place, measure = (
        pl.col("series").str.split(".").list.get(i).alias(name)
        for i, name in enumerate(("place", "measure"))
    )
    midnight = pl.col("date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    moment = midnight.dt.offset_by(settled)
    told = rows.with_columns(place, measure, moment=moment).filter(
        pl.col("vintage") == 0,
        pl.col("value").is_not_null(),
        pl.col("measure").is_in(_MEASURES),
        pl.col("knowable_at") <= pl.col("moment"),
    )
    of = {name: pl.col("value").filter(pl.col("measure") == name) for name in _MEASURES}
    grouped = told.sort("region", "date", "series").group_by(
        "region", "date", maintain_order=True
    )
    return grouped.agg(
        tmax=_mean(of["tmax"]),
        tmin=_mean(of["tmin"]),
        rain_mm=_mean(of["prcp"]),
        places=pl.col("place").n_unique().cast(pl.Int64),
        knowable_at=pl.col("moment").first(),
    )


def _mean(values: pl.Expr) -> pl.Expr:
    return pl.when(values.len() > 0).then(values.mean())
