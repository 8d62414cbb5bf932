"""An answer that cannot be read: it stays a failure, and nothing passes over it.

Its source is not well because it sends the same wrong bytes twice, and a later part of
the same series must not move the cursor beyond it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cbi_stream.doors import answers
from cbi_stream.doors.journal import Journals
from cbi_stream.doors.receipts import Refused
from tests.sources import conftest
from tests.sources.conftest import Bench, graph

SOURCE = "bcb"


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the names whose answers no parser reads, from now on."""
    names: set[str] = set()
    honest = answers.read

    def read(*words: Any) -> Any:
        if words[-1][0].name in names:
            msg = "planted: another shape"
            raise Refused(msg)
        return honest(*words)

    monkeypatch.setattr(answers, "read", read)
    return names


def test_the_same_wrong_bytes_again_are_a_failure_again(
    bench: Bench, refusing: set[str]
) -> None:
    """Else a source that changed its shape would look well from the second day on."""
    bench.ask(SOURCE, most=1)
    refusing |= set(bench.names)
    bench.replay.world = replace(bench.replay.world, seed=8)
    for _ in range(3):
        told = bench.ask(SOURCE, most=1)
        assert [each.outcome for each in told.told] == ["failed"]
    assert Journals(bench.lake).read(SOURCE).consecutive_failures == 3


@pytest.mark.parametrize("first_fails", [True, False])
def test_no_cursor_passes_over_a_part_that_failed(
    bench: Bench,
    refusing: set[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    first_fails: bool,
) -> None:
    """Two parts of one series, the second with the cursor: it counts with both alone."""
    known = graph()
    asked = known.connectors[SOURCE]

    def parts(poll: Any) -> Iterator[Any]:
        want, other, *_ = asked.wants(poll)
        refusing.update([want.name] if first_fails else [])
        second = replace(other, key=want.key, cursor="2024-06-28")
        yield replace(want, follow=lambda _: (second,))

    twice = replace(asked, wants=parts)
    changed = replace(known, connectors={**known.connectors, SOURCE: twice})
    monkeypatch.setattr(conftest, "graph", lambda: changed)
    told = bench.ask(SOURCE)
    assert bool(told.failed) == first_fails
    cursors = Journals(bench.lake).read(SOURCE).cursors
    assert bool(cursors) != first_fails
