"""Loads the whole registry once and checks its files against each other.

It never looks at data, and a lake is opened only with a registry that holds together.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from cbi_stream.registry import files
from cbi_stream.registry.contract import Contract
from cbi_stream.registry.model import Entry, read
from cbi_stream.words.errors import BadRegistry
from cbi_stream.words.sessions import Sessions
from cbi_stream.words.span import Span, plus_days


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
    sessions_file = read(folder / "sessions.yaml", files.SessionsFile)
    registry = Registry(
        folder=folder,
        settings=read(folder / "settings.yaml", files.Settings),
        universe=read(folder / "universe.yaml", files.Universe),
        data_sources=read(folder / "data_sources.yaml", files.DataSources),
        horizons=read(folder / "horizons.yaml", files.Horizons),
        join_spec=read(folder / "join_spec.yaml", files.JoinSpec),
        exports=read(folder / "exports.yaml", files.Exports),
        sessions_file=sessions_file,
        sessions=_sessions(folder, sessions_file),
        contracts=_contracts(folder / "tables"),
    )
    _cross_check(registry)
    return registry


def _contracts(folder: Path) -> dict[str, Contract]:
    plain: dict[str, Contract] = {}
    for path in sorted(folder.glob("*.yaml")):
        contract = read(path, Contract)
        if path.stem != contract.table:
            msg = f"{path}:1: expected the contract of {path.stem}; found {contract.table}"
            raise BadRegistry(msg)
        plain[contract.table] = contract
    for contract in plain.values():
        for table in contract.include:
            if table not in plain:
                msg = (
                    f"{folder / contract.table}.yaml: include: no contract for {table}"
                )
                raise BadRegistry(msg)
    return {name: contract.with_included(plain) for name, contract in plain.items()}


def _sessions(folder: Path, file: files.SessionsFile) -> Sessions:
    covers = Span(file.covers.first, plus_days(file.covers.last, 1))
    closed = _closed_days(folder / file.closed)
    opened = {each.date for each in file.overrides if each.open}
    closed |= {each.date for each in file.overrides if not each.open}
    days = []
    day = covers.start
    while day < covers.end:
        if day in opened or (day.weekday() < 5 and day not in closed):
            days.append(day)
        day += timedelta(days=1)
    return Sessions(days, covers=covers)


def _closed_days(path: Path) -> set[date]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        return {date.fromisoformat(row["date"]) for row in rows}
    except (OSError, KeyError, ValueError) as error:
        msg = f"{path}: expected lines `date,name` with ISO dates; {error}"
        raise BadRegistry(msg) from error


def _cross_check(registry: Registry) -> None:
    problems = []
    if registry.settings.target not in registry.universe.symbols:
        problems.append(
            f"settings.yaml: target: {registry.settings.target} is not in universe.yaml"
        )
    known = {s for src in registry.data_sources.sources.values() for s in src.series}
    for column, joined in registry.join_spec.columns.items():
        if joined.series not in known:
            problems.append(
                f"join_spec.yaml: columns.{column}: no source of data_sources.yaml "
                f"has the series {joined.series}"
            )
    for name, source in registry.data_sources.sources.items():
        if source.raw not in registry.contracts:
            problems.append(
                f"data_sources.yaml: {name}: no contract tables/{source.raw}.yaml"
            )
    for name, export in registry.exports.exports.items():
        if export.horizon not in registry.horizons.days:
            problems.append(
                f"exports.yaml: {name}: horizons.yaml has no {export.horizon}"
            )
    closed = registry.sessions.longest_closed_days
    if closed > registry.horizons.slack_days:
        problems.append(
            f"horizons.yaml: slack_days: the calendar is closed for {closed} days in one "
            f"stretch; found {registry.horizons.slack_days}"
        )
    if problems:
        raise BadRegistry("\n".join(f"{registry.folder}/{p}" for p in problems))
