"""Judges rows by rules: which are turned away, which lose a cell, which are flagged.

Lines are judged alone first, then
against their neighbours, then by the batch that they came in. Lines that say the same of
one key, one after the other, share one verdict, that of the first: so it does not depend
on whether a repetition was stored. A verdict never looks at anything seen later, except
for what another provider says of the same bar, and nothing is ever mended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from cbi_stream.kernels.neighbours import MOST, USUAL, Versions, before
from cbi_stream.kernels.targets import Facts
from cbi_stream.kernels.terms import Binding, Test, look_back, tests_of
from cbi_stream.kernels.verdicts import PAIRS, failing

_ORDER = ("as_of", "batch", "sha256", "line")
_AGREES = 0.01
"""How far apart two providers' closes of one bar may lie, as a share."""
RELEASED = "released"
_NEAR, _WHOLE, _MARKS = 1_000, 2_000, 3_000
"""Rules are named in the order of their phases."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What the rows are about."""

    about: str
    """The column that names the series or symbol."""
    key: tuple[str, ...]
    """What names an observation."""
    cells: tuple[str, ...]
    """What a line says, as numbers or texts."""
    main: str
    """The cell without which a line is worth nothing."""
    bar: tuple[str, ...] = ()
    """The cells that make up a bar, if the rows are bars."""


def judged(
    rows: pl.DataFrame,
    binding: Binding,
    *,
    of: Rows,
    facts: Callable[[str, str], Facts],
) -> pl.DataFrame:
    """Return the rows with what the rules say of them.

    Args:
        rows: lines with their cells as numbers, what the rules look at, `raw`, `source`,
            `provider`, the columns that order lines, and whether each is `provisional`,
            `rejected` or `released` by a person.
        binding: the rules that hold for them.
        of: what they are about.
        facts: what is known of a source's series or symbol.

    Returns:
        The rows in their order, with `rules` (names of those for which the line is turned
        away, with commas; null for none), `flags` (of those that only say something),
        `lost` (cells that were turned away alone, and are null now) and `expected`.
    """
    rows = rows.with_row_index("row")
    coded, known = _coded(rows, of, facts)
    tests = tests_of(binding, known, main=of.main)
    told = failing(coded, tests["line"])
    coded = coded.drop(of.cells).with_columns(_without(coded, told, of))
    runs = _runs(coded, told, of)
    if tests["neighbours"] or tests["batch"]:
        begun = runs.filter("begins")
        standing = begun.filter("stands")
        seen = _with_neighbours(begun, of, tests["neighbours"], most=binding.back)
        near = failing(seen, tests["neighbours"], first=_NEAR)
        whole = failing(_batches(standing, binding), tests["batch"], first=_WHOLE)
        told = pl.concat([told, _shared(pl.concat([near, whole]), runs)])
    return _told(rows, _released(told, runs), of)


def _coded(
    rows: pl.DataFrame, of: Rows, facts: Callable[[str, str], Facts]
) -> tuple[pl.DataFrame, list[Facts]]:
    """Return the rows with a number for what each is about, and what is known of those."""
    named = rows.select("source", of.about).unique().sort("source", of.about)
    known = [facts(*each) for each in named.rows()]
    named = named.with_columns(
        entity=pl.int_range(pl.len()),
        series_no=pl.col(of.about).rank("dense").cast(pl.Int64),
    )
    coded = rows.join(named, on=["source", of.about], how="left", maintain_order="left")
    return coded, known


def _without(coded: pl.DataFrame, told: pl.DataFrame, of: Rows) -> list[pl.Series]:
    """Return the cells of the rows, null where a rule turned one away."""
    found = []
    for cell in of.cells:
        column = coded[cell]
        lost = told.filter(pl.col("kind") == cell)["row"]
        if lost.len():
            gone = pl.col("row").is_in(lost.implode())
            column = coded.select(pl.when(~gone).then(pl.col(cell)).alias(cell))[cell]
        found.append(column)
    return found


def _runs(coded: pl.DataFrame, told: pl.DataFrame, of: Rows) -> pl.DataFrame:
    """Return the rows that count, sorted, with their `run` and whether they begin it.

    A run is one key's lines that say the same one after the other. What is not finished
    and what a person rejected is no version. What a line rule turned away is held against
    its neighbours, too, but `stands` as nobody's neighbour, unless a person released it.
    """
    broken = (
        told.filter(pl.col("kind") == "line")
        .group_by("row")
        .agg(pl.col("name").sort().str.join(",").alias("broken"))
    )
    key = ["series_no", *[n for n in of.key if n != of.about], "raw"]
    rows = (
        coded.filter(~pl.col("provisional") & ~pl.col("rejected"))
        .join(broken, on="row", how="left", maintain_order="left")
        .sort(*key, *_ORDER)
    )
    same = [pl.col(n).eq_missing(pl.col(n).shift(1)) for n in (*key, *of.cells)]
    same.append(pl.col("broken").eq_missing(pl.col("broken").shift(1)))
    begins = ~pl.all_horizontal(same) | (pl.int_range(pl.len()) == 0)
    rows = rows.with_columns(begins=begins).with_columns(run=pl.col("begins").cum_sum())
    freed = rows.filter("released")["run"].unique()
    free = pl.col("run").is_in(freed.implode())
    stands = pl.col("broken").is_null() | free
    return rows.with_columns(freed=free, stands=stands)


