"""Rows that one rule judges, without a lake. No number here is one of rules.yaml."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import cbi_stream  # noqa: F401 - before polars, which takes its thread count from it
from cbi_stream.engine.binding import Binding, Bound
from cbi_stream.kernels.judging import Facts, Rows, judged
from cbi_stream.registry.rules import RuleEntry
from cbi_stream.shapes.rule import Rule

FIRST = date(2024, 1, 1)
SEEN = datetime(2024, 6, 1, tzinfo=UTC)
_FLOATS = ("open", "high", "low", "close", "volume", "ticks_off")
_FLOATS_TOO = ("plausible_low", "plausible_high", "rate", "value")
OF = Rows("symbol", ("symbol", "date"), ("close", "volume"), "close")
BARS = Rows(
    about="symbol",
    key=("symbol", "date"),
    cells=("open", "high", "low", "close", "volume"),
    main="close",
    bar=("open", "high", "low", "close", "volume"),
)


def _facts(source: str, symbol: str) -> Facts:
    return {
        "shapes": ("bars",),
        "sources": (source,),
        "symbols": (symbol,),
        "series": (),
        "kinds": ("future",),
        "units": ("cents",),
    }


@pytest.fixture
def rows() -> Callable[..., pl.DataFrame]:
    """Return a function from dicts of cells to lines, one a day unless they say more."""

    def made(*cells: dict[str, Any]) -> pl.DataFrame:
        lines = []
        for i, each in enumerate(cells):
            said = {
                "symbol": "ZL",
                "date": FIRST + timedelta(days=i),
                "as_of": SEEN,
                "batch": 1,
                "sha256": "a" * 64,
                "line": i + 1,
                "raw": "raw.one",
                "source": "one",
                "provider": "one",
                "first_seen_at": SEEN,
                "provisional": False,
                "rejected": False,
                "released": False,
                "numbers": True,
                "unlike": False,
                "session": True,
                "unit": "cents",
            }
            lines.append({**dict.fromkeys((*_FLOATS, *_FLOATS_TOO)), **said, **each})
        floats = dict.fromkeys((*_FLOATS, *_FLOATS_TOO), pl.Float64)
        return pl.DataFrame(lines, schema_overrides=floats, infer_schema_length=None)

    return made


@pytest.fixture
def judge() -> Callable[..., pl.DataFrame]:
    """Return a function that judges rows by one rule, or by several entries."""

    def verdicts(
        lines: pl.DataFrame,
        rule: Rule,
        *more: tuple[Rule, dict[str, Any]],
        of: Rows = BARS,
        severity: str = "quarantine",
        **numbers: Any,
    ) -> pl.DataFrame:
        first = {"with": numbers, "severity": severity}
        entries = [(rule, first), *more]
        bound = [
            Bound(each, RuleEntry.model_validate({"rule": each.name, **said}))
            for each, said in entries
        ]
        return judged(lines, Binding(tuple(bound), 31, "1mo"), of=of, facts=_facts)

    return verdicts


@pytest.fixture
def fails(judge: Any, rows: Any) -> Callable[..., list[int]]:
    """Return a function from lines and a rule to the numbers of the lines that fail."""

    def found(cells: list[dict[str, Any]], rule: Rule, **numbers: Any) -> list[int]:
        out = judge(rows(*cells), rule, **numbers)
        return out.filter(pl.col("rules").is_not_null())["line"].to_list()

    return found
