"""What policies have announced: documents and events counted and awaited, rates in force.

A mention fades and then ends; it is never carried on. Where nobody counted, or nobody
wrote a list down, the answer is null and not zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import polars as pl

from cbi_stream.kernels.asof import newest_known

DOCUMENT_DAYS = 730
"""Days after which a topic without a document counts as one that nobody asks for."""
EVENT_DAYS = 1096
"""The same for kinds of events, and the longest notice of a day from which they hold."""
RATE_DAYS = 3650
"""A rate holds until it is changed; an older one would have been forgotten."""

_FRESH_DAYS = 60
"""The register prints something on one of the topics every few weeks."""
_KEPT_DAYS = 365
"""A list of events without a line for a year is not kept any more."""
_HALF_LIVES = (7, 30)
_LIVES = 10
"""After ten half-lives, at a thousandth, a mention ends."""
_PARTS = 2.0**40
"""Sums are of whole numbers of this part of a mention: exact, in whatever order."""

TOPICS = (
    "section_301", "presidential_tariffs", "renewable_fuel_standard",
    "clean_fuel_credit", "biodiesel_duties", "soybeans",
)  # fmt: skip
KINDS = {
    "trade": ("tariff", "exclusion", "retaliation", "embargo", "export_tax"),
    "biofuel": ("biofuel_mandate", "tax_credit"),
    "support": ("purchase", "subsidy"),
    "talks": ("milestone",),
}
"""What is counted together of the kinds of events."""
_AWAITED = {
    "trade": (*KINDS["trade"], *TOPICS[:2], "biodiesel_duties"),
    "biofuel": (*KINDS["biofuel"], "renewable_fuel_standard", "clean_fuel_credit"),
}
"""Kinds and topics whose days to come are awaited together."""

RATES = {
    "china_soybean_tariff": "china.tariff_on_us_soybeans_percent",
    "china_soybean_oil_tariff": "china.tariff_on_us_soybean_oil_percent",
    "us_china_tariff": "us.tariff_on_china_percent",
    "us_cooking_oil_tariff": "us.tariff_on_used_cooking_oil_percent",
    "argentina_soybean_tax": "argentina.soybean_export_tax_percent",
    "argentina_soybean_oil_tax": "argentina.soybean_oil_export_tax_percent",
    "indonesia_palm_levy": "indonesia.palm_oil_export_levy_usd_per_tonne",
    "india_soybean_oil_duty": "india.soybean_oil_import_duty_percent",
}


def documents_counted(listed: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """Return for each topic of the Federal Register its faded counts and its silence.

    Args:
        listed: `date` and `decision_time` of the sessions.
        documents: counts by `series` and `date`, with `knowable_at`.

    Returns:
        date, and by topic <topic>_documents_7 and _30 (documents, each worth half after
        so many days) and days_since_<topic>. All null where the newest document of any
        topic is over 60 days old, and where the topic had none for 730 days.
    """
    told = documents.select("knowable_at", "value", group="series", said="date")
    pairs = _known(listed, told, days=DOCUMENT_DAYS)
    kept = pairs.group_by("date").agg(kept=pl.col("age").min() <= _FRESH_DAYS)
    out = listed.select("date")
    for topic in TOPICS:
        names = [f"{topic}_documents_{life}" for life in _HALF_LIVES]
        mine = pairs.filter(pl.col("group") == topic)
        found = _faded(mine, kept, [*names, f"days_since_{topic}"])
        out = out.join(found, on="date", how="left", maintain_order="left")
    return out


def events_counted(listed: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Return how much was announced of each kind, and the days to what is to come.

    Args:
        listed: `date` and `decision_time` of the sessions.
        events: versions of events, as in staging.events.

    Returns:
        date; of events that a person wrote down <kind>_events_7 and _30 (events, each
        worth half after so many days) and days_since_<kind>_event, null where the list
        has no event at all for 365 days and none of the kind for 1,096; and
        days_to_<kind>_effective, the days to the first day to come from which something
        holds, of those announced before the decision.
    """
    told = events.select(
        "topic", "vintage", "effective_at", "source", "knowable_at", said="date",
        value=pl.lit(1.0), one=pl.struct("event", "topic", "date").rank("dense"),
    )  # fmt: skip
    # What an event is and when it was announced stands in its first version.
    first = (pl.col("vintage") == 0) & (pl.col("source") == "tariff_events")
    written = _known(listed, told.filter(first), days=EVENT_DAYS)
    kept = written.group_by("date").agg(kept=pl.col("age").min() <= _KEPT_DAYS)
    out = listed.select("date")
    for kind, topics in KINDS.items():
        names = [f"{kind}_events_{life}" for life in _HALF_LIVES]
        mine = written.filter(pl.col("topic").is_in(topics))
        found = _faded(mine, kept, [*names, f"days_since_{kind}_event"])
        out = out.join(found, on="date", how="left", maintain_order="left")
    for kind, topics in _AWAITED.items():
        mine = told.filter(pl.col("topic").is_in(topics))
        found = _awaited(listed, mine, f"days_to_{kind}_effective")
        out = out.join(found, on="date", how="left", maintain_order="left")
    return out


