"""Names carry where a number comes from: what is made may not be called observed.

It looks at the registry's fields and never at values: a good proxy correlates with the
real thing, and is still none.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Finding, Subject, whole_gate
from handlers.gates.findings import at, failed, fits, table_of, verdict


@whole_gate
def names_carry_provenance(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,
    *,
    table: str,
    observed: dict[str, tuple[str, ...]],
    made: tuple[str, ...],
) -> Finding:
    """A feature with an observed name draws on that observation; a proxy says it is one.

    Args:
        tables: with the table of features.
        subject: with the registry.
        table: the table of features.
        observed: by pattern of names the patterns of `source.series` that may stand
            under it.
        made: patterns of names that say that they are made, and may draw on anything.
    """
    rows = table_of(tables, table, ["date"])
    if isinstance(rows, Finding):
        return rows
    known = {
        each.name: each for each in at(subject.spec, "feature_registry.features") or ()
    }
    if not known:
        return failed("features in feature_registry.json", "none")
    bad, judged = [], 0
    for name in (each for each in rows.columns if not fits(each, made)):
        needed = [src for like, src in observed.items() if fits(name, [like])]
        if not needed or name == "date":
            continue
        judged += 1
        feature = known.get(name)
        drawn = feature.sources if feature else ()
        if feature is None:
            bad.append(f"{name}: not in feature_registry.json")
        elif not all(any(fits(each, source) for each in drawn) for source in needed):
            bad.append(
                f"{name}: draws on {', '.join(drawn) or 'prices'}"
                f"{f' by {feature.formula}' if feature.formula else ''}; "
                f"the name is that of {', '.join(needed[0])}"
            )
    return verdict(
        bad,
        expected="under an observed name that observation, else a name like "
        f"{', '.join(made)}",
        found=f"{judged} observed names, {len(bad)} of them made of something else",
    )
