"""Positions as other people compiled them out of the CFTC's reports, a market per file.

The lines do not name the contract: the file's name does. Shares, nets and changes that
the compiler computed are never taken.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.lines import NUMBER, body_of, has_columns
from handlers.ingest.table import table_of

_INDEX = ("Date", "Commercial Long", "Commercial Short", "Commercial Index")
_SIDES = ("Long", "Long Change", "Short", "Short Change", "Net", "Net Change")
_SHEET = (
    "Date", "Total OI", "OI Change",
    *(f"{who} {each}" if each in ("Long", "Short", "Net") else each
      for who in ("MM", "C", "P") for each in _SIDES),
)  # fmt: skip
_WHO = {"MM": "managed", "C": "commercial", "P": "producer"}


def _rows(
    data: bytes, contract: str | None, header: Sequence[str], *, cells: Sequence[str]
) -> pl.DataFrame:
    """Return the lines of one market's file.

    Args:
        data: the file.
        contract: the contract that its name tells.
        header: its columns.
        cells: a name for each cell after the date; those with a blank are not taken.

    Raises:
        BadInput: nothing says which contract it is.
    """
    if contract is None:
        msg = "expected a contract's code with the file; found none: say it, or name it so"
        raise BadInput(msg)
    _, lines = body_of(data, has_columns(*header), expected=",".join(header))
    kept = [name for name in cells if " " not in name]
    columns = {name: NUMBER if name in kept else ".*" for name in cells}
    rows = table_of(lines, columns=columns, nulls=("",))
    return rows.select(
        pl.lit(contract, pl.String).alias("contract"),
        *("line", "date", *kept, "problem", "text"),
    )


@source("cftc_index", headers=(",".join(_INDEX),), recognises=has_columns(*_INDEX))
def index(data: bytes, contract: str | None) -> pl.DataFrame:
    """Return the positions of hedgers in one market, futures only."""
    cells = ("commercial_long", "commercial_short", "the index")
    return _rows(data, contract, _INDEX, cells=cells)


@source("cftc_sheet", headers=(",".join(_SHEET),), recognises=has_columns(*_SHEET))
def sheet(data: bytes, contract: str | None) -> pl.DataFrame:
    """Return the positions of one market, futures with options."""
    cells = ["open_interest", "its change"]
    for word in _WHO.values():
        for each in _SIDES:
            plain = each in ("Long", "Short")
            cells.append(f"{word}_{each.lower()}" if plain else f"{word} {each}")
    return _rows(data, contract, _SHEET, cells=cells)
