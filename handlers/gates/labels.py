"""Labels: each is what the calendar and the prices say, and few are missing.

A label that is still open is no loss, and one without a settlement is none that could
be filled in. Nothing here takes a label's own word for the day on which it matures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from cbi_stream import Finding, Subject, gate, whole_gate
from handlers.gates.findings import absent, at, failed, places, share, table_of, verdict

_LABEL = ("date", "horizon", "matures_on", "target_price", "target_log_return")


@gate
def labels_covered(
    rows: pl.DataFrame, subject: Subject, *, least: float, since: date, tolerated: int
) -> Finding:
    """The share of resolvable rows of a partition that have their label, by horizon.

    Resolvable is what is not open any more: its session is over.

    Args:
        rows: labels.forward.
        subject: what it is.
        least: the lowest share.
        since: sessions before it are not judged.
        tolerated: so many missing labels of a horizon are no share: one of five rows in
            January is one label.
    """
    return _covered(rows, subject, least, since=since, tolerated=tolerated)


@whole_gate
def labels_covered_of_history(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,  # noqa: ARG001 - the table says it all
    *,
    labels: str,
    least: float,
    since: date,
    tolerated: int,
) -> Finding:
    """The share of all resolvable rows that have their label, by horizon.

    Args:
        tables: with the labels.
        subject: what is judged.
        labels: the table of labels.
        least: the lowest share.
        since: sessions before it are not judged.
        tolerated: so few rows without one are no finding: a young lake has few rows.
    """
    rows = table_of(tables, labels, ["date"])
    if isinstance(rows, Finding):
        return rows
    return _covered(rows, Subject(labels), least, since=since, tolerated=tolerated)


@whole_gate
def labels_true(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,
    *,
    labels: str,
    prices: str,
    tolerance: float,
) -> Finding:
    """Recompute every label from the calendar and the prices; all of them must agree.

    Args:
        tables: the labels and the prices.
        subject: with the registry, which has the calendar and the horizons.
        labels: the table of labels.
        prices: the table with the target's close by date.
        tolerance: how far a log return may lie off; prices must be equal.
    """
    made = table_of(tables, labels, [*_LABEL, "resolved"])
    closes = table_of(tables, prices, ["date", "close"])
    if isinstance(made, Finding):
        return made
    if isinstance(closes, Finding):
        return closes
    days = at(subject.spec, "horizons.days")
    if not days:
        return failed("the horizons of the registry", "none")
    if "symbol" in closes.columns:
        closes = closes.filter(pl.col("symbol") == at(subject.spec, "settings.target"))
    strangers = made.filter(~pl.col("horizon").is_in(list(days)).fill_null(False))
    told = made.join(
        _expected(made, closes, days, subject.spec.sessions),
        on=["date", "horizon"],
        how="left",
        maintain_order="left",
    )
    wrong = pl.concat([strangers.select(_LABEL), told.filter(_off(tolerance))[_LABEL]])
    return verdict(
        places(wrong.unique().sort("date", "horizon"), _LABEL),
        expected="each label the close of the first session on or after date + days, "
        "and none where that close is not known",
        found=f"{made.height - wrong.height} of {made.height} labels "
        f"({share(made.height - wrong.height, made.height)}) are so",
    )


def _covered(
    rows: pl.DataFrame, subject: Subject, least: float, *, since: date, tolerated: int
) -> Finding:
    missing = absent(rows, ["date", "horizon", "resolved", "reason"], subject)
    if missing:
        return missing
    due = rows.filter(
        pl.col("date") >= since, (pl.col("reason") == "open").fill_null(False).not_()
    )
    labelled = pl.col("resolved").fill_null(False)
    said = due.group_by("horizon").agg(labelled=labelled.sum(), due=pl.len())
    without = pl.col("due") - pl.col("labelled")
    few = pl.max_horizontal(tolerated, (1 - least) * pl.col("due"))
    thin = said.filter(without.cast(pl.Float64) > few)
    lost = due.filter(~labelled).join(thin, on="horizon", how="semi")
    counts = [f"{h}: {n} of {of}" for h, n, of in said.sort("horizon").iter_rows()]
    return verdict(
        places(lost.sort("date", "horizon"), ["horizon", "reason"]),
        expected=f"a label on {100 * least:g} % of the rows whose day is over, "
        f"since {since}",
        found="; ".join(counts) or "no row whose day is over",
    )


def _expected(
    made: pl.DataFrame, closes: pl.DataFrame, days: Mapping[str, int], sessions: Any
) -> pl.DataFrame:
    """Return by date and horizon the day that decides, and the prices then and now."""
    keys = made.select("date", "horizon").unique().drop_nulls()
    due = [
        sessions.on_or_after(day + timedelta(days=days[name])) if name in days else None
        for day, name in keys.iter_rows()
    ]
    prices = closes.select("date", close=pl.col("close").cast(pl.Float64))
    prices = prices.unique("date", keep="any").filter(pl.col("close").is_finite())
    return (
        keys.with_columns(true_day=pl.Series(due, dtype=pl.Date))
        .join(prices.rename({"close": "true_base"}), on="date", how="left")
        .join(
            prices.rename({"date": "true_day", "close": "true_price"}),
            on="true_day",
            how="left",
        )
    )


def _off(tolerance: float) -> pl.Expr:
    """Return whether a label differs from what it must be; null is none that fits."""
    known = pl.col("true_base").is_not_null() & pl.col("true_price").is_not_null()
    moved = pl.col("true_price").log() - pl.col("true_base").log()
    right = (
        (pl.col("target_price") == pl.col("true_price"))
        & ((pl.col("target_log_return") - moved).abs() <= tolerance)
        & pl.col("resolved")
    ).fill_null(False)
    empty = (
        pl.col("target_price").is_null()
        & pl.col("target_log_return").is_null()
        & ~pl.col("resolved").fill_null(True)
    )
    same_day = (pl.col("matures_on") == pl.col("true_day")).fill_null(False)
    return ~(same_day & pl.when(known).then(right).otherwise(empty))
