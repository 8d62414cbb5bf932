"""What a connector is told, and answers to feed it. It opens no connection."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cbi_stream import Answer, Poll, Want
from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry

TODAY = date(2026, 7, 15)
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real"


@cache
def registry() -> Registry:
    """Return the project's own registry."""
    return loader.load(Path(__file__).resolve().parents[2] / "registry")


def poll_of(source: str, *series: str, **more: Any) -> Poll:
    """Return what the connector of a source is told; of these series only, if any."""
    entry = registry().data_sources.sources[source]
    if series:
        some = {name: entry.series[name] for name in series}
        entry = entry.model_copy(update={"series": some})
    return Poll(entry, more.pop("today", TODAY), **more)


def answer(content: Any, status: int = 200) -> Answer:
    """Return an answer with this content, as JSON where it is no bytes."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer("https://x", status, "", datetime(2026, 7, 15, 22, tzinfo=UTC), data)


def param(want: Want, name: str) -> str | None:
    """Return a parameter of a question."""
    return dict(want.params).get(name)


def named(wants: Iterable[Want]) -> list[str]:
    """Return the names of questions."""
    return [want.name for want in wants]
