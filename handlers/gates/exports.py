"""The training files before they are published: all there, each with its own labels.

It counts nothing that copies would satisfy: what must differ is compared, and what must
be equal is too. No file is read from the disk; the effect's frames are judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import polars as pl

from cbi_stream import Finding, Subject, whole_gate
from handlers.gates.findings import at, failed, table_of, verdict

_LABEL = ("target_price", "target_log_return", "target_up", "matures_on")


@whole_gate
def ten_exports(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,
    *,
    features: str,
    labels: str,
    count: int,
) -> Finding:
    """Exactly the files of exports.yaml, each with the labels of its own horizon.

    A file has one row per resolved label of its horizon, and no two files are equal.

    Args:
        tables: the features and the labels.
        subject: with the files, and the registry, which names them.
        features: the table of features.
        labels: the table of labels.
        count: how many files there are.
    """
    rows = table_of(tables, features, ["date"])
    made = table_of(tables, labels, ["date", "horizon", "resolved", *_LABEL])
    if isinstance(rows, Finding):
        return rows
    if isinstance(made, Finding):
        return made
    entries: Mapping[str, Any] = at(subject.spec, "exports.exports") or {}
    if len(entries) != count:
        return failed(f"{count} files in exports.yaml", f"{len(entries)}")
    bad = [
        *(f"{name}: not made" for name in sorted(entries.keys() - subject.files)),
        *(f"{name}: not named" for name in sorted(subject.files.keys() - entries)),
    ]
    due = made.filter(pl.col("resolved").fill_null(False)).join(
        rows.select("date"), on="date", how="semi"
    )
    for name in sorted(entries.keys() & subject.files):
        own = due.filter(pl.col("horizon") == entries[name].horizon)
        bad += _off(name, subject.files[name], own)
    bad += _copies(entries, subject.files)
    return verdict(
        bad,
        expected=f"the {count} files of exports.yaml, each with a row for every "
        "resolved label of its horizon, no two alike",
        found=f"{len(subject.files)} files: "
        + ", ".join(f"{n} {f.height}" for n, f in sorted(subject.files.items())),
    )


@whole_gate
def same_columns(
    tables: Mapping[str, pl.DataFrame],  # noqa: ARG001 - only the files are looked at
    subject: Subject,
) -> Finding:
    """The files of a surface have the same columns and types, whatever their horizon.

    The features are those that the registry puts on the surface, in its order.
    """
    entries: Mapping[str, Any] = at(subject.spec, "exports.exports") or {}
    there = {name: subject.files[name] for name in entries if name in subject.files}
    if not there:
        return failed("the files of exports.yaml", "no file")
    bad, first = [], dict[str, str]()
    for name, frame in sorted(there.items()):
        surface = entries[name].surface
        wanted = ["date", *at(subject.spec, "feature_registry").on_surface(surface)]
        bad += [f"{name}: no {each}" for each in wanted if each not in frame.columns]
        leader = there[first.setdefault(surface, name)].schema
        own = frame.schema
        for column in dict.fromkeys([*leader, *own]):
            if leader.get(column) != own.get(column):
                said = f"{own.get(column)}, in {first[surface]} {leader.get(column)}"
                bad.append(f"{name}: {column} is {said}")
        if not bad and list(leader) != list(own):
            bad.append(f"{name}: another order of columns than {first[surface]}")
    return verdict(
        bad,
        expected="on each surface the features of the registry, of one type each",
        found="; ".join(f"{n}: {f.width} columns" for n, f in sorted(there.items())),
    )


def _off(name: str, frame: pl.DataFrame, due: pl.DataFrame) -> Iterator[str]:
    """Yield what a file has that its labels do not, and the other way round."""
    lost = [each for each in ("date", *_LABEL) if each not in frame.columns]
    if lost:
        yield f"{name}: no column {', '.join(lost)}"
        return
    if frame.height != due.height or frame["date"].n_unique() != frame.height:
        yield (
            f"{name}: {frame.height} rows of {frame['date'].n_unique()} dates; "
            f"{due.height} labels are resolved"
        )
    both = frame.select("date", *_LABEL).join(
        due.select("date", *_LABEL), on="date", how="full", suffix="_due"
    )
    other = ~pl.all_horizontal(pl.col(c).eq_missing(pl.col(f"{c}_due")) for c in _LABEL)
    for row in both.filter(other).sort("date", "date_due").head(1).to_dicts():
        day = row["date"] or row["date_due"]
        yield (
            f"{name}: {day} target_price={row['target_price']}, "
            f"the label of its horizon says {row['target_price_due']}"
        )


def _copies(
    entries: Mapping[str, Any], files: Mapping[str, pl.DataFrame]
) -> Iterator[str]:
    """Yield each pair of files that are equal, or of two horizons with equal labels."""
    for one, other in combinations(sorted(entries.keys() & files), 2):
        a, b = files[one], files[other]
        if a.is_empty() and b.is_empty():
            continue  # of a young lake: no label of either horizon is resolved
        if a.equals(b):
            yield f"{one} and {other} are equal"
            continue
        apart = entries[one].horizon != entries[other].horizon
        known = all(c in f.columns for f in (a, b) for c in ("date", *_LABEL))
        if not (apart and known) or min(a.height, b.height) == 0:
            continue
        shared = a.select("date", x="target_log_return").join(
            b.select("date", y="target_log_return"), on="date"
        )
        same = shared.filter(pl.col("x").eq_missing(pl.col("y"))).height
        if same > shared.height / 2:
            yield f"{one} and {other}: {same} of {shared.height} labels are equal"
