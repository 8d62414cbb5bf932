"""Contracts that are the same for every source of a shape, written once.

`registry/tables/each/<shape>.<part>.yaml` holds one with `{source}`, `{grain}` and
`{series}` left open. Nothing else is ever put in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cbi_stream.registry import yaml_lines
from cbi_stream.registry.contract import Contract
from cbi_stream.registry.model import Read, validated
from cbi_stream.registry.sources import DataSources, Source

_SHOWN = 2


def contracts(folder: Path, sources: DataSources) -> dict[str, Read[Contract]]:
    """Return the contracts of the tables of all sources that have a shape, by table.

    Raises:
        BadRegistry: a template does not fit; the message names file and line.
    """
    found = {}
    for path in sorted((folder / "each").glob("*.yaml")):
        shape = path.name.partition(".")[0]
        for name in sources.of_shape(shape):
            content, lines = yaml_lines.load(path)
            filled = _filled(content, _words(name, sources.sources[name]))
            made = validated(path, filled, lines, Contract)
            found[made.content.table] = made
    return found


def _words(name: str, source: Source) -> dict[str, Any]:
    simulated = list(source.series)[:_SHOWN] or [name]
    return {"{source}": name, "{grain}": source.grain.value, "{series}": simulated}


def _filled(plain: Any, words: dict[str, Any]) -> Any:
    if isinstance(plain, dict):
        return {key: _filled(value, words) for key, value in plain.items()}
    if isinstance(plain, list):
        return [_filled(value, words) for value in plain]
    if not isinstance(plain, str):
        return plain
    if plain in words:
        return words[plain]
    return plain.replace("{source}", words["{source}"])
