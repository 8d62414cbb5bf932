"""Times the rules of rows on 350,000 bars, beside reading the same bars.

The bars are invented, of the symbols of the universe, and held in memory. One JSON line
per figure. It asserts nothing: a figure is read, never relied on.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
import numpy as np
import polars as pl

from bench.figures import say
from cbi_stream.engine.graph import discover
from cbi_stream.kernels import judging
from cbi_stream.lake.canonical import schema_of
from cbi_stream.registry import loader
from handlers.conform import prices, rules

ROWS, SESSIONS, ROUNDS = 350_000, 6_500, 5
SEEN = datetime(2026, 1, 1, tzinfo=UTC)
_REGISTRY = Path(__file__).resolve().parents[1] / "registry"
_HEADER = "Date,Open,High,Low,Close,Adj Close,Volume\n"


def closes(registry: Any) -> dict[str, list[str]]:
    """Return by symbol a quiet walk in the middle of what is plausible, as text."""
    found = {}
    rng = np.random.default_rng(7)
    for name, symbol in registry.universe.symbols.items():
        low, high = symbol.plausible
        level = (max(low, 0.01) * high) ** 0.5
        walk = level * np.exp(np.cumsum(rng.normal(0.0, 0.002, SESSIONS)))
        tick = symbol.ticks_per_unit
        walk = np.round(walk * tick) / tick if tick else walk
        found[name] = [f"{price:.6f}" for price in walk]
        if len(found) * SESSIONS >= ROWS:
            break
    return found


def raw_of(registry: Any, days: list[date]) -> pl.DataFrame:
    """Return the lines as raw.yahoo holds them, a file per symbol."""
    contract = registry.contracts["raw.yahoo"]
    parts = []
    for i, (name, texts) in enumerate(closes(registry).items(), start=1):
        volume = [str(1_000 + n % 977) for n in range(len(days))]
        four = dict.fromkeys(("open", "high", "low", "close", "adj_close"), texts)
        parts.append(
            pl.DataFrame({"date": days, **four, "volume": volume}).with_columns(
                symbol=pl.lit(name),
                line=pl.int_range(2, pl.len() + 2, dtype=pl.Int64),
                batch=pl.lit(i, pl.Int64),
                sha256=pl.lit(f"{i:064d}"),
            )
        )
    rows = pl.concat(parts)
    seen = pl.lit(SEEN, pl.Datetime("us", "UTC"))
    types = schema_of(contract)
    known = {"as_of": seen, "first_seen_at": seen, "stated": pl.lit(value=False)}
    absent = {
        n: known.get(n, pl.lit(None, t))
        for n, t in types.items()
        if n not in rows.columns
    }
    return rows.with_columns(**absent).select(*types).sort(contract.key)


def median(what: Callable[[], object]) -> float:
    """Return the median of the seconds that it takes, once warm."""
    seconds = []
    for turn in range(ROUNDS + 1):
        start = time.perf_counter()
        what()
        if turn:
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def seconds_of_rules(raw: pl.DataFrame, spec: Any, decisions: pl.DataFrame) -> float:
    """Return the seconds that the rules alone take inside the conform step."""
    spent: list[float] = []

    def timed(*args: Any, **more: Any) -> pl.DataFrame:
        start = time.perf_counter()
        found = judging.judged(*args, **more)
        spent.append(time.perf_counter() - start)
        return found

    frames = dict.fromkeys(spec.sources, raw.clear()) | {"yahoo": raw}
    rules.judged = timed  # type: ignore[attr-defined]
    try:
        for _ in range(ROUNDS + 1):
            prices.prices(**frames, decisions=decisions, spec=spec)
    finally:
        rules.judged = judging.judged  # type: ignore[attr-defined]
    return statistics.median(spent[1:])


def main() -> None:
    """Print the figures."""
    registry = loader.load(_REGISTRY)
    graph = discover(registry)
    days = [date(2000, 1, 3) + timedelta(days=i) for i in range(2 * SESSIONS)]
    days = [day for day in days if day.weekday() < 5][:SESSIONS]
    raw = raw_of(registry, days)
    decisions = pl.DataFrame(schema=schema_of(registry.contracts["raw.decisions"]))
    spec = graph.node("staging.prices").spec
    spent = seconds_of_rules(raw, spec, decisions)
    say("seconds to judge by all rules", spent, rows=raw.height)
    files = {
        name: (
            _HEADER
            + part.select(
                "date", "open", "high", "low", "close", "adj_close", "volume"
            ).write_csv(include_header=False)
        ).encode()
        for (name,), part in raw.partition_by("symbol", as_dict=True).items()
    }
    parse = graph.parsers["yahoo"][0].parse
    read = median(lambda: [parse(data, name) for name, data in files.items()])
    say("seconds to parse the same bars from CSV", read, rows=raw.height)
    say("judging over parsing", spent / read)
    stored = io.BytesIO()
    raw.write_parquet(stored)
    read = median(lambda: pl.read_parquet(io.BytesIO(stored.getvalue())))
    say("seconds to read the same bars from Parquet", read, rows=raw.height)
    say("judging over reading Parquet", spent / read)


if __name__ == "__main__":
    main()
