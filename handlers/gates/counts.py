"""How many features there are, and whether the flags that readers rely on exist.

A number of columns shows nothing about their values; other checks look at those.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Finding, Subject, gate, whole_gate
from handlers.gates.findings import absent, at, failed, verdict


@whole_gate
def feature_count(
    tables: Mapping[str, pl.DataFrame],  # noqa: ARG001 - only the files are looked at
    subject: Subject,
    *,
    least: dict[str, int],
    most: dict[str, int],
) -> Finding:
    """Each file has as many features as its surface may have.

    Args:
        tables: what the effect reads.
        subject: with the files and the registry.
        least: by surface the least number of features.
        most: by surface the highest.
    """
    entries = at(subject.spec, "exports.exports") or {}
    features = {
        each.name for each in at(subject.spec, "feature_registry.features") or ()
    }
    if not (entries and subject.files):
        return failed("the files of exports.yaml", "no file")
    counts = {
        n: len(features & set(f.columns)) for n, f in sorted(subject.files.items())
    }
    bad = []
    for name, count in counts.items():
        surface = entries[name].surface if name in entries else "none"
        low, high = least.get(surface), most.get(surface)
        if low is None or high is None:
            bad.append(f"{name}: no numbers for the surface {surface}")
        elif not low <= count <= high:
            bad.append(f"{name}: {count} features, not {low} to {high}")
    return verdict(
        bad,
        expected="; ".join(f"{s} {n} to {most.get(s)}" for s, n in least.items()),
        found=", ".join(f"{name} {count}" for name, count in counts.items()),
    )


@gate
def flags_present(
    rows: pl.DataFrame, subject: Subject, *, columns: tuple[str, ...], may_be_null: bool
) -> Finding:
    """Named flags exist and are boolean.

    Args:
        rows: the candidate.
        subject: what it is.
        columns: the flags.
        may_be_null: whether a flag may be unknown.
    """
    missing = absent(rows, columns, subject)
    if missing:
        return missing
    bad = []
    for name in columns:
        if rows.schema[name] != pl.Boolean:
            bad.append(f"{name} is {rows.schema[name]}")
        elif rows[name].null_count() and not may_be_null:
            bad.append(f"{name}: {rows[name].null_count()} nulls")
    return verdict(
        bad,
        expected=f"{', '.join(columns)} as true or false",
        found=f"{len(bad)} of {len(columns)} are otherwise",
    )
