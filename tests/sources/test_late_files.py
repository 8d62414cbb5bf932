"""A file that comes late, between two answers of its source that said the same.

The second answer was no news when it came and left no commit; it is news after the late
file. Were it forgotten, the late value would stand for the current one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.journal import Journals
from cbi_stream.doors.landing import Hint
from cbi_stream.words import clock
from tests.sources.conftest import Bench, graph

SOURCE = "bcb"


def _asked_twice(bench: Bench) -> tuple[bytes, str]:
    """Ask on two days that say the same; return the bytes and the file's name."""
    (told, *_) = bench.ask(SOURCE, most=1).told
    version = bench.version(SOURCE)
    for day in (1, 2):
        world = bench.replay.world
        frozen = replace(world, at=world.at.replace(minute=day))
        bench.replay.world = frozen
        assert bench.ask(SOURCE, most=1).stored == 0
    assert bench.version(SOURCE) == version, "an answer without news left a commit"
    (file,) = bench.lake.table(f"raw.{SOURCE}").head()[1].note["files"]
    return bench.lake.archive.read(file["sha256"]), told.name


@pytest.mark.parametrize("remembered", [True, False])
def test_the_answer_after_a_late_file_counts_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, remembered: bool
) -> None:
    """Three versions: as it was, as the late file says, and as it was again."""
    if not remembered:
        monkeypatch.setattr(Journals, "answered_after", lambda *_: [])
    data, name = _asked_twice(bench)
    entries = json.loads(data)
    day, value = entries[0]["data"], entries[0]["valor"]
    late = bench.lake.folder.parent / name
    late.write_text(data.decode().replace(f'"{value}"', '"9.9999"', 1))
    as_of = bench.replay.world.now - timedelta(minutes=1, seconds=30)
    with clock.held_at(bench.replay.world.now + timedelta(hours=1)):
        hint = Hint(source=SOURCE, key=None, as_of=as_of)
        landing.drop(bench.lake, late, hint)
        (receipt,) = landing.take_in(bench.lake, graph())
    assert receipt.taken, receipt.reason
    rows = bench.rows(SOURCE).sort("as_of", "batch")
    series = rows.filter(pl.col("value") == "9.9999")["series"][0]
    said = rows.filter(
        (pl.col("series") == series) & (pl.col("date").dt.to_string("%d/%m/%Y") == day)
    )
    expected = [value, "9.9999", value] if remembered else [value, "9.9999"]
    assert said["value"].to_list() == expected
