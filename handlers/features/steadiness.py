"""How steadily the target's close has moved: runs, shares of rises, efficiency.

It knows no calendar and no other market: a run is of sessions, and a missing close
leaves what it touches unknown.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k

_LONGEST = 5
"""A run counts no further: of 32 runs one would."""

_ROLLED = {
    "up_share_20": k.mean("up", 20, min_count=15),
    "up_share_60": k.mean("up", 60, min_count=45),
    "path_20": k.mean("move", 20, min_count=15),
    "path_60": k.mean("move", 60, min_count=45),
}


def steadiness(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    run_length_5: how many sessions in a row the close has risen, negative where it has
    fallen, at most five; 0 where it stood still. Null where a missing close leaves it
    open.

    efficiency_20 and _60 (Kaufman, Trading Systems and Methods): the distance between
    the closes at both ends over the path between them, in logs. The path is the mean
    move times the number of sessions, so that a missing one does not shorten it.
    """
    change = pl.col("close") - k.lag("close", 1)
    moves = panel.select(
        "close",
        sign=change.sign(),
        up=(change > 0).cast(pl.Float64),
        move=k.log_return("close").abs(),
    )
    return k.roll(moves, _ROLLED).select(
        _run().alias("run_length_5"),
        "up_share_20",
        "up_share_60",
        efficiency_20=_efficiency(20),
        efficiency_60=_efficiency(60),
    )


def _run() -> pl.Expr:
    here = pl.col("sign")
    length: pl.Expr = pl.lit(float(_LONGEST))
    for back in range(_LONGEST - 1, 0, -1):
        then = k.lag("sign", back)
        beyond = pl.when(then == here).then(length).otherwise(float(back))
        length = pl.when(then.is_not_null()).then(beyond)
    return here * length


def _efficiency(over: int) -> pl.Expr:
    path = pl.col(f"path_{over}") * float(over)
    return pl.when(path > 0).then(k.log_return("close", over).abs() / path)
