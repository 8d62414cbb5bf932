"""Words that one part writes and another reads: both must know the same ones.

A word that nobody emits is as wrong as one that nobody knows. Upper and lower case are
two words; nothing is folded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from cbi_stream import Finding, Subject, gate
from handlers.gates.findings import absent, at, failed, verdict


@gate
def known_words(
    rows: pl.DataFrame,
    subject: Subject,
    *,
    column: str,
    words: tuple[str, ...],
    registry: str,
    used: tuple[str, ...],
) -> Finding:
    """Every value of a column is a known word, and so is every word that readers use.

    Args:
        rows: the candidate.
        subject: with the registry.
        column: the column of words.
        words: the words that are known.
        registry: where the registry names more of them, for instance `horizons.days`;
            empty where it names none.
        used: the words for which readers of the column look.
    """
    if not subject.counts_lines and column not in rows.columns:
        # What is made of staged rows may say other things of them.
        return verdict([], expected=f"{column} where lines are staged", found="none")
    missing = absent(rows, [column], subject)
    if missing:
        return missing
    there: Iterable[Any] = (at(subject.spec, registry) or ()) if registry else ()
    named = [word for word in there if isinstance(word, str)]
    known = {*words, *named}
    if not known or (registry and not named):
        return failed(f"words for {column}", f"none in {registry or 'gates.yaml'}")
    said = rows[column].cast(pl.String)
    strange = said.drop_nulls().unique().sort().to_list()
    bad = [f"{column}={word!r}" for word in strange if word not in known]
    bad += [f"{column}: null"] * bool(said.null_count())
    bad += [
        f"{word!r} is looked for and never written"
        for word in used
        if word not in known
    ]
    return verdict(
        bad,
        expected=f"{column}: {', '.join(sorted(known))}",
        found=f"{len(strange)} words, {len(bad)} of them wrong",
    )
