"""Two ways to label a series of closes, in numpy alone: the simple and the calendar one.

The simple rule takes the first priced row on or after the due day; the calendar rule
takes the calendar's session and gives up where that has no price. Days are ordinals.
Nothing of the project is imported here: these are the figures it is measured by.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int64]
Prices = NDArray[np.float64]

HORIZONS = {"1w": 7, "1m": 30, "3m": 90, "6m": 180, "12m": 365}

RESOLVED, OPEN, MISSING = "resolved", "open", "missing_settlement"


def ordinals(days: Iterable[date]) -> Days:
    """Return the days as sorted ordinals."""
    return np.array(sorted(day.toordinal() for day in days), dtype=np.int64)


def day_of(ordinal: int | np.int64) -> date:
    """Return the day of an ordinal."""
    return date.fromordinal(int(ordinal))


@dataclass(frozen=True)
class Simple:
    """The labels of the simple rule, as positions in the priced rows."""

    base: Days
    target: Days
    open: int


def simple_rule(days: Days, horizon: int) -> Simple:
    """Label each priced row with the first priced row on or after its due day."""
    target = np.searchsorted(days, days + horizon)
    base = np.flatnonzero(target < len(days))
    return Simple(base, target[base], len(days) - len(base))


def figures(days: Days, closes: Prices, horizon: int) -> dict[str, str]:
    """Return the table's row for one horizon, each figure printed as it is there.

    The forecast is the random walk: the price at maturity is the price today.
    """
    made = simple_rule(days, horizon)
    forecast, actual = closes[made.base], closes[made.target]
    error = np.abs(forecast - actual)
    log_return = np.log(actual / forecast)
    relative = 100 * error / actual
    return {
        "resolved/open": f"{len(made.base):,}/{made.open}",
        "last": day_of(days[made.base[-1]]).isoformat(),
        "mape/median": f"{relative.mean():.3f}/{np.median(relative):.2f}",
        "mae": f"{error.mean():.4f}",
        "log mae/rmse": (
            f"{np.abs(log_return).mean():.5f}/{np.sqrt((log_return**2).mean()):.5f}"
        ),
        "up, ties": f"{100 * (log_return > 0).mean():.2f}, {(log_return == 0).sum()}",
        "unique/greedy": f"{uniqueness(made, len(days)):,.1f}/{non_overlapping(made):,}",
    }


def uniqueness(made: Simple, rows: int) -> float:
    """Return the sum over labels of their mean of 1 / labels alive at each row.

    A label is alive on the priced rows after its base, up to its target.
    """
    steps = np.zeros(rows + 1)
    np.add.at(steps, made.base + 1, 1)
    np.add.at(steps, made.target + 1, -1)
    alive = np.cumsum(steps)[:rows]
    share = np.divide(1.0, alive, out=np.zeros(rows), where=alive > 0)
    until = np.concatenate([[0.0], np.cumsum(share)])
    sums = until[made.target + 1] - until[made.base + 1]
    return float((sums / (made.target - made.base)).sum())


def non_overlapping(made: Simple) -> int:
    """Count the labels taken greedily, each based on or after the last one's target."""
    taken, end = 0, -1
    for base, target in zip(made.base, made.target, strict=True):
        if base >= end:
            taken, end = taken + 1, target
    return taken


def calendar_rule(
    grid: Days, base: Days, priced: Days, horizon: int
) -> list[tuple[int, int, str]]:
    """Label each base day with the calendar's first session on or after its due day.

    Args:
        grid: the sessions, reaching beyond every due day, or to the last known one.
        base: the days that get a label.
        priced: the days that have a close; after the last of them all is open.
        horizon: calendar days.

    Returns:
        Base, the session that resolves it (0: beyond the grid), what became of it.
    """
    known = set(priced.tolist())
    last = int(priced[-1])
    at = np.searchsorted(grid, base + horizon)
    found = []
    for day, i in zip(base.tolist(), at.tolist(), strict=True):
        due = int(grid[i]) if i < len(grid) else 0
        if not due or due > last:
            found.append((day, due, OPEN))
        else:
            found.append((day, due, RESOLVED if due in known else MISSING))
    return found


def counts(labels: list[tuple[int, int, str]]) -> tuple[int, int, int]:
    """Return how many labels are resolved, open, and without a settlement."""
    states = [state for _, _, state in labels]
    return states.count(RESOLVED), states.count(OPEN), states.count(MISSING)