def _with_neighbours(
    begun: pl.DataFrame, of: Rows, tests: Sequence[Test], *, most: int
) -> pl.DataFrame:
    """Return the rows with what is usual for them, and whether another provider agrees."""
    rows = begun
    if begun["raw"].n_unique() > 1:
        rows = begun.sort(
            "series_no", "date", "as_of", "raw", "batch", "sha256", "line"
        )
    value = _floats(rows, of.main)
    bar = {name: _floats(rows, name) for name in of.bar}
    versions = Versions(
        rows["series_no"].to_numpy(),
        rows["date"].cast(pl.Int32).cast(pl.Int64).to_numpy(),
        rows["as_of"].cast(pl.Int64).to_numpy(),
        value,
        rows["stands"].to_numpy(),
    )
    needed = {name for test in tests for name in test.looks_at}
    entity = rows["entity"].to_numpy()
    back = look_back(tests, entity=entity, day=versions.day, most=most)
    dates = MOST if needed & {"same", "typical"} else USUAL
    found = before(versions, back=back, dates=dates)
    made: dict[str, Callable[[], Any]] = {
        "usual": lambda: found.usual,
        "last": lambda: found.last,
        "typical": lambda: found.typical,
        "known": lambda: found.known,
        "same": lambda: found.same(value),
        "bar_again": lambda: found.bar_again(bar),
        "agreed": lambda: _agreed(rows, of),
    }
    return rows.with_columns(
        pl.Series(name, make(), nan_to_null=True)
        for name, make in made.items()
        if name in needed
    )


def _floats(rows: pl.DataFrame, name: str) -> Any:
    return rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _agreed(rows: pl.DataFrame, of: Rows) -> pl.Series:
    """Return whether another provider has nearly the same value for the same date."""
    if not of.bar or rows["provider"].n_unique() < 2:
        return pl.Series(np.zeros(rows.height, dtype=bool))
    place = ["series_no", "date"]
    apart = rows.select(*place, "provider").unique().group_by(place).len()
    several = apart.filter(pl.col("len") > 1).select(place)
    mine = rows.join(several, on=place, how="semi").select(
        *place, "provider", "row", value=of.main
    )
    both = mine.join(mine, on=place, suffix="_other")
    near = (pl.col("value") - pl.col("value_other")).abs() <= (
        pl.max_horizontal(pl.col("value").abs(), pl.col("value_other").abs()) * _AGREES
    )
    found = both.filter((pl.col("provider") != pl.col("provider_other")) & near)
    return rows["row"].is_in(found["row"].unique().implode())


def _batches(standing: pl.DataFrame, binding: Binding) -> pl.DataFrame:
    """Return the rows with the number of their batch."""
    period = pl.col("date").dt.truncate(binding.batch).cast(pl.Int32).cast(pl.Int64)
    file = pl.concat_str("raw", "sha256").cast(pl.Categorical).to_physical()
    coded = standing.select("series_no", period=period, file=file.cast(pl.Int64))
    numbers = coded.select(pl.all() - pl.all().min())
    series, days, files = (numbers[n] for n in ("series_no", "period", "file"))
    most = numbers.select(pl.all().max() + 1).row(0)
    return standing.with_columns(batch_no=(series * most[1] + days) * most[2] + files)


def _shared(told: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Return the verdicts on the first lines of runs as those of all their lines."""
    if not told.height:
        return told
    first = told.join(runs.select("row", "run"), on="row")
    every = first.drop("row").join(runs.select("row", "run"), on="run")
    return every.select(list(PAIRS))


def _released(told: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Return the verdicts without those from which a person released a line."""
    freed = runs.filter("freed")["row"]
    if not freed.len():
        return told
    free = pl.col("row").is_in(freed.implode()) & (pl.col("kind") != "flag")
    kept = told.filter(~free)
    mark = told.filter(free).select("row").unique(maintain_order=True).sort("row")
    said = mark.select(
        "row",
        test=pl.lit(_MARKS, pl.Int64),
        kind=pl.lit("flag"),
        name=pl.lit(RELEASED),
        text=pl.lit(None, pl.String),
    )
    return pl.concat([kept, said])


def _told(rows: pl.DataFrame, told: pl.DataFrame, of: Rows) -> pl.DataFrame:
    """Return the rows with `rules`, `flags`, `lost` and `expected`."""
    nothing = pl.lit(None, pl.String)
    if not told.height:
        return rows.drop("row").with_columns(
            rules=nothing, flags=nothing, lost=nothing, expected=nothing
        )
    flag, line = pl.col("kind") == "flag", pl.col("kind") == "line"
    each = (
        told.sort("row", "test")
        .group_by("row", maintain_order=True)
        .agg(
            rules=pl.col("name")
            .filter(~flag)
            .unique(maintain_order=True)
            .str.join(","),
            flags=pl.col("name").filter(flag).unique(maintain_order=True).str.join(","),
            lost=pl.col("kind").filter(~flag & ~line).unique().sort().str.join(","),
            whole=line.any(),
            expected=pl.col("text")
            .drop_nulls()
            .unique(maintain_order=True)
            .str.join("; "),
        )
    )
    empty = [
        pl.when(pl.col(n) != "").then(pl.col(n)).alias(n)
        for n in ("rules", "flags", "lost", "expected")
    ]
    each = each.with_columns(*empty).with_columns(
        lost=pl.when(~pl.col("whole")).then("lost")
    )
    out = rows.join(each, on="row", how="left", maintain_order="left")
    gone = pl.col("lost").str.split(",")
    cells = [
        pl.when(~gone.list.contains(cell).fill_null(value=False))
        .then(pl.col(cell))
        .alias(cell)
        for cell in of.cells
    ]
    return out.with_columns(*cells).drop("row", "whole")
