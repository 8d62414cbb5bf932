"""Sources whose file names say which part of the source a file holds."""

from __future__ import annotations

import json
from collections.abc import Callable

from cbi_stream.doors.landing import Receipt
from tests.quirks.test_usda import SALE

Drop = Callable[..., Receipt]


def test_a_part_needs_no_registration(drop: Drop) -> None:
    """A season is no series: its file is taken without a remark."""
    told = drop(json.dumps([SALE]).encode(), "esr_902_2026.json")
    assert (told.end, told.reason) == ("archive", None)
    assert (told.source, told.key, told.lines) == ("esr", "esr_902_2026", 8)


def test_a_part_that_nobody_names_waits_for_its_name(drop: Drop) -> None:
    """Which season it is stands in no line of the file; the mend says how to name it."""
    told = drop(json.dumps([SALE]).encode(), "download.json")
    assert told.end == "waiting"
    assert "which part it is" in (told.reason or "")
    assert "name the file after it: (?P<key>esr_" in (told.mend or "")
