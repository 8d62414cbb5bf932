"""Where the time of a run goes: the share of each stage of the road, by cProfile.

A stage is a function, named by itself and not by its text, so that it cannot be renamed
unseen. It judges no share.
"""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.figures import say
from cbi_stream.doors import landing, taking
from cbi_stream.doors.readers import Child
from cbi_stream.engine import (
    calling,
    conservation,
    effects,
    fingerprint,
    plan,
    probe,
    slices,
    wave,
)
from cbi_stream.lake import (
    canonical,
    change,
    commit,
    durable,
    lines,
    log,
    news,
    table,
)
from cbi_stream.lake.archive import Archive
from cbi_stream.lake.lake import Lake

STAGES: dict[str, Callable[..., Any]] = {
    "take in": landing.take_in,
    "look at files": taking.look_at,
    "child reads and parses": Child.read,
    "archive": Archive.keep,
    "append to raw": lines.append_lines,
    "what is news": news.News.of,
    "wave": wave.run_wave,
    "fingerprints": fingerprint.of_node,
    "probes": probe.refused,
    "plan": plan.plan_table,
    "read slices": slices.frames_for,
    "handler": calling.returned,
    "count lines": conservation.counted,
    "canonical": canonical.canonical,
    "digest": canonical.digest,
    "compare": change.changes,
    "merge intervals": change.coalesce,
    "write parquet": table.write_parquet,
    "commit": commit.commit,
    "maps of the log": log.map_at,
    "sync": durable.sync,
    "publish": Lake.publish,
    "effects": effects.run_all,
    "complete receipts": landing.complete,
}
"""Their cumulative time. They overlap where one calls another: take in holds all of
look, read, archive and append; append its own canonical, digest, write and commit; the
wave all that follows it; complete its own slices and handlers."""


@contextmanager
def profiled(into: dict[str, float]) -> Iterator[None]:
    """Add the cumulative seconds of each stage inside the block.

    A profile slows Python down and native code not at all, so stages made of many
    small calls look up to twice as long as they are; read shares, not seconds.
    """
    profile = cProfile.Profile()
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        # The typed interface knows functions by name alone, without their files.
        stats: Any = pstats.Stats(profile)
        into["total"] = into.get("total", 0.0) + stats.total_tt
        for stage, function in STAGES.items():
            code = function.__code__
            place = (code.co_filename, code.co_firstlineno, code.co_name)
            seconds = stats.stats[place][3] if place in stats.stats else 0.0
            into[stage] = into.get(stage, 0.0) + seconds


def say_stages(what: str, spent: dict[str, float], *, runs: int = 1) -> None:
    """Print each stage's share of what was profiled."""
    for stage, seconds in spent.items():
        if stage != "total" and seconds:
            share = round(100 * seconds / spent["total"], 1)
            say(f"{what}: {stage}, % of the profile", share, s=round(seconds / runs, 4))
