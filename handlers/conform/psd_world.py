"""The world in PSD: the sum over all countries of a balance, at each moment it was known.

The files hold no world. Only quantities are summed, never a yield or a ratio, and the
world is not known before every country of its first file is.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Source, Spec, handler
from handlers.conform import rules
from handlers.conform.statements import AROUND, BROUGHT, judged, staged

SUMMED = (
    "area_harvested", "beginning_stocks", "production", "imports", "total_supply",
    "exports", "crush", "domestic_consumption", "industrial_dom_cons",
    "food_use_dom_cons", "feed_waste_dom_cons", "ending_stocks", "total_distribution",
)  # fmt: skip
"""The attributes that are quantities; a yield, a rate or a price is none."""
_WORLD = ".world."
_KEY = ("series", "date")
_DECIMALS = 4
"""As many as the files have: what lies below is noise of the sum."""


@handler(
    reads={"raw.psd": AROUND, "raw.decisions": AROUND},
    writes="staging.psd_world",
    spec=("data_sources.psd", "closures"),
)
def psd_world(
    psd: pl.DataFrame, decisions: pl.DataFrame, *, spec: Spec
) -> pl.DataFrame:
    """Return the world's figures of each registered series, in all their versions."""
    source = spec.source
    countries = _countries_of(source, psd)
    known = pl.col("series").is_in(list(countries.series))
    lines = psd.filter(known).with_columns(raw=pl.lit(source.raw))
    said = rules.with_decisions(lines, decisions, ("value",)).select(
        *_KEY,
        "verdict",
        "decided",
        "value",
        "stamp",
        "loaded",
        *BROUGHT,
        "raw",
        named=True,
        written=rules.written(("value",)),
    )
    rows = judged(said, source=countries, spec=spec, cell="value")
    standing = rows.filter(pl.col("fate").is_null())
    versions = (
        staged(standing, source=countries, spec=spec) if countries.series else None
    )
    if versions is None:
        return world_of(_nothing(standing))
    return world_of(versions.filter(pl.col("first")))


def _countries_of(source: Source, lines: pl.DataFrame) -> Source:
    """Return the source with every country of the registered worlds as its series."""
    worlds = {
        tuple(name.split(_WORLD)): entry
        for name, entry in source.series.items()
        if _WORLD in name and name.rpartition(".")[2] in SUMMED
    }
    found = {}
    for name in lines["series"].unique().sort():
        commodity, _, rest = name.partition(".")
        country, _, attribute = rest.partition(".")
        entry = worlds.get((commodity, attribute))
        if entry is not None and country != "world":
            found[name] = entry
    return source.model_copy(update={"series": found})


def _nothing(standing: pl.DataFrame) -> pl.DataFrame:
    moment = pl.Datetime("us", "UTC")
    return standing.clear().with_columns(
        knowable_at=pl.lit(None, moment),
        vintage=pl.lit(None, pl.Int64),
        unit=pl.lit(None, pl.String),
        basis=pl.lit(None, pl.String),
        pit_grade=pl.lit(None, pl.String),
    )


def world_of(versions: pl.DataFrame) -> pl.DataFrame:
    """Return the sum over countries after each moment at which one of them changed.

    Args:
        versions: of countries (`4232000.br.exports`), each with what a staging table
            says of it, and `batch`.
    """
    country = pl.col("series").str.split(".").list.get(1)
    world = pl.col("series").str.replace(r"\.[^.]+\.", _WORLD)
    ordered = versions.with_columns(
        country=country, series=world, number=pl.col("value").fill_null(0.0)
    ).sort(*_KEY, "country", "vintage")
    about = [*_KEY, "country"]
    before = pl.col("number").shift(1).over(about).fill_null(0.0)
    # What came with the first file is one statement: it is known when all of it is.
    opened = (pl.col("vintage") == 0) & (
        pl.col("batch") == pl.col("batch").min().over(list(_KEY))
    )
    begins = pl.col("knowable_at").filter(opened).max().over(list(_KEY))
    steps = (
        ordered.with_columns(step=pl.col("number") - before)
        .with_columns(knowable_at=pl.max_horizontal("knowable_at", begins))
        .sort(*_KEY, "knowable_at", "country", "vintage")
        .with_columns(
            value=pl.col("step").cum_sum().over(list(_KEY)).round(_DECIMALS),
            first_seen_at=pl.col("first_seen_at").cum_max().over(list(_KEY)),
        )
        .unique([*_KEY, "knowable_at"], keep="last", maintain_order=True)
    )
    same = pl.col("value") == pl.col("value").shift(1).over(list(_KEY))
    changed = steps.filter(~same.fill_null(value=False))
    return changed.select(
        *_KEY,
        vintage=pl.int_range(pl.len(), dtype=pl.Int64).over(list(_KEY)),
        value=pl.col("value"),
        unit=pl.col("unit"),
        knowable_at=pl.col("knowable_at"),
        first_seen_at=pl.col("first_seen_at"),
        basis=pl.col("basis"),
        pit_grade=pl.col("pit_grade"),
    )
