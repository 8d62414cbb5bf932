"""Polls for connectors of the project's own registry. It asks nobody anything."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from cbi_stream.registry.loader import Registry
from cbi_stream.shapes.connector import Poll, Want

TODAY = date(2026, 9, 21)


def poll_of(registry: Registry, source: str, **more: Any) -> Poll:
    """Return a poll of a source on a Monday, as if nothing had been asked before."""
    return Poll(registry.data_sources.sources[source], TODAY, **more)


def first_of(wants: Iterable[Want]) -> Want:
    """Return the first question."""
    return next(iter(wants))
