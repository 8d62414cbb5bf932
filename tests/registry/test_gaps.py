"""The page about gaps, held against the registry. A name that is not registered fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cbi_stream.registry import loader
from cbi_stream.registry.sources import Source

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "sources" / "gaps.md"


def rows() -> list[tuple[str, list[str], list[str]]]:
    """Return part, sources and series of each line of the tables."""
    found = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and "`" in line:
            names = re.findall(r"`([^`]+)`", cells[2])
            found.append((cells[0], cells[1].split(", "), names))
    return found


@pytest.fixture(scope="module")
def sources() -> dict[str, Source]:
    """Return the registered sources."""
    return loader.load(ROOT / "registry").data_sources.sources


def test_every_part_has_a_registered_series(sources: dict[str, Source]) -> None:
    """Each of its sources gives at least one, and no name is of none of them."""
    for part, named, series in rows():
        known = {name: set(sources[name].series) for name in named}
        for name in series:
            assert any(name in held for held in known.values()), (part, name)
        unserved = [n for n, held in known.items() if not held & set(series)]
        assert set(unserved) <= {"tariff_events"}, part


def test_no_part_is_forgotten(sources: dict[str, Source]) -> None:
    """Eight parts of China's demand, six oils, five mandates; every desk series has a place."""
    parts = [part for part, _, _ in rows()]
    assert len(parts) == 8 + 6 + 5
    told = PAGE.read_text()
    missing = [name for name in sources["desk"].series if f"`{name}`" not in told]
    assert missing == []
