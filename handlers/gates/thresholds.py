"""Thresholds that could matter: each fires now and then, and in several episodes.

One that always fires, never fires, or fired once is no signal. It is measured from the
first value of its column on; what did not exist yet is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Finding, Subject, whole_gate
from handlers.gates.findings import share, table_of, value, verdict


@whole_gate
def hit_rate(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,  # noqa: ARG001 - the table says it all
    *,
    table: str,
    above: dict[str, float],
    below: dict[str, float],
    between: tuple[float, float],
    episodes: int,
    apart: int,
) -> Finding:
    """Each threshold is crossed on a share of history, in separate episodes.

    Args:
        tables: with the table.
        subject: what is judged.
        table: the table.
        above: by column the threshold that fires above it.
        below: by column the threshold that fires below it.
        between: the lowest and the highest share of the rows with a value.
        episodes: the least number of episodes.
        apart: more than so many rows between two hits part two episodes.
    """
    rows = table_of(tables, table, ["date", *above, *below])
    if isinstance(rows, Finding):
        return rows
    tests = {
        f"{name} > {limit:g}": value(name) > limit for name, limit in above.items()
    }
    tests |= {
        f"{name} < {limit:g}": value(name) < limit for name, limit in below.items()
    }
    found: list[str] = []
    bad = [] if tests else ["no threshold is named"]
    low, high = between
    for name, fired in rows.sort("date").select(**tests).to_dict().items():
        known = fired.drop_nulls()
        hits = known.arg_true()
        times = int((hits.diff() > apart).sum()) + 1 if hits.len() else 0
        said = f"{name}: {share(hits.len(), known.len())} in {times} episodes"
        found.append(said)
        rare = not low * known.len() <= hits.len() <= high * known.len()
        if rare or times < episodes:
            bad.append(f"{said}, {known.len()} rows")
    return verdict(
        bad,
        expected=f"{100 * low:g} to {100 * high:g} % of history, in at least "
        f"{episodes} episodes",
        found="; ".join(found),
    )
