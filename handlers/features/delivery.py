"""The delivery months of a future: first notice, last trade, expiry of its options.

All of it follows from published rules and the stored calendar of sessions. It looks at
no price and never says which contract somebody holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from cbi_stream import Spec

_LETTERS = "FGHJKMNQUVXZ"
"""What exchanges call the months January to December."""
_LAST_TRADE_BEFORE = 15
"""Day of the delivery month; CBOT's soybean oil, soybeans, meal and corn."""
_FRIDAY = 4

_CONTRACTS = {
    "contract": pl.String,
    "month": pl.Int64,
    "first_notice": pl.Date,
    "last_trade": pl.Date,
}


def contracts(spec: Spec, symbol: str, years: Sequence[int]) -> pl.DataFrame:
    """Return the contracts of a CBOT grain or oilseed future, oldest first.

    CBOT rulebook: the last day of trading is the business day before the 15th of the
    delivery month; the first notice day is the last business day of the month before
    it. Business days are the sessions of the stored calendar.

    Args:
        spec: with the universe, for the letters of its delivery months.
        symbol: of universe.yaml.
        years: of delivery; contracts beyond the stored calendar are left out.

    Returns:
        contract (symbol, letter, two digits of the year), month (months since the year
        0), first_notice and last_trade.
    """
    days, covers = spec.sessions, spec.sessions.covers
    letters = spec.universe.symbols[symbol].months or ""
    rows = []
    for year in years:
        for month in sorted(_LETTERS.index(letter) + 1 for letter in letters):
            middle = date(year, month, _LAST_TRADE_BEFORE)
            notice = days.before(date(year, month, 1))
            if notice is None or middle not in covers:
                continue
            name = f"{symbol}{_LETTERS[month - 1]}{year % 100:02d}"
            rows.append((name, year * 12 + month - 1, notice, days.before(middle)))
    return pl.DataFrame(rows, schema=_CONTRACTS, orient="row")


def option_expiries(spec: Spec, years: Sequence[int]) -> list[date]:
    """Return the days on which options on CBOT's grains and oilseeds expire.

    CBOT rulebook: the last Friday that precedes by at least two business days the last
    business day of the month before the option's month; where that Friday is none, the
    business day before it. Months without a future have serial options.
    """
    sessions, found = spec.sessions, []
    for year in years:
        for month in range(1, 13):
            last = sessions.before(date(year, month, 1))
            one_before = sessions.before(last) if last else None
            two_before = sessions.before(one_before) if one_before else None
            if two_before is None or date(year, month, 1) not in sessions.covers:
                continue
            back = (two_before.weekday() - _FRIDAY) % 7
            day = sessions.before(two_before - timedelta(days=back - 1))
            found += [day] if day else []
    return found


def years_around(days: pl.Series, *, ahead: int) -> range:
    """Return the years of these days, one before and some after them."""
    years = days.dt.year()
    first, last = years.min(), years.max()
    if not isinstance(first, int) or not isinstance(last, int):
        return range(0)
    return range(first - 1, last + ahead + 1)
