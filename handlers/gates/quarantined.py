"""How many lines of a source were turned away: of a partition, and of all history.

It looks at the counters of fates alone and never at the lines. Lines of symbols that
the registry does not name were not judged, so they do not count.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Finding, Subject, gate, whole_gate
from handlers.gates.findings import failed, share, verdict

_NOT_JUDGED = {"unused"}


@gate
def quarantine_rate(
    rows: pl.DataFrame,  # noqa: ARG001 - only the counters are looked at
    subject: Subject,
    *,
    most: float,
    most_of: dict[str, float],
    tolerated: int,
) -> Finding:
    """The share of each source's lines in a partition that were turned away.

    Args:
        rows: the candidate.
        subject: with the fates of its lines.
        most: the highest share.
        most_of: the highest share of single raw tables, where it is another.
        tolerated: so many lines are no rate: one bad line of three is one bad line.
    """
    if not subject.counts_lines:
        return verdict([], expected="no line is turned away here", found="none")
    if not subject.fates:
        return failed("the fates of the lines behind it", "no counters")
    found, bad = [], []
    for raw, fates in sorted(subject.fates.items()):
        lost, judged = _counted(fates)
        limit = most_of.get(raw, most)
        found.append(f"{raw} {lost} of {judged}")
        if lost > tolerated and lost > limit * judged:
            bad.append(f"{raw}: {share(lost, judged)} of {judged} lines")
    said = [f"{100 * most:g} %", *(f"{r} {100 * m:g} %" for r, m in most_of.items())]
    return verdict(
        bad,
        expected=f"at most {', '.join(said)} of a source's lines in quarantine",
        found="; ".join(found),
    )


@whole_gate
def quarantine_rate_of_history(
    tables: Mapping[str, pl.DataFrame],  # noqa: ARG001 - only the counters are looked at
    subject: Subject,
    *,
    most: float,
) -> Finding:
    """The share of all lines of all sources that were turned away.

    Args:
        tables: what the effect reads.
        subject: with the sums of the fates over all partitions.
        most: the highest share.
    """
    counts = {raw: _counted(fates) for raw, fates in sorted(subject.fates.items())}
    judged = sum(each[1] for each in counts.values())
    lost = sum(each[0] for each in counts.values())
    if not judged:
        return failed("the fates of all lines", "no line was counted")
    worst = sorted(counts, key=lambda raw: (-counts[raw][0], raw))
    too_many = lost > most * judged
    counted = f"{lost} of {judged} lines ({share(lost, judged)})"
    # Lines that come again change the counts and no table. A manifest that is not written
    # anew would then say other numbers than a rebuild: a pass says none.
    return verdict(
        [f"{raw}: {counts[raw][0]} of {counts[raw][1]} lines" for raw in worst]
        if too_many
        else [],
        expected=f"at most {100 * most:g} % of all lines in quarantine",
        found=counted if too_many else "no more than that",
    )


def _counted(fates: Mapping[str, int]) -> tuple[int, int]:
    """Return how many lines were turned away, and how many were judged."""
    judged = sum(n for fate, n in fates.items() if fate not in _NOT_JUDGED)
    return fates.get("quarantined", 0), judged
