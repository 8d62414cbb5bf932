"""Whether what is about to be published was computed from held content.

It lists all of that, and never decides what may be carried: people do.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Finding, Subject, whole_gate

_MOST = 5


@whole_gate
def nothing_carried(tables: Mapping[str, pl.DataFrame], subject: Subject) -> Finding:
    """No partition behind the training window is held: models learn trusted rows only.

    The files hold all history, so every partition lies behind the window.
    """
    carried = subject.carried
    return Finding(
        passed=any(rows.height for rows in tables.values()) and not carried,
        expected="rows, and nothing held behind them",
        found=", ".join(carried) or f"nothing held behind {len(tables)} tables",
        places=carried[:_MOST],
    )
