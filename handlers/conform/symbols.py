"""What is known of the symbols of bars, and their prices on the tick. Nothing is judged.

A price of a symbol without a tick stays the number that was printed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from cbi_stream import Spec, Symbol
from cbi_stream.kernels.targets import Facts

PRICES = ("open", "high", "low", "close")
COUNTS = ("volume", "open_interest")
NULLS = ("null", "", "N/A", "-")
_OFF_FLOAT = 2.0**-24
"""What a provider loses of a price that keeps 32-bit floats: so far it is on its tick."""


def symbols_of(lines: pl.DataFrame, spec: Spec) -> dict[str, Symbol]:
    """Return what is known of the symbols of these lines, single contracts among them."""
    found = {
        name: spec.universe.of(name)
        for name in lines["symbol"].drop_nulls().unique().sort()
    }
    return {name: entry for name, entry in found.items() if entry is not None}


def facts_of(spec: Spec, symbols: Mapping[str, Symbol]) -> Callable[[str, str], Facts]:
    """Return a function from a source and a symbol to what rules.yaml may name."""

    def facts(source: str, name: str) -> Facts:
        entry = symbols[name]
        return {
            "shapes": ("bars",),
            "sources": (source,),
            "symbols": (name,) if name in spec.universe.symbols else (name, name[:-3]),
            "series": (),
            "kinds": (entry.kind,),
            "units": (entry.unit,),
        }

    return facts


def with_facts(
    lines: pl.DataFrame, symbols: Mapping[str, Symbol], spec: Spec
) -> pl.DataFrame:
    """Return the lines with what universe.yaml and the calendar say of them."""
    low = {n: each.plausible[0] for n, each in symbols.items()}
    high = {n: each.plausible[1] for n, each in symbols.items()}
    units = {n: each.unit for n, each in symbols.items()}
    covers, day = spec.sessions.covers, pl.col("date")
    covered = (day >= covers.start) & (day < covers.end)
    return lines.with_columns(
        plausible_low=_by_symbol(low, pl.Float64),
        plausible_high=_by_symbol(high, pl.Float64),
        unit=_by_symbol(units, pl.String),
        session=pl.when(covered).then(
            day.is_in(pl.Series(spec.sessions.days).implode())
        ),
    )


def on_tick(lines: pl.DataFrame, symbols: Mapping[str, Symbol]) -> pl.DataFrame:
    """Return the lines with prices on their tick, and how far off it one lies.

    A price of a symbol without a tick stays the number that was printed.
    """
    numbers = [_number(name).cast(pl.Float64, strict=False) for name in PRICES]
    printed = lines.select(
        *numbers,
        per_unit=_by_symbol(
            {name: entry.ticks_per_unit for name, entry in symbols.items()}, pl.Float64
        ),
        decimals=_by_symbol(
            {name: entry.decimals for name, entry in symbols.items()}, pl.Int64
        ),
    )
    ticks = printed.with_columns(pl.col(PRICES) * pl.col("per_unit"))
    off = [
        (pl.col(n) - pl.col(n).round()).abs() - pl.col(n).abs() * _OFF_FLOAT
        for n in PRICES
    ]
    far = ticks.select(ticks_off=pl.max_horizontal(off))
    whole = ticks.select(pl.col(PRICES).round() / pl.col("per_unit"), "decimals")
    # polars divides by a column that it holds as one value by multiplying with the
    # reciprocal, which may miss the double nearest to the decimal price by one bit.
    # Rounding to the price's decimals gives that double either way.
    kinds = sorted({e.decimals for e in symbols.values() if e.decimals is not None})
    exact = whole.select(
        pl.coalesce(
            [
                pl.when(pl.col("decimals") == kind).then(pl.col(n).round(kind))
                for kind in kinds
            ]
            + [printed[n]]
        ).alias(n)
        for n in PRICES
    )
    counts = [_number(n).cast(pl.Int64, strict=False) for n in COUNTS]
    return lines.with_columns(*exact, *far).with_columns(*counts)


def _by_symbol(of: Mapping[str, object], dtype: type[pl.DataType]) -> pl.Expr:
    return pl.col("symbol").replace_strict(
        list(of), list(of.values()), default=None, return_dtype=dtype
    )


def _number(name: str) -> pl.Expr:
    return pl.when(~pl.col(name).is_in(NULLS)).then(pl.col(name))
