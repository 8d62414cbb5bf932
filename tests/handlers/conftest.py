"""The project's registry, and raw lines as the lake hands them to a handler."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import cbi_stream  # noqa: F401 - before polars, which takes its thread count from it
from cbi_stream.engine.binding import bound
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.lake.canonical import canonical, schema_of
from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.spec import Spec

SEEN = datetime(2024, 7, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Return the project's own registry."""
    return loader.load(Path(__file__).resolve().parents[2] / "registry")


@pytest.fixture(scope="session")
def graph(registry: Registry) -> Graph:
    """Return the project's own handlers and rules."""
    return discover(registry)


@pytest.fixture(scope="session")
def spec_of(registry: Registry, graph: Graph) -> Callable[..., Spec]:
    """Return a function from sources to a view of them, with the rules that hold."""

    def made(*sources: str, names: tuple[str, ...] = ("closures",)) -> Spec:
        named = [f"data_sources.{source}" for source in sources]
        rules = bound(registry, graph.rules, sources)
        return Spec(registry, (*names, *named), rules)

    return made


@pytest.fixture(scope="session")
def spec(registry: Registry, spec_of: Callable[..., Spec]) -> Spec:
    """Return a view of every registry file, and of the sources of bars."""
    names = ("settings", "universe", "horizons", "join_spec", "exports")
    names += ("regime_calendar", "closures", "feature_registry")
    return spec_of(*registry.data_sources.of_shape("bars"), names=names)


@pytest.fixture(scope="session")
def rows_of(registry: Registry) -> Callable[..., pl.DataFrame]:
    """Return a function that makes a table's rows, nulls where nothing is said."""

    def make(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
        contract = registry.contracts[table]
        full = [{n: row.get(n) for n in contract.columns} for row in rows]
        frame = pl.DataFrame(full, schema=schema_of(contract), orient="row")
        return frame.sort(contract.key)

    return make


@pytest.fixture(scope="session")
def fits(registry: Registry) -> Callable[[str, pl.DataFrame], pl.DataFrame]:
    """Return a function that puts a handler's output into canonical form."""

    def checked(table: str, frame: pl.DataFrame) -> pl.DataFrame:
        return canonical(frame, registry.contracts[table])

    return checked


@pytest.fixture(scope="session")
def line() -> Callable[..., dict[str, Any]]:
    """Return a function that makes one raw line, with where it comes from."""

    def make(day: date, /, batch: int = 1, **cells: Any) -> dict[str, Any]:
        as_of = cells.get("as_of", SEEN)
        provenance = {
            "as_of": as_of,
            "stated": False,
            "batch": batch,
            "sha256": f"{batch:064d}",
            "line": day.toordinal(),
            "first_seen_at": as_of,
            "parser": "p",
        }
        return {"date": day, **provenance, **cells}

    return make


@pytest.fixture(scope="session")
def decided(rows_of: Callable[..., pl.DataFrame]) -> Callable[..., pl.DataFrame]:
    """Return a function that makes decisions: (line, verdict), oldest first.

    `raw` is the table of all lines, or says it of a line.
    """

    def make(
        *found: tuple[dict[str, Any], str], raw: str | Callable[[Any], str]
    ) -> pl.DataFrame:
        rows = [
            {
                **{n: about[n] for n in ("date", "sha256", "line")},
                "batch": i,
                "raw": raw if isinstance(raw, str) else raw(about),
                "verdict": verdict,
                "author": "ada",
                "note": "because",
                "first_seen_at": SEEN,
            }
            for i, (about, verdict) in enumerate(found, start=1)
        ]
        return rows_of("raw.decisions", rows)

    return make
