"""Codes of contracts and stations against a reference that was written independently.

The reference stands in gates.yaml, apart from the registry's own names: two people must
make the same mistake for it to pass. It never looks a code up anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Finding, Subject, gate
from handlers.gates.findings import absent, at, failed, verdict


@gate
def known_contracts(
    rows: pl.DataFrame, subject: Subject, *, source: str, reference: dict[str, str]
) -> Finding:
    """Each contract's code is in the reference, and is named there as it is here.

    Args:
        rows: counts: series are `code.measure`.
        subject: with the registry.
        source: the entry of data_sources.yaml that names the contracts.
        reference: by code a word that must stand in the contract's name.
    """
    entry = (at(subject.spec, "data_sources.sources") or {}).get(source)
    names = entry.contracts if entry else None
    return _named(rows, subject, names, reference)


@gate
def known_stations(
    rows: pl.DataFrame, subject: Subject, *, source: str, reference: dict[str, str]
) -> Finding:
    """Each station's code is in the reference, and is named there as it is here.

    Args:
        rows: observations: series are `station.measure`.
        subject: with the registry.
        source: the entry of data_sources.yaml that names the series.
        reference: by station its place in the official list: `Milwaukee`.
    """
    entry = (at(subject.spec, "data_sources.sources") or {}).get(source)
    names = (
        {n.partition(".")[0]: each.name for n, each in entry.series.items()}
        if entry
        else None
    )
    return _named(rows, subject, names, reference)


def _named(
    rows: pl.DataFrame,
    subject: Subject,
    names: Mapping[str, str] | None,
    reference: Mapping[str, str],
) -> Finding:
    """Hold each code among the rows against its name here and in the reference."""
    missing = absent(rows, ["series"], subject)
    if missing:
        return missing
    if not names:
        return failed("names in data_sources.yaml", "no such source, or no names")
    series = rows["series"].drop_nulls().unique().sort().to_list()
    codes = sorted({each.partition(".")[0] for each in series})
    bad = []
    for code in codes:
        word, name = reference.get(code), names.get(code)
        if word is None:
            bad.append(f"{code}: not in the reference")
        elif name is None:
            bad.append(f"{code}: not in data_sources.yaml")
        elif word.lower() not in name.lower():
            bad.append(f"{code}: called {name!r} here, in the reference {word!r}")
    return verdict(
        bad,
        expected="each code as the reference names it",
        found=f"{len(codes)} codes, {len(bad)} of them otherwise",
    )
