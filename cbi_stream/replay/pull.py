"""One full pull of the simulated market: a file of every source, all of one moment.

It never shows what is not out at that moment, save where `market` does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from itertools import chain
from typing import Final

from cbi_stream.replay import cot, fred
from cbi_stream.replay.bars import Bar
from cbi_stream.replay.futures import FUTURES, as_downloaded, as_saved, complex_bars
from cbi_stream.replay.layouts import (
    YFINANCE_HEADER,
    file_text,
    yahoo_text,
    yfinance_row,
)
from cbi_stream.replay.market import SimulatedFile, market

LEAD: Final = 504
"""Sessions by which the downloads begin before the files that a script saved."""
_SAVED: Final = {"soybean_oil.csv": "ZL", "wti.csv": "CL"}


def complex_market(
    sessions: Sequence[date],
    *,
    seed: int = 7,
    holidays: Collection[date] = (),
    as_of: datetime | None = None,
    lead: int = LEAD,
) -> list[SimulatedFile]:
    """Return every file of one pull; one that would have no row yet is left out.

    In this order: ZL=F.csv, VIXCLS.csv and DGS10.csv with the bytes that `market`
    gives; ZS, ZM, ZC, CL, GC as downloads; soybean_oil.csv and wti.csv as a script
    saves them, with the bars of ZL and CL but other days forgotten; FRED's files;
    annual_legacy_<year>.txt of the CFTC, one per year.

    The daily files of a longer run start with the bytes of the shorter run's.

    Args:
        sessions: The session days of soybean oil, ascending; all symbols trade then.
        seed: The same seed gives the same bytes.
        holidays: As in `market`; no publisher works on a weekday that is closed.
        as_of: The instant of the pull: what is out later is not in FRED's and the
            CFTC's files. Prices, VIXCLS and DGS10 end with the last session whatever
            it is. Without it, as in `market`.
        lead: How many sessions soybean_oil.csv and wti.csv begin later.

    Raises:
        ValueError: `lead` is negative, or as `market` raises.
    """
    if lead < 0:
        msg = f"expected a number of sessions to begin later, 0 or more; got {lead}"
        raise ValueError(msg)
    three = market(sessions, seed=seed, holidays=holidays, as_of=as_of)
    pulled = three[0].as_of
    bars = complex_bars(sessions, seed=seed)
    closes = {day: bar.close for day, bar in zip(sessions, bars["CL"], strict=True)}
    spot = fred.spot_text(closes, seed=seed, holidays=holidays, by=pulled)
    texts = chain(
        _downloads(sessions, bars, seed=seed),
        _saved(sessions, bars, seed=seed, lead=lead),
        fred.fred_texts(sessions, seed=seed, holidays=holidays, by=pulled),
        [("DCOILWTICO.csv", spot)] if spot else [],
        cot.year_texts(sessions, seed=seed, holidays=holidays, by=pulled),
    )
    return three + [SimulatedFile(name, text.encode(), pulled) for name, text in texts]


def _downloads(
    sessions: Sequence[date], bars: dict[str, list[Bar]], *, seed: int
) -> list[tuple[str, str]]:
    texts = []
    for symbol in FUTURES:
        shown = as_downloaded(bars[symbol], sessions, symbol=symbol, seed=seed)
        texts.append((f"{symbol}=F.csv", yahoo_text(sessions, shown, seed=seed)))
    return texts


def _saved(
    sessions: Sequence[date], bars: dict[str, list[Bar]], *, seed: int, lead: int
) -> list[tuple[str, str]]:
    texts = []
    for name, symbol in _SAVED.items():
        shown = as_saved(bars[symbol], sessions, symbol=symbol, seed=seed)
        rows = [
            yfinance_row(day, bar, volume=whole.volume)
            for day, bar, whole in zip(sessions, shown, bars[symbol], strict=True)
        ][lead:]
        if rows:
            texts.append((name, file_text(YFINANCE_HEADER, rows, seed=seed)))
    return texts
