"""The Baltic Dry Index as a script saved it, a day and the index.

The index is not computed on weekends: the file repeats Friday there, and no such line is
taken for an observation.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import source
from handlers.ingest.bars import Layout, named
from handlers.ingest.values import values_of

_HEADER = "Date,BDI"
_IS_HEADER = named("Date", "BDI")
_LAYOUT = Layout({"date": "Date", "value": "BDI"})


@source("baltic", headers=(_HEADER,), recognises=_IS_HEADER, key_of=lambda _: "bdi")
def baltic(data: bytes, series: str | None) -> pl.DataFrame:
    """Return the lines of the index's file."""
    return values_of(
        data,
        series or "bdi",
        _LAYOUT,
        recognises=_IS_HEADER,
        expected=_HEADER,
        weekdays=True,
    )
