"""The sign of life of a dispatcher: a small file, and how long ago it was written.

How old it is, is told by the ticks of the machine, which run on whatever is done to the
clock; only after a restart of the machine, or where it cannot be told apart from another,
by the clock. It never says that a dispatcher works well.
"""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock

HEARTBEAT = "heartbeat.json"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_SLACK_SECONDS = 1.0
"""By so much two looks at one clock may differ."""


def beat(lake: Lake, **more: object) -> None:
    """Write that the dispatcher lives, and what else is said of it.

    Raises:
        OSError: the disk refused.
    """
    plain = {
        **more,
        "at": clock.now().isoformat(),
        "ticks": time.perf_counter(),
        "boot": _boot(),
    }
    durable.write(lake.folder / HEARTBEAT, json.dumps(plain).encode())


def pulse(lake: Lake, *, late_seconds: float) -> dict[str, Any]:
    """Return whether the dispatcher lives, and what it last said of itself.

    Returns:
        `state`: alive, silent, never seen or unreadable; `age_s` where it is known.
    """
    try:
        found: dict[str, Any] = json.loads((lake.folder / HEARTBEAT).read_bytes())
        age = _age(found)
    except FileNotFoundError:
        return {"state": "never seen"}
    except (OSError, ValueError, KeyError, TypeError) as error:
        return {"state": "unreadable", "error": str(error)}
    if age + _SLACK_SECONDS < 0:
        why = "the clock was set back since, so its age is not known"
        return {"state": "silent", "error": why, **found}
    state = "alive" if age < late_seconds else "silent"
    return {"state": state, "age_s": round(max(age, 0.0), 1), **found}


def _age(found: dict[str, Any]) -> float:
    boot = _boot()
    if boot and found.get("boot") == boot:
        return time.perf_counter() - float(found["ticks"])
    return (clock.now() - datetime.fromisoformat(found["at"])).total_seconds()


def _boot() -> str:
    """Return what tells this run of the machine from others; empty where nothing does."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
