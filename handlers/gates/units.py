"""One column, one unit: ranges, identities between columns, and breaks of level.

Nothing is rescaled, and no factor is guessed into the data: a column in another unit is
held until its source is mended. Bounds are those of economics, not of the sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log

import polars as pl

from cbi_stream import Finding, Subject, gate, whole_gate
from handlers.gates.findings import (
    absent,
    fits,
    numeric,
    places,
    table_of,
    value,
    verdict,
)

_UNDONE_WITHIN = 3
"""Values after which a jump counts as undone."""


@gate
def stays_in_range(
    rows: pl.DataFrame,
    subject: Subject,
    *,
    ranges: dict[str, tuple[float, float]],
    may_be_empty: tuple[str, ...],
) -> Finding:
    """Each value of a column lies in its economic range.

    Args:
        rows: the candidate.
        subject: what it is.
        ranges: by column the lowest and the highest value, both allowed.
        may_be_empty: patterns of columns that may have no value in a partition.
    """
    missing = absent(rows, ranges, subject)
    if missing:
        return missing
    bad = []
    for name, (low, high) in ranges.items():
        good = pl.col(name).cast(pl.Float64).is_between(low, high)
        # polars puts NaN above every number, so it is outside each range.
        out = rows.filter(pl.col(name).is_not_null(), ~good)
        bad += [f"{place}, not in {low:g} to {high:g}" for place in places(out, [name])]
        if rows[name].null_count() == rows.height and not fits(name, may_be_empty):
            bad.append(f"{name}: no value")
    return verdict(
        bad,
        expected="; ".join(f"{n} in {a:g} to {b:g}" for n, (a, b) in ranges.items()),
        found=f"{len(bad)} places outside" if bad else "all inside",
    )


@gate
def identities(
    rows: pl.DataFrame,
    subject: Subject,
    *,
    sums: dict[str, dict[str, float]],
    ratios: dict[str, dict[str, dict[str, float]]],
    tolerance: float,
    may_be_empty: tuple[str, ...],
) -> Finding:
    """A column equals the weighted sum of others, or the ratio `over` / `under` of two.

    Rows without the column's value are not judged; a value whose parts are missing is
    wrong, since nothing could have made it.

    Args:
        rows: the candidate.
        subject: what it is.
        sums: by column the weights of the columns that it is made of.
        ratios: by column the weights of what stands `over` and `under` the line.
        tolerance: how far it may lie off, relative to the larger of 1 and the value.
        may_be_empty: patterns of columns that may have no value in a partition.
    """
    parts = [
        *sums.values(),
        *(part for each in ratios.values() for part in each.values()),
    ]
    missing = absent(
        rows, [*sums, *ratios, *(n for part in parts for n in part)], subject
    )
    if missing:
        return missing
    right = {name: _sum(weights) for name, weights in sums.items()}
    right |= {
        name: _sum(each["over"]) / _sum(each["under"]) for name, each in ratios.items()
    }
    bad = []
    for name, due in right.items():
        said = value(name)
        near = (said - due).abs() <= tolerance * pl.max_horizontal(1.0, due.abs())
        known = rows.filter(pl.col(name).is_not_null()).with_columns(due=due)
        off = known.filter(~near.fill_null(False))
        bad += places(off, [name, "due"])
        if known.is_empty() and not fits(name, may_be_empty):
            bad.append(f"{name}: no value")
    return verdict(
        bad,
        expected=f"{', '.join(right)} as made of their parts",
        found=f"{len(bad)} places otherwise" if bad else "all so",
    )


@whole_gate
def one_unit(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,  # noqa: ARG001 - the table says it all
    *,
    table: str,
    factor: float,
    window: int,
    may_break: tuple[str, ...],
) -> Finding:
    """No column changes its unit on the way.

    A change of unit is a step: the median of the values just before and that of those
    just after differ by more than a factor. Only columns whose values are all above
    zero are judged: a return has no scale that a factor could break.

    Args:
        tables: with the table.
        subject: what is judged.
        table: the table.
        factor: how far the two medians may lie apart.
        window: over so many values the medians go.
        may_break: patterns of columns that truly do: rates near zero, volumes.
    """
    rows = table_of(tables, table, ["date"])
    if isinstance(rows, Finding):
        return rows
    columns = _positive(rows, may_break)
    bad = [
        f"{name}: {each}"
        for name, said in columns.items()
        for each in _steps(said, window, factor)
    ]
    return verdict(
        bad if columns else [f"{table}: no column of positive numbers"],
        expected=f"no step by a factor of {factor:g}",
        found=f"{len(bad)} in {len(columns)} columns of positive numbers",
    )


@whole_gate
def one_series(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,  # noqa: ARG001 - the table says it all
    *,
    table: str,
    jump: float,
    usual: float,
    undone: int,
    may_alternate: tuple[str, ...],
) -> Finding:
    """No column holds two series by turns: jumps there and back, again and again.

    Args:
        tables: with the table.
        subject: what is judged.
        table: the table.
        jump: the least log distance that counts as a jump.
        usual: so many times the column's median change it must be at least.
        undone: so many jumps that are undone at once may be.
        may_alternate: patterns of columns that truly do: rates near zero, volumes.
    """
    rows = table_of(tables, table, ["date"])
    if isinstance(rows, Finding):
        return rows
    columns = _positive(rows, may_alternate)
    bad = [
        f"{name}: {each}"
        for name, said in columns.items()
        for each in _back_and_forth(said, max(jump, usual * _moves(said)), undone)
    ]
    return verdict(
        bad if columns else [f"{table}: no column of positive numbers"],
        expected=f"at most {undone} jumps that are undone at once",
        found=f"{len(bad)} of {len(columns)} columns of positive numbers have more",
    )


def _positive(rows: pl.DataFrame, left_out: tuple[str, ...]) -> dict[str, pl.DataFrame]:
    """Return by column the logs of its values, where all of them are above zero."""
    found = {}
    ordered = rows.sort("date")
    for name in numeric(rows, left_out):
        said = ordered.select("date", size=value(name)).drop_nulls()
        if said.height and said.filter(pl.col("size") <= 0).is_empty():
            found[name] = said.with_columns(pl.col("size").log())
    return found


def _sum(weights: Mapping[str, float]) -> pl.Expr:
    total = pl.lit(0.0)
    for name, weight in weights.items():
        total = total + value(name) * weight
    return total


def _steps(said: pl.DataFrame, window: int, factor: float) -> list[str]:
    """Return the widest step between the medians before and after a value."""
    if said.height < 2 * window:
        return []
    before = pl.col("size").rolling_median(window).shift(1)
    after = pl.col("size").reverse().rolling_median(window).reverse()
    steps = said.with_columns(step=(after - before)).drop_nulls("step")
    widest = steps.sort(pl.col("step").abs(), descending=True).row(0, named=True)
    if abs(widest["step"]) <= log(factor):
        return []
    return [f"{widest['date']} a step by e^{widest['step']:.2f}"]


def _moves(said: pl.DataFrame) -> float:
    """Return the median log change of a column where it changes at all."""
    size = said["size"].diff().abs()
    return float(size.filter(size > 0).median() or 0.0)  # type: ignore[arg-type]


def _back_and_forth(said: pl.DataFrame, jump: float, undone: int) -> list[str]:
    """Return where a column jumps and is back at once, if it does so too often."""
    size = pl.col("size")
    moved = size - size.shift(1)
    returns = pl.any_horizontal(
        (size.shift(-k) - size.shift(1)).abs() < jump / 3
        for k in range(1, _UNDONE_WITHIN + 1)
    )
    there = said.filter((moved.abs() > jump) & returns)
    if there.height <= undone:
        return []
    first = there["date"][0]
    return [f"{first} the first of {there.height} jumps that are undone at once"]
