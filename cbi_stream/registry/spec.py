"""The registry entries that one handler asked for, and no others.

A handler cannot read what it did not declare, so its fingerprint misses nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cbi_stream.registry import features, files, joins, regimes, releases, signals
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.model import Entry
from cbi_stream.registry.sources import Source
from cbi_stream.words.errors import BadRegistry
from cbi_stream.words.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Spec:
    """A frozen view of the registry, limited to the declared files."""

    _registry: Registry
    names: tuple[str, ...]
    rules: Any = None
    """The rules that hold for the lines of the handler, where it reads lines of files."""

    def _entry(self, name: str) -> Entry:
        if name not in self.names:
            msg = (
                f"the handler reads registry file {name!r} without declaring it: "
                f"add it to spec=({', '.join(self.names)})"
            )
            raise BadRegistry(msg)
        return self._registry.entry(name)

    @property
    def settings(self) -> files.Settings:
        """settings.yaml."""
        return self._entry("settings")  # type: ignore[return-value]

    @property
    def universe(self) -> files.Universe:
        """universe.yaml."""
        return self._entry("universe")  # type: ignore[return-value]

    @property
    def sources(self) -> dict[str, Source]:
        """The declared entries of data_sources.yaml, by name."""
        found = {}
        for name in self.names:
            file, _, source = name.partition(".")
            if file == "data_sources" and source:
                found[source] = self._registry.data_sources.sources[source]
        return found

    @property
    def source(self) -> Source:
        """The one declared entry of data_sources.yaml."""
        (only,) = self.sources.values()
        return only

    @property
    def horizons(self) -> files.Horizons:
        """horizons.yaml."""
        return self._entry("horizons")  # type: ignore[return-value]

    @property
    def join_spec(self) -> joins.JoinSpec:
        """join_spec.yaml."""
        return self._entry("join_spec")  # type: ignore[return-value]

    @property
    def exports(self) -> files.Exports:
        """exports.yaml."""
        return self._entry("exports")  # type: ignore[return-value]

    @property
    def closures(self) -> releases.Closures:
        """closures.yaml."""
        return self._entry("closures")  # type: ignore[return-value]

    @property
    def regime_calendar(self) -> regimes.RegimeCalendar:
        """regime_calendar.yaml."""
        return self._entry("regime_calendar")  # type: ignore[return-value]

    @property
    def signals(self) -> signals.Signals:
        """signals.yaml."""
        return self._entry("signals")  # type: ignore[return-value]

    @property
    def feature_registry(self) -> features.FeatureRegistry:
        """feature_registry.json."""
        return self._entry("feature_registry")  # type: ignore[return-value]

    @property
    def sessions(self) -> Sessions:
        """The trading calendar; it is part of every fingerprint."""
        return self._registry.sessions

    def canonical(self) -> str:
        """Return the declared entries as text with sorted keys, for fingerprints."""
        whole = [n for n in self.names if "." not in n]
        entries = {n: self._entry(n).model_dump(mode="json") for n in whole}
        entries |= {n: source.meaning() for n, source in self.sources.items()}
        return json.dumps(entries, sort_keys=True, separators=(",", ":"))
