"""Features that know the future: by name, by origin, and by what they move with.

It sees what moves with tomorrow and not with today. A leak that is spread over months
hides from it; that one only the probe sees, which changes the future and looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import sqrt

import polars as pl

from cbi_stream import Finding, Subject, whole_gate
from handlers.gates.correlation import plain, ranked
from handlers.gates.findings import at, fits, numeric, share, table_of, verdict

_NOW, _NEXT = "return_into_today", "return_into_tomorrow"
_EQUAL = 1e-9
_SAMPLED = 8
_LOW = 0.8
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
    bad = [
        *_leading(seen, names, lead=lead, sigmas=sigmas),
        *_labels_told(seen, names, horizons, equal=equal),
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
    seen: pl.DataFrame, names: Iterable[str], *, lead: float, sigmas: float
) -> Iterator[str]:
    """Yield each feature that moves with tomorrow's return, and not so with today's."""
    forms = [form for name in names for form in _forms(name)]
    tomorrow = ranked(seen, ((form, _NEXT) for form in forms))
    close = [
        form
        for (form, _), (r, n) in tomorrow.items()
        if abs(r) > max(lead, sigmas / sqrt(n))
    ]
    today = ranked(seen, ((form, _NOW) for form in close))
    for form in close:
        r, n = tomorrow[form, _NEXT]
        before = today.get((form, _NOW), (0.0, 0))[0]
        if abs(r) > 3 * abs(before):
            yield (
                f"{form}: {r:.2f} with tomorrow's return, {before:.2f} with today's, "
                f"on {n} rows"
            )


def _labels_told(
    seen: pl.DataFrame, names: Iterable[str], horizons: Iterable[str], *, equal: float
) -> Iterator[str]:
    """Yield each feature that is a label: equal to it, or in the same order."""
    pairs = [
        (form, each)
        for name in names
        for form in (_forms(name)[0], _forms(name)[2])
        for each in horizons
    ]
    same = seen.select(
        ((pl.col(form) - pl.col(each)).abs() <= _EQUAL).sum().alias(f"{form}|{each}")
        for form, each in pairs
    ).row(0, named=True)
    # What is the label has its order on every eighth row, too: most pairs end here.
    few = seen.gather_every(_SAMPLED)
    hopeless = {
        pair
        for pair, (r, n) in ranked(few, pairs).items()
        if n >= _FEWEST and abs(r) < _LOW
    }
    likely = [p for p in pairs if p not in hopeless or same["|".join(p)]]
    for (form, each), (r, n) in ranked(seen, likely).items():
        count = same[f"{form}|{each}"]
        if n >= _FEWEST and (abs(r) > equal or count > n / 2):
            yield f"{form}: {r:.3f} with {each}, {share(count, n)} of {n} rows equal"
