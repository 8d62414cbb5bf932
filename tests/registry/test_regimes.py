"""regime_calendar.yaml: every day in one regime, and none known before it began."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from cbi_stream.registry import loader
from cbi_stream.words.errors import BadRegistry

FILE = "regime_calendar.yaml"
MISTAKES = [
    # what stands there, what a person typed, a text on the line to open, why
    ("start: 2012-01-01", "start: 2012-01-02", "start: 2012-01-02", "found a gap"),
    ("start: 2012-01-01", "start: 2011-12-31", "start: 2011-12-31", "found an overlap"),
    ("    end: 2012-01-01\n", "", "name: qe_commodity_boom", "only the last regime"),
    ("end: 2012-01-01", "end: 2009-07-01", "end: 2009-07-01", "an end after"),
    (
        "    start: 2025-01-20\n",
        "    start: 2025-01-20\n    end: 2029-01-20\n",
        "end: 2029-01-20",
        "the last regime has no end",
    ),
    ("start: 1998-01-01", "start: 2000-01-03", "start: 2000-01-03", "1999-01-01"),
    ("name: plateau", "name: trade_war", "name: trade_war", "trade_war stands twice"),
    (
        "known_from: 2008-09-15",
        "known_from: 2007-07-31",
        "2007-07-31",
        "before it began",
    ),
    ("weight: 50\n", "weight: 49\n", "weight: 49", "found 49"),
    ("weight: 500\n", "weight: 5001\n", "weight: 5001", "found 5001"),
    ("weight: 500\n", "weight: 500\n    wieght: 500\n", "wieght", "not known here"),
    (
        "    doc: years of rising imports\n",
        "",
        "china_supercycle",
        "this key is missing",
    ),
    ("start: 2012-01-01", "start: 2012-02-30", "2012-02-30", "a day of the calendar"),
]


@pytest.mark.parametrize(("old", "new", "on", "why"), MISTAKES)
def test_a_planted_mistake_is_named_with_file_and_line(
    copied: Path, old: str, new: str, on: str, why: str
) -> None:
    """A gap, an overlap, a closed end, a weight out of bounds: each is named."""
    path = copied / FILE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadRegistry, match=re.escape(why)) as caught:
        loader.load(copied)
    lines = path.read_text(encoding="utf-8").splitlines()
    places = {i for i, line in enumerate(lines, start=1) if on in line}
    named = {int(n) for n in re.findall(rf"{FILE}:(\d+): ", str(caught.value))}
    assert named & places, (str(caught.value), places)


def test_no_regime_at_all_is_refused(copied: Path) -> None:
    """A weight of nothing is no weight."""
    (copied / FILE).write_text("weight_before_known: 100\nregimes: []\n", "utf-8")
    with pytest.raises(BadRegistry, match="at least one regime"):
        loader.load(copied)


def test_the_calendar_covers_2000_to_today(copied: Path) -> None:
    """Seven regimes or more, half-open, the last one open, weights from 50 to 500."""
    found = loader.load(copied).regime_calendar.regimes
    assert sum(r.end is None or r.end > date(2000, 1, 1) for r in found) >= 7
    assert all(before.end == after.start for before, after in pairwise(found))
    assert found[-1].end is None
    weights = [regime.weight for regime in found]
    assert (min(weights), max(weights)) == (50, 500)
