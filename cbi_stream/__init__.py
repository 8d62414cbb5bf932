"""cbi-stream: a forecasting data platform that can prove it is right.

This is the face: what authors of handlers import, and nothing else.

To see the whole idea, read in this order:

1.  shapes/reads.py        how far a handler may look
2.  handlers/assemble/master.py   what a handler is
3.  words/span.py          spans of days
4.  engine/reach.py        slices, and their exact inverse
5.  engine/plan.py         which partitions a change reaches
6.  lake/canonical.py      what "the same content" means
7.  lake/partition_map.py  what every commit says about its table
8.  lake/commit.py         how bytes become durable
9.  engine/step.py         one partition, computed and judged
10. engine/wave.py         one consistent step of all tables
11. engine/prove.py        rebuild beside the lake, and compare
"""

from __future__ import annotations

import os

# polars fixes its thread pool when it is first imported, and float sums differ in
# their last bits between thread counts: so this line stands before any import.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import importlib
from typing import TYPE_CHECKING, Any

from cbi_stream.shapes.connector import SECRET, Answer, Poll, Want, connector
from cbi_stream.shapes.effect import effect
from cbi_stream.shapes.gate import Finding, Subject, gate, whole_gate
from cbi_stream.shapes.handler import Conformed, handler
from cbi_stream.shapes.reads import (
    days,
    from_registry,
    grid,
    history,
    known,
    sessions,
    whole,
)
from cbi_stream.shapes.rule import rule
from cbi_stream.shapes.source import source
from cbi_stream.words.errors import BadInput, SourceRefused, SourceUnavailable

if TYPE_CHECKING:
    from cbi_stream import kernels
    from cbi_stream.registry.files import Symbol
    from cbi_stream.registry.joins import Joined, ObservationJoin, PriceJoin
    from cbi_stream.registry.releases import Release
    from cbi_stream.registry.signals import Pillar
    from cbi_stream.registry.sources import Source
    from cbi_stream.registry.spec import Spec

__all__ = [
    "SECRET",
    "Answer",
    "BadInput",
    "Conformed",
    "Finding",
    "Joined",
    "ObservationJoin",
    "Pillar",
    "Poll",
    "PriceJoin",
    "Release",
    "Source",
    "SourceRefused",
    "SourceUnavailable",
    "Spec",
    "Subject",
    "Symbol",
    "Want",
    "connector",
    "days",
    "effect",
    "from_registry",
    "gate",
    "grid",
    "handler",
    "history",
    "kernels",
    "known",
    "rule",
    "sessions",
    "source",
    "whole",
    "whole_gate",
]


_LAZY = {
    "Joined": "cbi_stream.registry.joins",
    "ObservationJoin": "cbi_stream.registry.joins",
    "Pillar": "cbi_stream.registry.signals",
    "PriceJoin": "cbi_stream.registry.joins",
    "Release": "cbi_stream.registry.releases",
    "Source": "cbi_stream.registry.sources",
    "Spec": "cbi_stream.registry.spec",
    "Symbol": "cbi_stream.registry.files",
}


def __getattr__(name: str) -> Any:
    # pydantic takes half a second to import, and the command line's help must not
    # wait for it: these names load when they are first asked for.
    if name not in _LAZY:
        msg = f"module 'cbi_stream' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(_LAZY[name]), name)
