"""Weekly export inspections of US soybeans: to China, all countries, and as reported.

The sum of the countries and the total that was reported differ, and both are kept. A
week ends on Thursday; a line of another day is a typing error and is set aside, never
moved to the day that was meant.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import source
from handlers.ingest.cells import records_in
from handlers.ingest.lines import has_columns
from handlers.ingest.observed import Observations, day_in
from handlers.ingest.packed import cell_line

_SERIES = {
    "china_1000_bu": "soybeans.china",
    "sum_of_countries_1000_bu": "soybeans.all_countries",
    "reported_total_1000_bu": "soybeans.reported_total",
}
_HEADER = ("week_ending", *_SERIES)
_THURSDAY = 3


@source("inspections", headers=(",".join(_HEADER),), recognises=has_columns(*_HEADER))
def inspections(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return three rows per week.

    Raises:
        BadInput: more than half of the lines cannot be read.
    """
    found = Observations()
    for number, record in records_in(data, found):
        week = day_in(record["week_ending"])
        if week is None or week.weekday() != _THURSDAY:
            said = record["week_ending"] if week is None else f"{week} ({week:%A})"
            problem = f"date: expected a Thursday like 2024-05-09; found {said!r}"
            found.unreadable(
                "", ",".join(record.values()), problem, line=cell_line(number, 1)
            )
            continue
        for place, (name, series) in enumerate(_SERIES.items(), start=2):
            found.add(series, week, record[name], line=cell_line(number, place))
    return found.frame(expected="weeks of export inspections")
