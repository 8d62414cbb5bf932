"""Holds join_spec.yaml against the other files: sources, symbols, contracts, features.

It never looks at data; whether a test is known is checked where the gates are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cbi_stream.registry.contract import Contract
from cbi_stream.registry.features import FeatureRegistry
from cbi_stream.registry.files import Universe
from cbi_stream.registry.joins import JoinSpec, ObservationJoin, PriceJoin
from cbi_stream.registry.model import Read
from cbi_stream.registry.sources import DataSources

BARS = "staging.prices"
_OBSERVED = ("series", "date", "vintage")
"""The key of a table whose observations can be joined: one row per series, date and
version, so that a join can never make two rows of one."""


def joins_fit(
    joins: Read[JoinSpec],
    sources: Read[DataSources],
    universe: Read[Universe],
    contracts: Mapping[str, Contract],
) -> Iterator[str]:
    """Yield each entry that names what is not there, with file and line."""
    yield from _names_stand_once(joins)
    for i, join in enumerate(joins.content.joins):
        if isinstance(join, PriceJoin):
            found = _price_problems(join, universe.content, contracts)
        else:
            found = _observation_problems(join, sources.content, contracts)
        for entry, said in found:
            yield f"{joins.place('joins', i, entry)}: {join.name}: {said}"
    yield from _tables_exist(joins, contracts)


def _names_stand_once(joins: Read[JoinSpec]) -> Iterator[str]:
    names: set[str] = set()
    columns: set[str] = set()
    for i, join in enumerate(joins.content.joins):
        where = joins.place("joins", i, "name")
        if join.name in names:
            yield f"{where}: {join.name} stands twice: give one of them another name"
        for column in sorted(columns & {*join.names}):
            yield f"{where}: {join.name}: another join brings the column {column} too"
        names.add(join.name)
        columns |= {*join.names}


def _price_problems(
    join: PriceJoin, universe: Universe, contracts: Mapping[str, Contract]
) -> Iterator[tuple[str, str]]:
    if join.symbol not in universe.symbols:
        yield "symbol", f"{join.symbol} is not in universe.yaml"
    bars = contracts.get(BARS)
    for column in join.columns:
        kind = bars.columns[column].type if bars and column in bars.columns else None
        if kind not in ("float", "int"):
            yield "columns", f"{BARS} has no column of numbers {column}"


def _observation_problems(
    join: ObservationJoin, sources: DataSources, contracts: Mapping[str, Contract]
) -> Iterator[tuple[str, str]]:
    source = sources.sources.get(join.source)
    if source is None:
        yield "source", f"{join.source} is not in data_sources.yaml"
        return
    for joined in join.observations.values():
        if joined.series not in source.series:
            said = f"{join.source} has no series {joined.series} in data_sources.yaml"
            yield "series", said
    contract = contracts.get(f"staging.{join.source}")
    if contract is None or contract.key != _OBSERVED:
        key = "no contract" if contract is None else f"the key {list(contract.key)}"
        said = (
            f"expected staging.{join.source} with one row per series, date and vintage, "
            f"else a row of the panel meets several; found {key}"
        )
        yield "source", said


def _tables_exist(
    joins: Read[JoinSpec], contracts: Mapping[str, Contract]
) -> Iterator[str]:
    spec = joins.content
    if spec.table not in contracts:
        yield f"{joins.place('table')}: no contract tables/{spec.table}.yaml"
        return
    missing = sorted({*spec.columns} - contracts[spec.table].columns.keys())
    if spec.tests or any(join.tests for join in spec.joins):
        for column in missing:
            yield f"{joins.place('table')}: {spec.table} has no column {column}"
    for i, test in enumerate(spec.tests):
        if test.on is not None and test.on not in contracts:
            yield f"{joins.place('tests', i, 'on')}: no contract tables/{test.on}.yaml"
    for i, join in enumerate(spec.joins):
        for j, test in enumerate(join.tests):
            if test.on is not None:
                where = joins.place("joins", i, "tests", j, "on")
                said = f"a test of a join looks at {spec.table}: take `on` away"
                yield f"{where}: {join.name}: {said}"


def features_hold(joins: JoinSpec, features: Read[FeatureRegistry]) -> Iterator[str]:
    """Yield each joined column that feature_registry.json does not describe."""
    known = {each.name: each for each in features.content.features}
    where = features.place("features")
    for name in sorted({*joins.columns} - known.keys()):
        yield f"{where}: {name} of join_spec.yaml is not a feature"
    for join in joins.joins:
        for flag in join.flags.values():
            if flag in known and known[flag].type != "bool":
                yield f"{where}: {flag}: expected the type bool; found {known[flag].type}"
