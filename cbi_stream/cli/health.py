"""Verbs `health` and `retry`: whether the dispatcher lives, and what waits for a person.

They read what is written down: the heartbeat, the maps, the receipts, the journals. They
mend nothing and ask no source.
"""

from __future__ import annotations

from typing import Any

from cbi_stream.cli import holding, intake, show, sources, stored
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.doors import heartbeat
from cbi_stream.doors.asking import ask_again
from cbi_stream.doors.daemon import RESCAN_SECONDS
from cbi_stream.doors.secrets import secret
from cbi_stream.engine import fates
from cbi_stream.engine.graph import Graph
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import DamagedLake

SICK = 3
_MEANING = {
    "busy": " (another process holds the lake: it begins, rebuilds or proves)",
    "stopped": " (it was asked to)",
    "ended": " (it was killed, or crashed)",
}
_LATE_SECONDS = 3 * RESCAN_SECONDS
"""A dispatcher looks at least so often, three times over, unless it computes."""


def health(*, lake: LakeFolder = DEFAULT_LAKE, json: AsJson = False) -> int:
    """Say whether the dispatcher lives, which sources fail, and what waits for a person.

    Args:
        lake: folder of the lake.
        json: print one JSON object.
    """
    found, graph = opened(lake)
    seen = pulse(found)
    failed = _failed(found, sorted(found.registry.contracts))
    lost = _unaccounted(found, graph)
    damaged = stored.looked_at(found)["damaged"]
    back = holding.looked_at(found, graph)
    plain = {
        "dispatcher": seen,
        "damaged": damaged,
        "failed": failed,
        **back,
        "waiting": intake.waiting(found),
        "refused": intake.quarantined(found),
        "unaccounted": lost,
        "sources": sources.wrong(sources.looked_at(found, secret=secret)),
    }
    sick = bool(seen["state"] != "alive" or seen.get("code") or failed or damaged)
    sick = sick or bool(plain["sources"] or back["held"])
    if json:
        show.as_json({**plain, "healthy": not sick})
    else:
        _print(plain)
    return SICK if sick else 0


def pulse(lake: Lake) -> dict[str, Any]:
    """Return the state of the dispatcher, by its heartbeat and by its lock.

    The kernel frees the lock however the process ends: without it nobody lives.
    """
    found = heartbeat.pulse(lake, late_seconds=_LATE_SECONDS)
    holder = durable.holder(lake.folder / "dispatch.lock")
    if holder is None:
        if found["state"] in ("never seen", "unreadable"):
            return found
        return {**found, "state": "stopped" if found.get("leaving") else "ended"}
    if holder and holder != found.get("pid"):
        return {**found, "state": "busy", "holder": holder}
    return found


def said(dispatcher: dict[str, Any]) -> str:
    """Return the state of the dispatcher in words."""
    age = f", last seen {dispatcher['age_s']} s ago" if "age_s" in dispatcher else ""
    return (
        f"dispatcher: {dispatcher['state']}{_MEANING.get(dispatcher['state'], '')}{age}"
    )


def _unaccounted(lake: Lake, graph: Graph) -> dict[str, int]:
    try:
        told = fates.of_lake(lake, graph)
    except DamagedLake:
        return {}  # not known: the table stands among those that failed
    return {
        raw: counts["unaccounted"]
        for raw, counts in told.items()
        if counts["unaccounted"]
    }


def _failed(lake: Lake, tables: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in tables:
        try:
            partitions = lake.table(name).head()[1].partitions
        except DamagedLake as error:
            found.append({"table": name, "partition": None, "error": str(error)})
            continue
        found += [
            {
                "table": name,
                "partition": partition,
                "attempts": entry.attempts,
                "error": entry.error,
            }
            for partition, entry in sorted(partitions.items())
            if entry.state == "failed"
        ]
    return found


def _print(plain: dict[str, Any]) -> None:
    print(said(plain["dispatcher"]))
    if code := plain["dispatcher"].get("code"):
        print(
            f"code: it goes on with what it loaded, since what is there fails: {code}"
        )
    for line in stored.said(plain["damaged"]):
        print(line)
    for each in plain["failed"]:
        where = "/".join(p for p in (each["table"], each["partition"]) if p)
        tries = f" ({each['attempts']} attempts)" if each.get("attempts") else ""
        print(f"failed: {where}{tries}: {each['error']}")
    for line in holding.said(plain["held"]):
        print(show.plain(line))
    for table, n in plain["carried"].items():
        print(f"carried: {n} partitions of {table} were computed from held content")
    for line in plain["sources"]:
        print(show.plain(line))
    for end in ("waiting", "refused"):
        for each in plain[end]:
            print(f"{end}: {each['file']}: {each['reason']}")
    for raw, n in plain["unaccounted"].items():
        print(f"unaccounted: {n} lines of {raw}")


def retry(*, lake: LakeFolder = DEFAULT_LAKE, json: AsJson = False) -> int:
    """Ask for partitions that were set aside to be tried once more.

    The dispatcher hears it at its next look, or `cbi run --until-idle` does.

    Args:
        lake: folder of the lake.
        json: print one JSON object.
    """
    found, graph = opened(lake)
    failed = _failed(found, [node.table for node in graph.nodes])
    ask_again(found)
    if json:
        show.as_json({"asked": True, "failed": failed})
    else:
        show.note(
            f"asked: {len(failed)} failed partition(s) are tried at the next look"
        )
    return 0
