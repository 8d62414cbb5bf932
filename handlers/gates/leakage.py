"""Features that know the future: by name, by origin, and by what they move with.

It sees what moves with tomorrow and not with today. A leak that is spread over months
hides from it; that one only the probe sees, which changes the future and looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import sqrt

import polars as pl

from cbi_stream import Finding, Subject, whole_gate
from handlers.gates.correlation import Pair, plain, ranked, straight
from handlers.gates.findings import at, fits, numeric, share, table_of, verdict

_NOW, _NEXT = "return_into_today", "return_into_tomorrow"
_EQUAL = 1e-9
_LOW = 0.3
"""Below this correlation of ranks over all rows no feature is looked at closer."""
_FEWEST = 50
"""Rows below which a rank correlation shows nothing."""


@whole_gate
def allowed_columns(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,
    *,
    table: str,
    beside: tuple[str, ...],
    labels: tuple[str, ...],
) -> Finding:
    """Every column is a feature that the registry names, and none is named like a label.

    Args:
        tables: with the table of features.
        subject: with the registry.
        table: the table of features.
        beside: columns that are no features: the key.
        labels: patterns of names that only labels have.
    """
    rows = table_of(tables, table, beside)
    if isinstance(rows, Finding):
        return rows
    known = {each.name for each in at(subject.spec, "feature_registry.features") or ()}
    bad = [
        f"{name}: named like a label"
        if fits(name, labels)
        else f"{name}: not in feature_registry.json"
        for name in rows.columns
        if name not in beside and (fits(name, labels) or name not in known)
    ]
    return verdict(
        bad,
        expected=f"features of feature_registry.json, none named {', '.join(labels)}",
        found=f"{len(rows.columns) - len(beside)} columns, {len(bad)} of them not",
    )


@whole_gate
def no_leakage(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,  # noqa: ARG001 - the tables say it all
    *,
    table: str,
    labels: str,
    price: str,
    equal: float,
    lead: float,
    sigmas: float,
) -> Finding:
    """No feature moves with the target's future while it does not with its past.

    Each feature is looked at as it is, as its change, and as its distance from the
    price, against the target's return into tomorrow and against each label.

    Args:
        tables: the features and the labels.
        subject: what is judged.
        table: the table of features, with the target's price.
        labels: the table of labels.
        price: the column of the target's price.
        equal: above this rank correlation with a label a feature is that label.
        lead: the least rank correlation with tomorrow's return that is suspicious.
        sigmas: so many standard errors it must be at least; short tables are noisy.
    """
    rows = table_of(tables, table, ["date", price])
    made = table_of(tables, labels, ["date", "horizon", "target_log_return"])
    if isinstance(rows, Finding):
        return rows
    if isinstance(made, Finding):
        return made
    names = [name for name in numeric(rows) if name != price]
    if not names:
        return verdict([table], expected=f"features in {table}", found="no column")
    seen = _seen(rows.sort("date"), names, price).join(
        _by_horizon(made), on="date", how="left", maintain_order="left"
    )
    horizons = [each for each in seen.columns if each.startswith("label:")]
    order = seen.select(pl.exclude("date").rank())
    bad = [
        *_leading(seen, order, names, lead=lead, sigmas=sigmas),
        *_labels_told(seen, order, names, labels=horizons, equal=equal),
    ]
    return verdict(
        bad,
        expected=f"no |rank correlation| above {equal} with a label, and none above "
        f"{lead} with tomorrow's return that is thrice that with today's",
        found=f"{len(names)} features against {len(horizons)} labels: {len(bad)} do",
    )


def _forms(name: str) -> tuple[str, str, str]:
    return name, f"change of {name}", f"{name} over the price"


def _seen(rows: pl.DataFrame, names: Iterable[str], price: str) -> pl.DataFrame:
    """Return each feature in its three forms beside the returns of today and tomorrow."""
    asked = list(names)
    frame = plain(rows, [*asked, price])
    log = pl.when(pl.col(price) > 0).then(pl.col(price).log())
    forms = {}
    for name in asked:
        itself, change, over = _forms(name)
        each = pl.col(name)
        forms[itself] = each
        forms[change] = each - each.shift(1)
        forms[over] = pl.when(each > 0).then(each.log()) - log
    now = log - log.shift(1)
    return frame.select(**forms, **{_NOW: now, _NEXT: now.shift(-1)}).with_columns(
        rows["date"]
    )


def _by_horizon(labels: pl.DataFrame) -> pl.DataFrame:
    """Return one column per horizon with the labels by date."""
    wide = labels.select("date").unique()
    for (name,), rows in sorted(labels.partition_by("horizon", as_dict=True).items()):
        column = pl.col("target_log_return").cast(pl.Float64).alias(f"label:{name}")
        wide = wide.join(
            rows.select("date", column).unique("date"), on="date", how="left"
        )
    return wide


def _leading(
    seen: pl.DataFrame,
    order: pl.DataFrame,
    names: Iterable[str],
    *,
    lead: float,
    sigmas: float,
) -> Iterator[str]:
    """Yield each feature that moves with tomorrow's return, and not so with today's."""
    pairs = [(form, _NEXT) for name in names for form in _forms(name)]
    likely = _likely(order, pairs, lead / 2)
    tomorrow = {
        form: (r, n)
        for (form, _), (r, n) in ranked(seen, likely).items()
        if abs(r) > max(lead, sigmas / sqrt(n))
    }
    today = ranked(seen, ((form, _NOW) for form in tomorrow))
    for form, (r, n) in tomorrow.items():
        before = today.get((form, _NOW), (0.0, 0))[0]
        if abs(r) > 3 * abs(before):
            yield (
                f"{form}: {r:.2f} with tomorrow's return, {before:.2f} with today's, "
                f"on {n} rows"
            )


def _labels_told(
    seen: pl.DataFrame,
    order: pl.DataFrame,
    names: Iterable[str],
    *,
    labels: Iterable[str],
    equal: float,
) -> Iterator[str]:
    """Yield each feature that is a label: equal to it, or in the same order."""
    each_label = list(labels)
    pairs = [
        (form, label)
        for name in names
        for form in (_forms(name)[0], _forms(name)[2])
        for label in each_label
    ]
    for (form, label), (r, n) in ranked(seen, _likely(order, pairs, _LOW)).items():
        off = (pl.col(form) - pl.col(label)).abs() <= _EQUAL
        same = int(seen.select(off.sum()).item())
        if n >= _FEWEST and (abs(r) > equal or same > n / 2):
            yield f"{form}: {r:.3f} with {label}, {share(same, n)} of {n} rows equal"


def _likely(order: pl.DataFrame, pairs: Iterable[Pair], least: float) -> list[Pair]:
    """Return the pairs that are worth ranking over the rows that they share.

    The ranks over all rows are nearly those, and are computed once per column.
    """
    return [pair for pair, (r, _) in straight(order, pairs).items() if abs(r) > least]
