"""The CFTC's legacy year files, futures only: 129 columns, padded, quoted at the ends.

It never shows a week before its release, and never a market that `counts` lacks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Final

from cbi_stream.replay import releases
from cbi_stream.replay.counts import CONTRACTS, NONE_HELD, Contract, Positions, weekly
from cbi_stream.replay.layouts import file_text

_GROUPS: Final = (
    "Noncommercial{}-Long",
    "Noncommercial{}-Short",
    "Noncommercial{}-Spreading",
    "Commercial{}-Long",
    "Commercial{}-Short",
    "Total Reportable{}-Long",
    "Total Reportable{}-Short",
    "Nonreportable{}-Long",
    "Nonreportable{}-Short",
)
_CROPS: Final = ("(All)", "(Old)", "(Other)")
_FIRST_COLUMNS: Final = (
    "Market and Exchange Names",
    "As of Date in Form YYMMDD",
    "As of Date in Form YYYY-MM-DD",
    "CFTC Contract Market Code",
    "CFTC Market Code in Initials",
    "CFTC Region Code",
    "CFTC Commodity Code",
)
_LAST_COLUMNS: Final = (
    "Contract Units",
    "CFTC Contract Market Code (Quotes)",
    "CFTC Market Code in Initials (Quotes)",
    "CFTC Commodity Code (Quotes)",
)
# The report's own slips, which a parser by name has to know.
_SLIPS: Final = {
    "Total Reportable Positions-Long (All)": " Total Reportable Positions-Long (All)",
    "% of Open Interest (OI) (Old)": "% of Open Interest (OI)(Old)",
    "Concentration-Gross LT =4 TDR-Long (All)": "Concentration-Gross LT = 4 TDR-Long (All)",
    "Concentration-Gross LT =4 TDR-Short (Other)": "Concentration-Gross LT =4 TDR-Short(Other)",
    "Concentration-Gross LT =8 TDR-Short (Other)": "Concentration-Gross LT =8 TDR-Short(Other)",
}
_ROW: Final = (
    '"%s",%s,%s,%s,%s,%s,%s'
    + ",%8d" * 30
    + "%s"
    + ",%7.1f" * 30
    + ",%7d" * 24
    + ",%8.1f" * 24
    + ',"%s","%s","%s","%s"'
)
_CHANGES: Final = ",%8d" * 10
_FIRST_WEEK: Final = ",." * 10  # a market's first week has nothing to compare with


def header() -> str:
    """Return the header line: 129 quoted names, slips included."""
    held = ["Open Interest", *(group.format(" Positions") for group in _GROUPS)]
    plain = [group.format("") for group in _GROUPS]
    names = [*_FIRST_COLUMNS, *_for_each_crop(held)]
    changes = ("Change in Open Interest", *(f"Change in {name}" for name in plain))
    names += [f"{name} (All)" for name in changes]
    names += _for_each_crop(
        ["% of Open Interest (OI)", *(f"% of OI-{name}" for name in plain)]
    )
    names += _for_each_crop(["Traders-Total", *(f"Traders-{x}" for x in plain[:7])])
    names += _for_each_crop(
        f"Concentration-{kind} LT ={most} TDR-{side}"
        for kind in ("Gross", "Net")
        for most in (4, 8)
        for side in ("Long", "Short")
    )
    names += _LAST_COLUMNS
    return ",".join(f'"{_SLIPS.get(name, name)}"' for name in names)


def year_texts(
    sessions: Sequence[date], *, seed: int, holidays: Collection[date], by: datetime
) -> Iterator[tuple[str, str]]:
    """Yield name and text of each year's file that has a row at the instant `by`.

    Weeks are the Tuesdays from the first session to the last, session or not. Rows
    go market by market, the newest week first: a later file inserts, not appends.
    """
    closed = releases.closed_days(sessions, holidays)
    days = releases.tuesdays(sessions[0], sessions[-1])
    days = releases.released(days, releases.positions, closed=closed, by=by)
    by_year: dict[int, list[str]] = {day.year: [] for day in days}
    for contract in CONTRACTS:
        pairs = list(zip(days, _rows(contract, days, seed=seed), strict=True))
        for day, row in reversed(pairs):
            by_year[day.year].append(row)
    for year, rows in by_year.items():
        yield f"annual_legacy_{year}.txt", file_text(header(), rows, seed=seed)


def _rows(contract: Contract, days: Sequence[date], *, seed: int) -> Iterator[str]:
    before: Positions | None = None
    for day, (every, other) in zip(
        days, weekly(contract, days, seed=seed), strict=True
    ):
        crops = (every, every.less(other), other)
        changes = _CHANGES % every.less(before) if before else _FIRST_WEEK
        iso, commodity = day.isoformat(), f"{contract.code[:3]} "
        yield _ROW % (
            contract.name,
            f"{iso[2:4]}{iso[5:7]}{iso[8:]}",
            iso,
            contract.code,
            contract.exchange,
            contract.region,
            commodity,
            *(count for crop in crops for count in crop),
            changes,
            *(share for crop in crops for share in _shares(crop)),
            *(count for crop in crops for count in _traders(crop)),
            *(share for crop in crops for share in _concentration(crop)),
            contract.units,
            contract.code,
            contract.exchange,
            commodity,
        )
        before = every


def _for_each_crop(names: Sequence[str] | Iterator[str]) -> list[str]:
    listed = list(names)
    return [f"{name} {crop}" for crop in _CROPS for name in listed]


def _shares(held: Positions) -> list[float]:
    """Return percent of the open interest; all 0.0 where nothing is held."""
    whole = held.open_interest or 1
    return [100.0 * count / whole for count in held]


def _traders(held: Positions) -> tuple[int, ...]:
    """Return numbers of traders that grow with what they hold."""
    if held == NONE_HELD:
        return (0,) * 8
    long, short, both, hedge_long, hedge_short = (
        10 + count // 2_500 for count in held[1:6]
    )
    all_long, all_short = long + both + hedge_long, short + both + hedge_short
    total = all_long + all_short - both
    return (total, long, short, both, hedge_long, hedge_short, all_long, all_short)


def _concentration(held: Positions) -> tuple[float, ...]:
    """Return percent held by the 4 and 8 largest: gross long, short, ..., then net."""
    if held == NONE_HELD:
        return (0.0,) * 8
    long, short = (
        100.0 * count / held.open_interest / 4
        for count in (held.commercial_long, held.commercial_short)
    )
    gross = (long, short, 1.6 * long, 1.6 * short)
    return (*gross, *(0.85 * share for share in gross))
