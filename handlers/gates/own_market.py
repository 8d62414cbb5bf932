"""A series that claims to be of a market moves with that market.

It compares changes and never levels: two levels that both rise look alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Finding, Subject, whole_gate
from handlers.gates.correlation import plain, ranked
from handlers.gates.findings import table_of, verdict


@whole_gate
def own_correlation(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,  # noqa: ARG001 - the table says it all
    *,
    table: str,
    column: str,
    market: str,
    over: int,
    least: float,
    least_rows: int,
) -> Finding:
    """The changes of a column and of its market go together.

    Args:
        tables: with the table.
        subject: what is judged.
        table: the table.
        column: what claims to be of the market.
        market: the market's price or open interest.
        over: over so many rows the change is taken.
        least: the least rank correlation.
        least_rows: with fewer rows nothing is shown, and it fails.
    """
    rows = table_of(tables, table, ["date", column, market])
    if isinstance(rows, Finding):
        return rows
    said = plain(rows.sort("date"), [column, market])
    moved = said.select(
        own=pl.col(column) - pl.col(column).shift(over),
        its=pl.col(market) - pl.col(market).shift(over),
    )
    r, n = ranked(moved, [("own", "its")]).get(("own", "its"), (0.0, 0))
    good = n >= least_rows and r >= least
    return verdict(
        [] if good else [f"{column} and {market}: {r:.3f} on {n} rows"],
        expected=f"a rank correlation of at least {least:g} on {least_rows} rows",
        found=f"{r:.3f} on {n} rows",
    )
