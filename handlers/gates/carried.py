"""Whether anything that a model would learn from stands on held content.

It lets nothing through by itself: that is a person's decision about one partition.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Finding, Subject, whole_gate
from handlers.gates.findings import failed, verdict


@whole_gate
def carried_free(tables: Mapping[str, pl.DataFrame], subject: Subject) -> Finding:
    """No held partition lies behind the tables that are learnt from."""
    empty = [name for name, rows in tables.items() if rows.is_empty()]
    if empty or not tables:
        return failed("rows in the tables that are learnt from", "none", empty)
    return verdict(
        subject.carried,
        expected="nothing computed from a held partition",
        found=f"{len(subject.carried)} held partitions behind {', '.join(tables)}",
    )
