"""Facts about events: each dated and cited, and none known before it was announced.

It never says whether a citation is true, only that there is one to read.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Finding, Subject, gate
from handlers.gates.findings import absent, places, verdict


@gate
def event_facts_cited(
    rows: pl.DataFrame, subject: Subject, *, cited_by: str, form: str
) -> Finding:
    """Each event has a citation that looks like one, and is known from it on.

    Args:
        rows: events: event, date, announced_at, knowable_at and the citation.
        subject: what it is.
        cited_by: the column of the citation.
        form: a regular expression that a citation fits: an address, a document's number.
    """
    needed = ["event", "date", "announced_at", "knowable_at", cited_by]
    missing = absent(rows, needed, subject)
    if missing:
        return missing
    cited = pl.col(cited_by).str.contains(form)
    in_time = pl.col("knowable_at") >= pl.col("announced_at")
    bad = rows.filter(~(cited & in_time).fill_null(False)).sort("date", "event")
    return verdict(
        places(bad, ["event", cited_by, "announced_at", "knowable_at"]),
        expected="a citation, and nothing known before it was announced",
        found=f"{bad.height} of {rows.height} events are otherwise",
    )
