"""Weather against the climate of its own station: what a month there can be like.

A value is compared with the same months of other years and with a registered band,
never with another station's. No unit is converted here.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Finding, Subject, gate
from handlers.gates.findings import absent, fits, value, verdict

_SPREAD = 1.4826
"""Makes the median absolute deviation of normal values their standard deviation."""


@gate
def climatology(
    rows: pl.DataFrame,
    subject: Subject,
    *,
    bands: dict[str, tuple[tuple[float, float], ...]],
    sigmas: float,
    floor: float,
    years: int,
    least_days: int,
) -> Finding:
    """Each month of a station lies near that month of other years, and in its band.

    Args:
        rows: observations: series, date, value.
        subject: what it is.
        bands: by pattern of series the lowest and the highest mean of a month, January
            first, or one for all. Series that fit none are not judged.
        sigmas: so many robust deviations a month may lie from the median of the others.
        floor: the least deviation, in the series' unit.
        years: with fewer years of a month only the band is held against it.
        least_days: a month with fewer days is not judged.
    """
    missing = absent(rows, ["series", "date", "value"], subject)
    if missing:
        return missing
    band = {
        name: next(limits for each, limits in bands.items() if fits(name, [each]))
        for name in rows["series"].unique().sort().drop_nulls().to_list()
        if fits(name, bands)
    }
    if not band:
        expected = f"series named {', '.join(bands)}"
        return verdict(["no such series"], expected=expected, found="none")
    months = _months(rows.filter(pl.col("series").is_in(list(band))), least_days)
    bad = months.join(_limits(band), on=["series", "month"]).filter(
        _strange(sigmas, floor, years)
    )
    said = bad.sort("series", "year", "month").to_dicts()
    return verdict(
        [
            f"{row['year']}-{row['month']:02d} {row['series']}: mean {row['mean']:.2f}, "
            f"usually {row['usual']:.2f}, band {row['low']:g} to {row['high']:g}"
            for row in said
        ],
        expected=f"months within {sigmas:g} deviations of their years, and in the band",
        found=f"{len(said)} of {months.height} months are not",
    )


@gate
def climate_means(
    rows: pl.DataFrame,
    subject: Subject,
    *,
    bands: dict[str, tuple[float, float]],
    least_days: int,
) -> Finding:
    """The mean of all days of a station in a partition lies in a registered band.

    A single month without rain is true; a year without any is another unit.

    Args:
        rows: observations: series, date, value.
        subject: what it is.
        bands: by pattern of series the lowest and the highest mean.
        least_days: a station with fewer days is not judged.
    """
    missing = absent(rows, ["series", "date", "value"], subject)
    if missing:
        return missing
    means = (
        rows.select("series", x=value("value"))
        .drop_nulls()
        .group_by("series")
        .agg(mean=pl.col("x").mean(), days=pl.len())
        .sort("series")
    )
    judged = {
        row["series"]: (row["mean"], band)
        for row in means.filter(pl.col("days") >= least_days).to_dicts()
        for like, band in bands.items()
        if fits(row["series"], [like])
    }
    return verdict(
        [
            f"{name}: mean {mean:.3f}, band {low:g} to {high:g}"
            for name, (mean, (low, high)) in judged.items()
            if not low <= mean <= high
        ]
        or ([] if means.height else ["no value"]),
        expected="; ".join(f"{n} {a:g} to {b:g}" for n, (a, b) in bands.items()),
        found=f"{len(judged)} stations judged",
    )


def _limits(band: Mapping[str, tuple[tuple[float, float], ...]]) -> pl.DataFrame:
    """Return the band of each series and month."""
    return pl.DataFrame(
        [
            (name, month, *said[(month - 1) % len(said)])
            for name, said in band.items()
            for month in range(1, 13)
        ],
        schema={"series": str, "month": pl.Int8, "low": float, "high": float},
        orient="row",
    )


def _strange(sigmas: float, floor: float, years: int) -> pl.Expr:
    off = (pl.col("mean") - pl.col("usual")).abs()
    spread = pl.max_horizontal(_SPREAD * pl.col("deviation"), floor)
    unlike = (off > sigmas * spread) & (pl.col("known") >= years)
    inside = pl.col("mean").is_between("low", "high")
    return unlike | ~inside.fill_null(False)


def _months(rows: pl.DataFrame, least_days: int) -> pl.DataFrame:
    """Return the mean of each month, and median and deviation of that month's years."""
    keys = [name for name in ("series", "date", "vintage") if name in rows.columns]
    newest = rows.sort(keys).unique(["series", "date"], keep="last")
    said = newest.select(
        "series",
        year=pl.col("date").dt.year(),
        month=pl.col("date").dt.month(),
        x=value("value"),
    )
    means = (
        said.drop_nulls("x")
        .group_by("series", "year", "month")
        .agg(mean=pl.col("x").mean(), days=pl.len())
        .filter(pl.col("days") >= least_days)
    )
    own = ["series", "month"]
    return means.with_columns(
        usual=pl.col("mean").median().over(own), known=pl.len().over(own)
    ).with_columns(
        deviation=(pl.col("mean") - pl.col("usual")).abs().median().over(own)
    )
