"""From trees to answers: one short formula per kernel.

A formula says where it is defined; it never compares with `min_count`, which is
the same for all and is done once, in `roll`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cbi_stream.kernels.grove import Grove
from cbi_stream.kernels.kernel import Kernel
from cbi_stream.kernels.tree import Bools, Floats


class Answer(NamedTuple):
    """A value per row, and where it means anything: everywhere, if left out.

    Rows whose window holds no value need no mention: `min_count` is 1 or more.
    """

    values: Floats
    defined: Bools | None = None


def _sum(grove: Grove, kernel: Kernel) -> Answer:
    return Answer(grove.totals(kernel.columns[0]).over(kernel.window))


def _mean(grove: Grove, kernel: Kernel) -> Answer:
    moment = grove.moments().over(kernel.window).axes[0]
    return Answer(moment.anchor + moment.offset)


def _sample(grove: Grove, kernel: Kernel, summed: Floats) -> Answer:
    """Divide by one less than the count (ddof 1); one value alone has no spread."""
    held = grove.counts().held(kernel.window)
    return Answer(summed / np.maximum(held - 1.0, 1.0), _spreads(grove, kernel))


def _spreads(grove: Grove, kernel: Kernel) -> Bools | None:
    """Return where two values are there; nothing to say if that many are needed."""
    return grove.counts().held(kernel.window) > 1 if kernel.min_count < 2 else None


def _var(grove: Grove, kernel: Kernel) -> Answer:
    moment = grove.moments().over(kernel.window).axes[0]
    return _sample(grove, kernel, moment.spread)


def _std(grove: Grove, kernel: Kernel) -> Answer:
    variance = _var(grove, kernel)
    return Answer(np.sqrt(variance.values), variance.defined)


def _zscore(grove: Grove, kernel: Kernel) -> Answer:
    moment = grove.moments().over(kernel.window).axes[0]
    moved = moment.spread > 0
    scale = np.where(moved, _std(grove, kernel).values, 1.0)
    # Where the row has a value, the anchor is that value: value - mean = -offset,
    # with no digits lost to the level. 0.0 - keeps -0.0 out.
    return Answer((0.0 - moment.offset) / scale, moved & grove.present())


def _slope(grove: Grove, kernel: Kernel) -> Answer:
    """Divide the co-spread by the spread of the second column, here the session."""
    joint = grove.moments().over(kernel.window)
    spread = joint.axes[1].spread
    moved = spread > 0
    return Answer(joint.shared / np.where(moved, spread, 1.0), moved)


def _cov(grove: Grove, kernel: Kernel) -> Answer:
    return _sample(grove, kernel, grove.moments().over(kernel.window).shared)


def _corr(grove: Grove, kernel: Kernel) -> Answer:
    joint = grove.moments().over(kernel.window)
    spread_y, spread_x = (moment.spread for moment in joint.axes)
    moved = (spread_y > 0) & (spread_x > 0)
    # Two roots, not the root of the product: that one falls below the least
    # number long before its factors do.
    scale = np.where(moved, np.sqrt(spread_y) * np.sqrt(spread_x), 1.0)
    return Answer(np.clip(joint.shared / scale, -1.0, 1.0), moved)


def _rank(grove: Grove, kernel: Kernel) -> Answer:
    below = grove.standing(kernel.columns[0]).over(kernel.window)
    held = np.maximum(grove.counts().held(kernel.window), 1.0)
    # + 2: the value itself, once below or equal, and places that count from 1.
    return Answer((below + 2) / (2.0 * held), grove.present())


def _max(grove: Grove, kernel: Kernel) -> Answer:
    return Answer(grove.highest(kernel.columns[0]).over(kernel.window))


def _min(grove: Grove, kernel: Kernel) -> Answer:
    return Answer(grove.lowest(kernel.columns[0]).over(kernel.window))


def _ewm_mean(grove: Grove, kernel: Kernel) -> Answer:
    decay = 1.0 - 2.0 / (kernel.span + 1.0)
    faded, weights = grove.decayed(kernel.columns[0], decay)
    weight = weights.over(kernel.window)
    # A span of 1 sees the last row alone: with that one missing, nothing weighs.
    weighs = weight > 0
    return Answer(faded.over(kernel.window) / np.where(weighs, weight, 1.0), weighs)


FORMULAS: dict[str, Callable[[Grove, Kernel], Answer]] = {
    "sum": _sum,
    "mean": _mean,
    "var": _var,
    "std": _std,
    "zscore": _zscore,
    "slope": _slope,
    "rank": _rank,
    "max": _max,
    "min": _min,
    "cov": _cov,
    "corr": _corr,
    "beta": _slope,
    "ewm_mean": _ewm_mean,
}
