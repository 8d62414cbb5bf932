"""Codes of contracts and stations against a reference that was written independently.

The reference stands in gates.yaml, apart from the registry's own names: two people must
make the same mistake for it to pass. It never looks a code up anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, radians

import polars as pl

from cbi_stream import Finding, Subject, gate
from handlers.gates.findings import absent, at, failed, verdict


@gate
def known_contracts(
    rows: pl.DataFrame,
    subject: Subject,
    *,
    source: str,
    reference: dict[str, str],
) -> Finding:
    """Each code among the rows is in the reference, and is named there as it is here.

    Args:
        rows: counts: series are `code.measure`.
        subject: with the registry.
        source: the entry of data_sources.yaml that names the contracts.
        reference: by code a word that must stand in the contract's name.
    """
    missing = absent(rows, ["series"], subject)
    if missing:
        return missing
    entry = (at(subject.spec, "data_sources.sources") or {}).get(source)
    if entry is None:
        return failed(f"the source {source} in data_sources.yaml", "none")
    names: Mapping[str, str] = entry.contracts
    series = rows["series"].drop_nulls().unique().sort().to_list()
    there = sorted({each.partition(".")[0] for each in series} | set(names))
    bad = []
    for code in there:
        word, name = reference.get(code), names.get(code)
        if word is None:
            bad.append(f"{code}: not in the reference")
        elif name is None:
            bad.append(f"{code}: not a contract of {source}")
        elif word.lower() not in name.lower():
            bad.append(f"{code}: called {name!r} here, in the reference {word!r}")
    return verdict(
        bad,
        expected="each contract as the reference names it",
        found=f"{len(there)} codes, {len(bad)} of them otherwise",
    )


@gate
def known_stations(
    rows: pl.DataFrame,
    subject: Subject,
    *,
    reference: dict[str, tuple[float, float]],
    claimed: dict[str, tuple[float, float]],
    most_km: float,
) -> Finding:
    """Each station among the rows lies where it is said to lie.

    Args:
        rows: observations: series are `station.measure`.
        subject: what it is.
        reference: by station latitude and longitude in the official list.
        claimed: the same as this lake says it, of the place that is meant.
        most_km: how far the two may lie apart.
    """
    missing = absent(rows, ["series"], subject)
    if missing:
        return missing
    series = rows["series"].drop_nulls().unique().sort().to_list()
    there = sorted({each.partition(".")[0] for each in series})
    bad = []
    for station in there:
        official, ours = reference.get(station), claimed.get(station)
        if official is None or ours is None:
            bad.append(f"{station}: not in the {'list' if ours else 'reference'}")
        elif (off := _km(official, ours)) > most_km:
            bad.append(f"{station}: {off:.0f} km from where it is said to be")
    return verdict(
        bad,
        expected=f"each station within {most_km:g} km of its place",
        found=f"{len(there)} stations, {len(bad)} of them otherwise",
    )


def _km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the distance of two places, on a flat map: good to a few hundred km."""
    north = (one[0] - other[0]) * 111.2
    east = (one[1] - other[1]) * 111.2 * cos(radians((one[0] + other[0]) / 2))
    return float((north**2 + east**2) ** 0.5)
