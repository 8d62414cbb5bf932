"""Files of a simulated market, in the layouts that two real sources write.

It never makes a file without the mark line, and never writes over a file that
lacks it: real data cannot be replaced by simulated data, nor taken for it.

`ZL=F.csv` is laid out as the Yahoo download, `VIXCLS.csv` and `DGS10.csv` as
FRED's fredgraph.csv, each below one line that says it is simulated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final

from cbi_stream.replay.layouts import (
    MARK,
    YAHOO_HEADER,
    file_text,
    fred_row,
    is_simulated,
    yahoo_row,
    yahoo_text,
)
from cbi_stream.replay.releases import closed_days, next_business_day, weekdays
from cbi_stream.replay.walks import fear_index, has_order, oil_bars, ten_year_yield

__all__ = [
    "MARK",
    "YAHOO_HEADER",
    "SimulatedFile",
    "extended",
    "fred_row",
    "is_simulated",
    "lay_down",
    "market",
    "yahoo_row",
]

# The latest of the three is DGS10: out at 16:30 Central on the next business day.
_PULLED_AT: Final = time(23, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SimulatedFile:
    """One file as the source would have sent it.

    Attributes:
        name: The file's name as the source calls it.
        data: Its bytes; the first line is the mark.
        as_of: The instant it would have been pulled, UTC.
    """

    name: str
    data: bytes
    as_of: datetime


def market(
    sessions: Sequence[date],
    *,
    seed: int = 7,
    holidays: Collection[date] = (),
    as_of: datetime | None = None,
) -> list[SimulatedFile]:
    """Return ZL=F.csv over `sessions`, and VIXCLS.csv, DGS10.csv over the weekdays.

    Args:
        sessions: The session days of soybean oil, ascending.
        seed: The same seed gives the same bytes.
        holidays: Weekdays on which the two FRED series have no value. A weekday
            that is no session has none either, whether or not it is named here.
        as_of: When the files would have been pulled; without it, 23:00 UTC of the
            first business day after the last session, when all three are out.

    Raises:
        ValueError: `sessions` is empty or not ascending, `seed` is out of range, or
            `as_of` has no time zone.
    """
    if not has_order(sessions):
        msg = f"expected session days, strictly ascending; found {sessions[:3]}..."
        raise ValueError(msg)
    pulled = _pulled(sessions[-1], holidays) if as_of is None else as_of
    if pulled.tzinfo is None:
        msg = f"as_of needs a time zone; got {pulled.isoformat()}"
        raise ValueError(msg)
    pulled = pulled.astimezone(UTC)
    days = weekdays(sessions[0], sessions[-1])
    closed = closed_days(sessions, holidays)
    fear, rate = fear_index(days, seed=seed), ten_year_yield(days, seed=seed)
    texts = {
        "ZL=F.csv": yahoo_text(sessions, oil_bars(sessions, seed=seed), seed=seed),
        "VIXCLS.csv": _fred_text("VIXCLS", days, fear, closed, seed),
        "DGS10.csv": _fred_text("DGS10", days, rate, closed, seed),
    }
    return [SimulatedFile(name, text.encode(), pulled) for name, text in texts.items()]


def extended(
    sessions: Sequence[date],
    n: int,
    *,
    seed: int = 7,
    holidays: Collection[date] = (),
    as_of: datetime | None = None,
) -> list[SimulatedFile]:
    """Return the files of `market` with `n` more sessions appended.

    Each file starts with the bytes of the shorter run's file.
    The added sessions are the next weekdays that are not in `holidays`. To follow
    an exchange's calendar instead, hand its longer list to `market`.

    Raises:
        ValueError: `n` is negative, or as `market` raises.
    """
    if n < 0:
        msg = f"expected a number of sessions to add, 0 or more; got {n}"
        raise ValueError(msg)
    longer = list(sessions)
    while longer and len(longer) < len(sessions) + n:
        longer.append(next_business_day(longer[-1], holidays))
    return market(longer, seed=seed, holidays=holidays, as_of=as_of)


def lay_down(files: Iterable[SimulatedFile], folder: Path) -> list[Path]:
    """Write simulated files into `folder`, over earlier simulated ones only.

    Returns:
        The paths written, in the order of `files`.

    Raises:
        ValueError: A file lacks the mark, or a file without the mark is in its place.
    """
    targets = [(folder / file.name, file.data) for file in files]
    for path, data in targets:
        if not is_simulated(data):
            msg = f"expected a first line that starts with '{MARK}' in {path.name}"
            raise ValueError(msg)
        if path.exists() and not is_simulated(path.read_bytes()):
            msg = f"{path} is not simulated; it is not written over: move it first"
            raise ValueError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in targets:
        path.write_bytes(data)
    return [path for path, _ in targets]


def _fred_text(
    name: str,
    days: Sequence[date],
    values: Sequence[float],
    closed: Collection[date],
    seed: int,
) -> str:
    pairs = zip(days, values, strict=True)
    rows = [fred_row(day, None if day in closed else value) for day, value in pairs]
    return file_text(f"observation_date,{name}", rows, seed=seed)


def _pulled(last: date, holidays: Collection[date]) -> datetime:
    return datetime.combine(next_business_day(last, holidays), _PULLED_AT)
