"""Reads what the lake holds as last published, for comparison with a file.

It takes no lock and changes nothing in the lake.
"""

from __future__ import annotations

import polars as pl

from cbi_stream.audit.overlap import Held, held_of
from cbi_stream.lake import log
from cbi_stream.lake.lake import Lake

_PRICES = "staging.prices"
_OBSERVATION = {"series", "date", "value"}


def held_by(lake: Lake) -> Held:
    """Return the closes and observations of a lake, by symbol and series."""
    prices = pl.DataFrame(
        schema={"symbol": pl.String, "date": pl.Date, "close": pl.Float64}
    )
    observations: dict[str, pl.DataFrame] = {}
    for table, seen in lake.published().items():
        if not table.startswith("staging.") or seen.version < 0:
            continue
        stored = lake.table(table)
        pinned = log.map_at(stored.folder, seen.version)
        rows = stored.read(entry for entry in pinned.partitions.values() if entry.rows)
        if table == _PRICES:
            prices = rows.select("symbol", "date", "close")
        elif set(rows.columns) >= _OBSERVATION:
            vintage = pl.col("vintage") if "vintage" in rows.columns else pl.lit(0)
            observations[table] = rows.select(
                "series", "date", "value", vintage.alias("vintage")
            )
    names: dict[str, str] = {}
    for source in lake.registry.data_sources.sources.values():
        for other, known in source.aliases.items():
            names.setdefault(other, known)
    return held_of(prices, observations, names=names)
