"""Loads the whole registry once and checks its files against each other.

It never looks at data, and a lake is opened only with a registry that holds together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cbi_stream.registry import each as each_source
from cbi_stream.registry import files
from cbi_stream.registry.calendar import sessions_of
from cbi_stream.registry.contract import Contract
from cbi_stream.registry.features import Feature, FeatureRegistry
from cbi_stream.registry.gates import Gates
from cbi_stream.registry.joining import features_hold, joins_fit
from cbi_stream.registry.joins import JoinSpec
from cbi_stream.registry.model import Entry, Read, read
from cbi_stream.registry.regimes import RegimeCalendar, regimes_fit
from cbi_stream.registry.releases import Closures, Release
from cbi_stream.registry.rules import Rules
from cbi_stream.registry.signals import Signals, signals_fit
from cbi_stream.registry.sources import DataSources
from cbi_stream.words.errors import BadRegistry
from cbi_stream.words.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything under `registry/`, frozen."""

    folder: Path
    settings: files.Settings
    universe: files.Universe
    data_sources: DataSources
    horizons: files.Horizons
    join_spec: JoinSpec
    exports: files.Exports
    closures: Closures
    feature_registry: FeatureRegistry
    regime_calendar: RegimeCalendar
    signals: Signals
    sessions_file: files.SessionsFile
    sessions: Sessions
    contracts: dict[str, Contract]
    rules: Rules = field(default_factory=Rules)
    gates: Gates = field(default_factory=Gates)
    places: Mapping[str, Read[Any]] = field(default_factory=dict)
    """The files that are checked further when the handlers are known, by name."""

    def entry(self, name: str) -> Entry:
        """Return the file called `name`, for instance `horizons`.

        Raises:
            BadRegistry: there is no such file.
        """
        found = getattr(self, name, None)
        if not isinstance(found, Entry):
            msg = f"expected the name of a registry file; found {name!r}"
            raise BadRegistry(msg)
        return found

    def number(self, dotted: str) -> int:
        """Return a whole number of the registry, for instance `horizons.longest`.

        Raises:
            BadRegistry: nothing, or no whole number, stands there.
        """
        name, _, field = dotted.partition(".")
        value = getattr(self.entry(name), field, None)
        if not isinstance(value, int):
            msg = (
                f"expected a whole number at {dotted} of the registry; found {value!r}"
            )
            raise BadRegistry(msg)
        return value

    def sources_of(self, opened: str) -> tuple[str, ...]:
        """Return the sources that stand for a name left open in a handler's reads.

        Args:
            opened: a shape of sources; `joined`: those that join_spec.yaml names; or
                `families`: the tables of features beside the panel.
        """
        if opened == "joined":
            return self.join_spec.sources
        if opened == "families":
            return self.feature_registry.families
        return self.data_sources.of_shape(opened)

    def place(self, name: str, *where: str | int) -> str:
        """Return `file:line` of an entry, for a registry that was built by hand its name."""
        found = self.places.get(name)
        return found.place(*where) if found else f"{name}.yaml"


def load(folder: Path, *, rules_file: Path | None = None) -> Registry:
    """Return the registry in `folder`, or with `rules_file` as its rules.yaml.

    Raises:
        BadRegistry: a file is missing or does not fit, with file and line.
    """
    settings = read(folder / "settings.yaml", files.Settings)
    universe = read(folder / "universe.yaml", files.Universe)
    sources = read(folder / "data_sources.yaml", DataSources)
    horizons = read(folder / "horizons.yaml", files.Horizons)
    joins = read(folder / "join_spec.yaml", JoinSpec)
    exports = read(folder / "exports.yaml", files.Exports)
    closures = read(folder / "closures.yaml", Closures)
    features = read(folder / "feature_registry.json", FeatureRegistry)
    regimes = read(folder / "regime_calendar.yaml", RegimeCalendar)
    signals = read(folder / "signals.yaml", Signals)
    calendar = read(folder / "sessions.yaml", files.SessionsFile)
    rules = read(rules_file or folder / "rules.yaml", Rules)
    gates = read(folder / "gates.yaml", Gates)
    sessions = sessions_of(folder, calendar)
    contracts = _contracts(folder / "tables", features.content, sources.content)
    _none(
        *_settings_fit(settings, universe),
        *joins_fit(joins, sources, universe, contracts),
        *regimes_fit(regimes, sessions),
        *_sources_fit(sources, contracts, closures, universe),
        *_features_fit(features, signals, sources, contracts),
        *features_hold(joins.content, features),
        *_exports_fit(exports, horizons),
        *_slack_fits(horizons, sessions),
    )
    return Registry(
        folder=folder,
        settings=settings.content,
        universe=universe.content,
        data_sources=sources.content,
        horizons=horizons.content,
        join_spec=joins.content,
        exports=exports.content,
        closures=closures.content,
        feature_registry=features.content,
        regime_calendar=regimes.content,
        signals=signals.content,
        sessions_file=calendar.content,
        sessions=sessions,
        contracts=contracts,
        rules=rules.content,
        gates=gates.content,
        places={"join_spec": joins, "rules": rules, "gates": gates},
    )


def _none(*problems: str) -> None:
    if problems:
        raise BadRegistry("\n".join(problems))


