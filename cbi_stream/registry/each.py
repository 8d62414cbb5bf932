"""Contracts that are the same for every source of a shape, written once.

`registry/tables/each/<shape>.<part>.yaml` holds one with `{source}`, `{grain}`,
`{series}` and `{contract}` left open; the column `{measure}` stands for one column per
measure of the source. Nothing else is ever put in.
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
            source = sources.sources[name]
            content = _with_measures(content, source)
            filled = _filled(content, _words(name, source))
            made = validated(path, filled, lines, Contract)
            found[made.content.table] = made
    return found


def _words(name: str, source: Source) -> dict[str, Any]:
    return {
        "{source}": name,
        "{grain}": source.grain.value,
        "{series}": list(source.series)[:_SHOWN] or [name],
        "{contract}": list(source.contracts)[:_SHOWN] or [name],
    }


def _with_measures(plain: Any, source: Source) -> Any:
    """Return a template with a column for each measure in place of `{measure}`."""
    columns: dict[str, Any] = {}
    for name, column in plain.get("columns", {}).items():
        same = source.measures if name == "{measure}" else (name,)
        columns |= dict.fromkeys(same, column)
    return {**plain, "columns": columns}


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