def rates_in_force(listed: pl.DataFrame, rates: pl.DataFrame) -> pl.DataFrame:
    """Return the rate that holds on each session, as it was known at its decision.

    Args:
        listed: `date` and `decision_time` of the sessions.
        rates: versions of observations, each dated by the day from which it holds.

    Returns:
        date and the rates of RATES in their units, and argentina_tax_gap: the export tax
        on soybeans less that on soybean oil, in percentage points, which is what a
        crusher gains.
    """
    out = listed.select("date")
    for name, series in RATES.items():
        mine = rates.filter(pl.col("series") == series)
        found = newest_known(listed, mine, max_age_days=RATE_DAYS)
        out = out.join(
            found.select("date", pl.col("value").alias(name)),
            on="date",
            how="left",
            maintain_order="left",
        )
    gap = pl.col("argentina_soybean_tax") - pl.col("argentina_soybean_oil_tax")
    return out.with_columns(argentina_tax_gap=gap)


def _known(listed: pl.DataFrame, told: pl.DataFrame, *, days: int) -> pl.DataFrame:
    """Return with each session what was said in the days before it, as known then."""
    until = told.with_columns(until=pl.col("said").dt.offset_by(f"{days}d"))
    pairs = listed.select("date", "decision_time").join_where(
        until,
        pl.col("said") <= pl.col("date"),
        pl.col("until") >= pl.col("date"),
        pl.col("knowable_at") <= pl.col("decision_time"),
    )
    return pairs.with_columns(age=(pl.col("date") - pl.col("said")).dt.total_days())


def _faded(
    mine: pl.DataFrame, kept: pl.DataFrame, names: Sequence[str]
) -> pl.DataFrame:
    """Return by session the faded counts and the age of the newest mention.

    Exponential decay with the named half-lives: sum of value * 0.5^(age / half-life)
    over ages to ten half-lives, in mentions.
    """
    sums = {
        name: pl.when(pl.col("age") <= life * _LIVES)
        .then(_in_parts(life))
        .otherwise(0)
        .sum()
        for name, life in zip(names[:-1], _HALF_LIVES, strict=True)
    }
    found = mine.group_by("date").agg(**sums, newest=pl.col("age").min())
    judged = found.join(kept.filter("kept"), on="date")
    return judged.select(
        "date",
        *(pl.col(name).cast(pl.Float64) / _PARTS for name in names[:-1]),
        pl.col("newest").cast(pl.Float64).alias(names[-1]),
    )


def _in_parts(half_life: int) -> pl.Expr:
    fades = (pl.col("age").cast(pl.Float64) * (-log(2.0) / half_life)).exp()
    return (pl.col("value") * fades * _PARTS).round().cast(pl.Int64, strict=False)


def _awaited(listed: pl.DataFrame, told: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return by session the days to the first day to come from which something holds.

    What the newest version known says; one that takes its day back is waited for no more.
    """
    pairs = _known(listed, told, days=EVENT_DAYS)
    newest = pl.col("vintage") == pl.col("vintage").max().over("date", "one")
    ahead = (pl.col("effective_at") - pl.col("date")).dt.total_days()
    coming = pairs.filter(newest).with_columns(ahead=ahead).filter(pl.col("ahead") > 0)
    least = pl.col("ahead").min().cast(pl.Float64)
    return coming.group_by("date").agg(least.alias(name))
