"""Whether prices lie on the tick of their symbol. A price is never moved to one here."""

from __future__ import annotations

import polars as pl

from cbi_stream import rule


def _said(*, ticks_off: float, most: float) -> str:
    return f"a price lies {ticks_off:.3g} of a tick off; expected at most {most:g}"


@rule(says=_said)
def off_tick(ticks_off: pl.Expr, *, most: float) -> pl.Expr:
    """No price of the line lies farther than `most` of a tick from one.

    A symbol without a tick, and a line without prices, have nothing to be off.
    """
    return ticks_off.fill_null(0.0) <= most
