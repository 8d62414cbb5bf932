"""Golden roots: when slicing, trimming or the canonical form changes meaning, they move.

Only tables that select and never compute, so the roots are those of every platform.
Raise ENGINE_SEMANTICS together with them: stored content is then planned again.
"""

from __future__ import annotations

from datetime import timedelta

from cbi_stream.engine.fingerprint import ENGINE_SEMANTICS
from cbi_stream.engine.wave import run_wave
from tests.laws import worlds

GOLDEN = {
    "semantics": 1,
    "staging.obs": "770c19e4410b3a100e05faec1faf8d696e5052e1abc46410bd2833d2369f9830",
    "features.panel": "4ba3be67baeaf393b03a2e66752f214ee465995054874cc21bcb86263e9fa4de",
    "features.month": "5472b28e05f29b92b56370c79f278a21bbb212aa362c295ab182ea37abb4cfda",
    "features.expanding": "a34b9f7e711963df65d39cb48e7622837985fc8f545cf72a3b262e2abfb7a12d",
}


def test_the_meaning_of_content_has_not_moved():
    """The same lines give the same roots as when ENGINE_SEMANTICS was last raised."""
    world = worlds.toy_world()
    prices, other = world.feeds
    days = [prices.first + timedelta(days=3 * i) for i in range(300)]
    world.arrive(prices, [(d, 20.0 + d.toordinal() % 31) for d in days if d.day != 7])
    days = [other.first + timedelta(days=7 * i) for i in range(130)]
    world.arrive(other, [(d, 1.0 + d.toordinal() % 5) for d in days])
    world.arrive(other, [(days[9], 77.5)])
    run_wave(world.lake, world.graph, probing="off")
    found = {t: world.lake.table(t).head()[1].root for t in GOLDEN if t != "semantics"}
    world.close()
    assert {"semantics": ENGINE_SEMANTICS, **found} == GOLDEN
