"""What is held back, what carries it, and what each gate said, looked up in maps and files.

It judges nothing and decides nothing; what it returns is printed by other rooms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cbi_stream.engine import effects
from cbi_stream.engine.gating import EMPTIED, place_of
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.judging import print_of
from cbi_stream.lake import held
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Partition
from cbi_stream.lake.verdicts import Verdict, because
from cbi_stream.words.errors import DamagedLake

_STATES = ("failed", "error", "skipped")


def entries(lake: Lake) -> Iterator[tuple[str, str, Partition]]:
    """Yield every partition of every derived table that can be read."""
    for table, contract in sorted(lake.registry.contracts.items()):
        if contract.is_record:
            continue
        try:
            partitions = lake.table(table).head()[1].partitions
        except DamagedLake:
            continue  # `status` and `health` name it among what is damaged
        for name, entry in sorted(partitions.items()):
            yield table, name, entry


def looked_at(lake: Lake, graph: Graph) -> dict[str, Any]:
    """Return what is held, and by table how many partitions carry it."""
    found: list[dict[str, Any]] = []
    carried: dict[str, int] = {}
    for table, name, entry in entries(lake):
        if entry.state == "held":
            found.append(_held(table, name, entry))
        if entry.carried:
            carried[table] = carried.get(table, 0) + 1
    for effect in graph.effects:
        place = place_of(effect)
        if (holds := held.of_effect(lake, place)) is not None:
            why = because(map(Verdict.from_plain, holds["verdicts"]))
            plain = {"table": place, "partition": None, "why": why}
            found.append({**plain, "serves": "the files of an earlier run"})
    return {"held": found, "carried": carried}


def said(held_now: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for everything that is held."""
    for each in held_now:
        where = "/".join(p for p in (each["table"], each["partition"]) if p)
        yield f"held: {where}: {each['why']}; readers see {each['serves']}"


def why_each(lake: Lake, names: Iterable[str]) -> dict[str, str]:
    """Return, by name, why partitions carried as table/partition@candidate are held."""
    return {name: _why_held(lake, name) for name in names}


def _why_held(lake: Lake, name: str) -> str:
    table, _, rest = name.partition("/")
    partition, _, candidate = rest.partition("@")
    entry = lake.table(table).head()[1].partitions.get(partition)
    if entry is None or entry.state != "held":
        return "it is held no more; a run updates what is computed from it"
    if not entry.candidate.startswith(candidate):
        return f"a later candidate is held; a run says so here: {entry.error}"
    return entry.error or ""


def verdicts(
    lake: Lake, graph: Graph
) -> Iterator[tuple[str, str | None, bool, Verdict]]:
    """Yield place, partition, whether it is held, and verdict, of all that did not pass."""
    for table, name, entry in entries(lake):
        for verdict in entry.verdicts:
            yield table, name, entry.state == "held", verdict
    for effect in graph.effects:
        place = place_of(effect)
        holds = held.of_effect(lake, place)
        for plain in _of_effect(lake, effect.name, holds):
            if plain["status"] != "passed":
                yield place, None, holds is not None, Verdict.from_plain(plain)


def tallied(lake: Lake, graph: Graph) -> list[dict[str, Any]]:
    """Return every configured gate on every place, with how many partitions it judged."""
    judged: dict[str, int] = {}
    prints = {place: print_of(graph, place) for place in graph.checks}
    for table, _, entry in entries(lake):
        if prints.get(table) and entry.judged_by == prints[table]:
            judged[table] = judged.get(table, 0) + 1
    for effect in graph.effects:
        place = place_of(effect)
        holds = held.of_effect(lake, place)
        judged[place] = int(bool(_of_effect(lake, effect.name, holds)))
    counts: dict[tuple[str, str, str], int] = {}
    for place, _, _, verdict in verdicts(lake, graph):
        key = (place, verdict.gate, verdict.status)
        counts[key] = counts.get(key, 0) + 1
    rows: list[tuple[str, str, str, str]] = [
        (check.name, check.at, check.severity, place)
        for place, checks in sorted(graph.checks.items())
        for check in checks
    ]
    rows += [
        (EMPTIED, "built in", "critical", place)
        for place, gate, _ in sorted(counts)
        if gate == EMPTIED
    ]
    return [
        {
            "gate": gate,
            "at": at,
            "severity": severity,
            "on": place,
            "judged": judged.get(place, 0),
            **{state: counts.get((place, gate, state), 0) for state in _STATES},
        }
        for gate, at, severity, place in rows
    ]


def _held(table: str, name: str, entry: Partition) -> dict[str, Any]:
    serves = f"{entry.rows} rows of {entry.hash[:8]}" if entry.rows else "no rows"
    if entry.candidate == entry.hash:
        serves = "that very content, which was good under other gates or decisions"
    return {
        "table": table,
        "partition": name,
        "why": entry.error,
        "candidate": entry.candidate,
        "serves": serves,
    }


def _of_effect(
    lake: Lake, name: str, holds: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """Return the verdicts of an effect: of what is held, else of its files."""
    if holds is not None:
        return list(holds["verdicts"])
    found = effects.manifests(lake).values()
    mine = (m for m in found if m.get("effect") == name)
    return list(next((m.get("verdicts", []) for m in mine), []))
