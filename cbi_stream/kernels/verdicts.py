"""The verdicts of rules on rows: which row fails which rule. A null verdict fails.

This is the door to dataframely. It takes no row away and gives none a fate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dataframely as dy
import numpy as np
import polars as pl

from cbi_stream.kernels.terms import Terms, Test

PAIRS = {
    "row": pl.UInt32,
    "test": pl.Int64,
    "kind": pl.String,
    "name": pl.String,
    "text": pl.String,
}
"""One row and one test that it fails. `kind`: flag, line, or the cell that is lost."""


def failing(
    frame: pl.DataFrame, tests: Sequence[Test], *, first: int = 0
) -> pl.DataFrame:
    """Return a row for each test that a row fails, as PAIRS says.

    Args:
        frame: rows with `row`, `entity`, `date` and what the rules look at.
        tests: the rules of one phase.
        first: the number of the first of them: names are told in that order.
    """
    parts = [pl.DataFrame(schema=PAIRS)]
    if not tests or not frame.height:
        return parts[0]
    entity = frame["entity"].to_numpy()
    day = frame["date"].cast(pl.Int32).cast(pl.Int64).to_numpy()
    terms = {i: test.terms(entity, day) for i, test in enumerate(tests)}
    used = {i: each for i, each in terms.items() if each.active.any()}
    failed = _by_dataframely(frame, tests, used) if used else {}
    for i, places in failed.items():
        parts.append(_pairs(frame[places], tests[i], used[i], first + i, places))
    return pl.concat(parts)


def _by_dataframely(
    frame: pl.DataFrame, tests: Sequence[Test], terms: Mapping[int, Terms]
) -> dict[int, Any]:
    """Return by test the places of the rows that fail it.

    A rule with a cheaper test is asked only of the rows that this does not spare.
    """
    extra: dict[str, pl.Series] = {"at__": pl.Series(np.arange(frame.height))}
    rules, calm = {}, {}
    needed: set[str] = set()
    for i, each in terms.items():
        test = tests[i]
        given, columns = _given(test, each, prefix=f"{i}__")
        extra |= columns
        needed |= {test.cell if n == "cell" else n for n in test.rule.needs}
        verdict = test.rule(**given)
        spared = test.rule.spared(**given) if test.rule.unless else None
        if test.rule.phase == "batch":
            verdict, needed = verdict.over("batch_no"), needed | {"batch_no"}
            spared = None if spared is None else spared.over("batch_no")
        good = verdict.fill_null(value=False)
        if not each.active.all():
            extra[f"{i}__active"] = pl.Series(each.active)
            good = ~pl.col(f"{i}__active") | good
        rules[f"rule_{i}"] = good
        if spared is not None:
            calm[f"rule_{i}"] = spared.fill_null(value=False)
    seen = frame.select(sorted(needed)).with_columns(**extra)
    asked_of_all = {name: rules[name] for name in rules.keys() - calm.keys()}
    found = _evaluated(seen, asked_of_all) if asked_of_all else {}
    for name, spared in calm.items():
        found |= _evaluated(seen.filter(~spared), {name: rules[name]})
    return found


def _given(
    test: Test, terms: Terms, *, prefix: str
) -> tuple[dict[str, Any], dict[str, pl.Series]]:
    """Return a rule's arguments, and as columns the numbers that differ by row."""
    given: dict[str, Any] = {n: pl.col(n) for n in test.rule.needs}
    if "cell" in given:
        given["cell"] = pl.col(test.cell)
    columns = {}
    for name, value in terms.numbers.items():
        given[name] = value
        if value is None:
            columns[f"{prefix}{name}"] = test.column(terms.layer, name)
            given[name] = pl.col(f"{prefix}{name}")
    return given, columns


def _evaluated(seen: pl.DataFrame, rules: Mapping[str, pl.Expr]) -> dict[int, Any]:
    columns = {name: dy.Any() for name in seen.columns}
    tests = {name: _rule(expr) for name, expr in rules.items()}
    schema: Any = type("Judged", (dy.Schema,), {**columns, **tests})
    _, failure = schema.filter(seen)
    details = failure.details()
    # dataframely may hand rows back in any order: each has its place.
    return {
        int(name.removeprefix("rule_")): details.filter(pl.col(name) == "invalid")[
            "at__"
        ]
        .sort()
        .to_numpy()
        for name in rules
    }


def _rule(expr: pl.Expr) -> Any:
    return dy.rule()(lambda _: expr)


def _pairs(
    rows: pl.DataFrame, test: Test, terms: Terms, number: int, places: Any
) -> pl.DataFrame:
    """Return the pairs of one test: what it is for each row, and what it says."""
    excused = _excused(rows, test, terms, places)
    flags = terms.flags[places] | excused
    kinds = np.where(flags, "flag", "line" if test.whole else test.cell)
    return pl.DataFrame(
        {
            "row": rows["row"],
            "test": [number] * rows.height,
            "kind": kinds.tolist(),
            "name": [test.name] * rows.height,
            "text": _texts(rows, test, terms, places),
        },
        schema=PAIRS,
    )


def _excused(rows: pl.DataFrame, test: Test, terms: Terms, places: Any) -> Any:
    needs = [test.cell if n == "cell" else n for n in test.rule.excuse_needs]
    if test.rule.excuse is None or not set(needs) <= set(rows.columns):
        return np.zeros(rows.height, dtype=bool)
    given: dict[str, Any] = {
        n: pl.col(test.cell if n == "cell" else n) for n in test.rule.excuse_needs
    }
    columns = {}
    for name, value in terms.numbers.items():
        columns[name] = test.column(terms.layer[places], name)
        given[name] = pl.col(f"{name}__") if value is None else value
    frame = rows.with_columns(**{f"{n}__": v for n, v in columns.items()})
    verdict = test.rule.excused(**given).fill_null(value=False)
    return frame.select(verdict.alias("verdict"))["verdict"].to_numpy()


def _texts(
    rows: pl.DataFrame, test: Test, terms: Terms, places: Any
) -> list[str | None]:
    if test.rule.says is None:
        return [None] * rows.height
    names = {n: test.cell if n == "cell" else n for n in test.rule.needs}
    values = rows.select(**{n: pl.col(c) for n, c in names.items()}).to_dicts()
    label = "" if test.whole else f"{test.cell}: "
    return [
        None
        if None in each.values()
        else label + test.rule.says(**each, **test.numbers_at(int(layer)))
        for each, layer in zip(values, terms.layer[places], strict=True)
    ]
