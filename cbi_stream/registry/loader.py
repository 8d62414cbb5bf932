"""Loads the whole registry once and checks its files against each other.

It never looks at data, and a lake is opened only with a registry that holds together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cbi_stream.registry import files
from cbi_stream.registry.calendar import sessions_of
from cbi_stream.registry.contract import Contract
from cbi_stream.registry.model import Entry, Read, read
from cbi_stream.words.errors import BadRegistry
from cbi_stream.words.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything under `registry/`, frozen."""

    folder: Path
    settings: files.Settings
    universe: files.Universe
    data_sources: files.DataSources
    horizons: files.Horizons
    join_spec: files.JoinSpec
    exports: files.Exports
    sessions_file: files.SessionsFile
    sessions: Sessions
    contracts: dict[str, Contract]

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


def load(folder: Path) -> Registry:
    """Return the registry in `folder`.

    Raises:
        BadRegistry: a file is missing, does not fit its model, or contradicts
            another; the message names file and line.
    """
    settings = read(folder / "settings.yaml", files.Settings)
    universe = read(folder / "universe.yaml", files.Universe)
    sources = read(folder / "data_sources.yaml", files.DataSources)
    horizons = read(folder / "horizons.yaml", files.Horizons)
    joins = read(folder / "join_spec.yaml", files.JoinSpec)
    exports = read(folder / "exports.yaml", files.Exports)
    calendar = read(folder / "sessions.yaml", files.SessionsFile)
    sessions = sessions_of(folder, calendar)
    contracts = _contracts(folder / "tables")
    problems = [
        *_settings_fit(settings, universe),
        *_joins_fit(joins, sources),
        *_sources_fit(sources, contracts),
        *_exports_fit(exports, horizons),
        *_slack_fits(horizons, sessions),
    ]
    if problems:
        raise BadRegistry("\n".join(problems))
    return Registry(
        folder=folder,
        settings=settings.content,
        universe=universe.content,
        data_sources=sources.content,
        horizons=horizons.content,
        join_spec=joins.content,
        exports=exports.content,
        sessions_file=calendar.content,
        sessions=sessions,
        contracts=contracts,
    )


def _contracts(folder: Path) -> dict[str, Contract]:
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        each = read(path, Contract)
        if path.stem != each.content.table:
            where = each.place("table")
            msg = f"{where}: expected the contract of {path.stem}; found {each.content.table}"
            raise BadRegistry(msg)
        found[path.stem] = each
    plain = {name: each.content for name, each in found.items()}
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


def _joins_fit(
    joins: Read[files.JoinSpec], sources: Read[files.DataSources]
) -> Iterator[str]:
    known = {s for src in sources.content.sources.values() for s in src.series}
    for column, joined in joins.content.columns.items():
        if joined.series not in known:
            where = joins.place("columns", column, "series")
            yield f"{where}: columns.{column}: no source has the series {joined.series}"


def _sources_fit(
    sources: Read[files.DataSources], contracts: dict[str, Contract]
) -> Iterator[str]:
    for name, source in sources.content.sources.items():
        if source.raw not in contracts:
            where = sources.place("sources", name, "raw")
            yield f"{where}: {name}: no contract tables/{source.raw}.yaml"


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
