"""Holds the prices of a day against each other. It never mends a bar."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cbi_stream.audit.finding import Finding, Weight, some, stretch
from cbi_stream.audit.sheet import DAY, Sheet

# Providers that build bars from quotes miss by a hair; a tenth of a percent is none.
_HAIR = 0.001
# A bar in twenty that cannot be one: ranges of this file are no ranges.
_MANY = 0.05
_FLAT = 0.2


def bars(sheet: Sheet) -> Iterator[Finding]:
    """Find bars whose open or close lies outside low and high, and bars of one price."""
    roles = sheet.bars()
    if roles is None or not sheet.has_dates:
        return
    whole = sheet.frame.select(
        DAY, **{role: pl.col(name) for role, name in roles.items()}
    ).drop_nulls()
    if not whole.height:
        return
    top, bottom = pl.max_horizontal("open", "close"), pl.min_horizontal("open", "close")
    over = pl.max_horizontal(
        top - pl.col("high"), pl.col("low") - bottom, pl.col("low") - pl.col("high")
    )
    judged = whole.with_columns(
        over.alias("by"), (over / pl.col("close").abs()).alias("share")
    )
    broken = judged.filter(pl.col("by") > 1e-9)
    if broken.height:
        yield _breaches(broken, whole.height)
    flat = whole.filter(pl.col("high") == pl.col("low"))
    if flat.height >= _FLAT * whole.height:
        said = (
            f"{flat.height} of {whole.height} bars are a single price: no range was "
            "traded or recorded"
        )
        yield Finding("flat bars", "note", said, flat.height, places=some(flat[DAY]))


def _breaches(broken: pl.DataFrame, total: int) -> Finding:
    wide = broken.filter(pl.col("share") > _HAIR)
    weight: Weight = "replace" if wide.height > _MANY * total else "note"
    worst = broken.sort("share", descending=True).row(0, named=True)
    said = (
        f"{broken.height} of {total} bars break open, high, low and close, "
        f"{wide.height} of them "
        f"by more than {_HAIR:.1%}; {stretch(broken[DAY])}; worst "
        f"{worst[DAY]}: open "
        f"{worst['open']:g}, high {worst['high']:g}, low {worst['low']:g}, close "
        f"{worst['close']:g}"
    )
    return Finding("ohlc", weight, said, broken.height, places=some(broken[DAY]))
