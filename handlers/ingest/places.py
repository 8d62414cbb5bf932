"""Places on the map, as data_sources.yaml lists them in `options`. It never looks one up."""

from __future__ import annotations

from dataclasses import dataclass

from cbi_stream import SourceRefused


@dataclass(frozen=True, slots=True)
class Place:
    """One place: what its series are called, and where it is."""

    name: str
    latitude: str
    longitude: str
    zone: str
    """Whose days are meant."""
    weight: str
    """Its share of its country's soybeans, roughly; no connector looks at it."""


def place_of(text: str) -> Place:
    """Return the place of a line like `br_sorriso -12.54 -55.71 America/Cuiaba 0.12`.

    Raises:
        SourceRefused: the line is no such thing.
    """
    parts = text.split()
    if len(parts) != 5:
        msg = (
            "expected a place like 'br_sorriso -12.54 -55.71 America/Cuiaba 0.12' in "
            f"options of data_sources.yaml; found {text!r}"
        )
        raise SourceRefused(msg)
    return Place(*parts)
