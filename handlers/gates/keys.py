"""Whether rows are told apart by what should tell them apart. It never drops one."""

from __future__ import annotations

import polars as pl

from cbi_stream import Finding, Subject, gate

_MOST = 5


@gate
def no_twins(
    rows: pl.DataFrame, subject: Subject, *, key: tuple[str, ...] = ()
) -> Finding:
    """No two rows agree in these columns; the table's key where none are named."""
    by = list(key or subject.key)
    twins = rows.select(by).filter(pl.struct(by).is_duplicated()).unique().sort(by)
    places = tuple(
        " ".join(f"{name}={value}" for name, value in zip(by, row, strict=True))
        for row in twins.head(_MOST).rows()
    )
    return Finding(
        passed=not twins.height,
        expected=f"each {' '.join(by)} once",
        found=f"{twins.height} of {rows.height} keys more than once",
        places=places,
    )