def _contracts(
    folder: Path, features: FeatureRegistry, sources: DataSources
) -> dict[str, Contract]:
    found = each_source.contracts(folder, sources)
    for path in sorted(folder.glob("*.yaml")):
        each = read(path, Contract)
        if path.stem != each.content.table:
            where = each.place("table")
            msg = f"{where}: expected the contract of {path.stem}; found {each.content.table}"
            raise BadRegistry(msg)
        if path.stem in found:
            msg = f"{path}: expected one contract of {path.stem}; its shape has one too"
            raise BadRegistry(msg)
        found[path.stem] = each
    plain = {name: each.content.with_features(features) for name, each in found.items()}
    for each in found.values():
        for i, table in enumerate(each.content.include):
            if table not in plain:
                msg = f"{each.place('include', i)}: include: no contract for {table}"
                raise BadRegistry(msg)
    return {name: contract.with_included(plain) for name, contract in plain.items()}


def _settings_fit(
    settings: Read[files.Settings], universe: Read[files.Universe]
) -> Iterator[str]:
    target = settings.content.target
    if target not in universe.content.symbols:
        yield f"{settings.place('target')}: target: {target} is not in universe.yaml"


def _sources_fit(
    sources: Read[DataSources],
    contracts: dict[str, Contract],
    closures: Read[Closures],
    universe: Read[files.Universe],
) -> Iterator[str]:
    for name, source in sources.content.sources.items():
        if source.raw not in contracts:
            where = sources.place("sources", name, "raw")
            yield f"{where}: {name}: no contract tables/{source.raw}.yaml"
        rules: dict[tuple[str, ...], Release | None] = {
            ("release",): source.release,
            ("volume_release",): source.volume_release,
        }
        rules |= {
            ("series", n, "release"): s.release
            for n, s in source.series.items()
            if not isinstance(s.release, str)
        }
        rules |= {("rules", n): rule for n, rule in source.rules.items()}
        for entry, rule in rules.items():
            if rule and rule.closed and rule.closed not in closures.content.lists:
                where = sources.place("sources", name, *entry, "closed")
                yield f"{where}: {name}: closures.yaml has no list {rule.closed}"
        asked = source.fetch.schedule.closed if source.fetch else None
        if asked and asked not in closures.content.lists:
            where = sources.place("sources", name, "fetch", "schedule", "closed")
            yield f"{where}: {name}: closures.yaml has no list {asked}"
        known = source.keys() or universe.content.symbols
        for alias, meant in source.aliases.items():
            if meant not in known:
                where = sources.place("sources", name, "aliases", alias)
                said = f"no symbol, series, group or contract {meant} is registered"
                yield f"{where}: {name}: {said}"


def _features_fit(
    features: Read[FeatureRegistry],
    signals: Read[Signals],
    sources: Read[DataSources],
    contracts: dict[str, Contract],
) -> Iterator[str]:
    yield from signals_fit(signals, {each.name for each in features.content.features})
    grades = {
        f"{source}.{series}": entry.pit_grade
        for source, each in sources.content.sources.items()
        for series, entry in each.series.items()
    }
    included = {table for each in contracts.values() for table in each.include}
    seen: set[str] = set()
    for i, feature in enumerate(features.content.features):
        where, name = features.place("features", i), feature.name
        if name in seen:
            yield f"{where}: {name} stands twice"
        seen.add(name)
        contract = contracts.get(feature.table)
        if contract is None or not contract.features:
            yield f"{where}: {name}: {feature.table} has no contract with `features: true`"
        elif feature.table not in included:
            said = "stands in no table's `include`: the training files would lack it"
            yield f"{where}: {name}: {feature.table} {said}"
        yield from (f"{where}: {name}: {why}" for why in _grade_fits(feature, grades))


def _grade_fits(feature: Feature, grades: Mapping[str, str]) -> Iterator[str]:
    """Hold what a feature says of its sources against what they are."""
    unknown = [series for series in feature.sources if series not in grades]
    for series in unknown:
        yield f"no source has the series {series}"
    if unknown:
        return
    worst = max((grades[series] for series in feature.sources), default="B")
    if feature.reliability != worst:
        yield f"expected the reliability {worst}, its sources' worst; found {feature.reliability}"
    late = worst == "C" and feature.lagged_releases
    if feature.surface == "prod" and worst in "CD" and not late:
        bad = next(series for series in feature.sources if grades[series] == worst)
        yield (
            f"{bad} has grade {worst}, which was not knowable as it stands: put the "
            "feature on the full surface"
        )


def _exports_fit(
    exports: Read[files.Exports], horizons: Read[files.Horizons]
) -> Iterator[str]:
    for name, export in exports.content.exports.items():
        if export.horizon not in horizons.content.days:
            where = exports.place("exports", name, "horizon")
            yield f"{where}: {name}: horizons.yaml has no {export.horizon}"


def _slack_fits(horizons: Read[files.Horizons], sessions: Sessions) -> Iterator[str]:
    closed, slack = sessions.longest_closed_days, horizons.content.slack_days
    if closed > slack:
        where = horizons.place("slack_days")
        yield f"{where}: the calendar is closed for {closed} days in a row; found {slack}"
