"""P1, P2, P4 and P5 under random histories, on the toy graph and on the real one.

After every step the lake's files are compared with a naive rebuild in memory; at the
end of each history the product proves itself.
"""

from __future__ import annotations

import random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.laws import worlds
from tests.laws.histories import STEPS, World, begin

_SEEDS = st.integers(0, 2**32 - 1)


class Histories(RuleBasedStateMachine):
    """What may happen to a lake, in any order, with the laws after each step."""

    make = staticmethod(worlds.toy_world)

    def __init__(self) -> None:
        super().__init__()
        self.world: World = self.make()
        self.settled = False

    @initialize(seed=_SEEDS)
    def first_files(self, seed: int) -> None:
        """Let the first files arrive."""
        begin(self.world, random.Random(seed))
        self.settled = True

    @rule(seed=_SEEDS, step=st.sampled_from(STEPS), settle=st.booleans())
    def something_happens(self, seed: int, step: str, settle: bool) -> None:
        """Append, late row, correction, revision, decision, rule, code or restart."""
        getattr(self.world, step)(random.Random(seed))
        self.settled = settle
        if settle:
            self.world.settle()

    @precondition(lambda self: self.settled)
    @rule(
        seed=_SEEDS, step=st.sampled_from(("duplicate", "noise", "compact", "restart"))
    )
    def nothing_happens(self, seed: int, step: str) -> None:
        """The same again, noise below the tick, compaction or restart: silence."""
        getattr(self.world, step)(random.Random(seed))
        self.world.settle(silent=True)

    def teardown(self) -> None:
        """Prove the lake with the product's own command."""
        self.world.settle()
        self.world.prove()
        self.world.close()


class RealHistories(Histories):
    """The same, with the real handlers and registry."""

    make = staticmethod(worlds.real_world)


def _profile(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def test_the_toy_graph_obeys_the_laws():
    """25 histories of up to 12 steps leave the toy lake as a rebuild has it."""
    run_state_machine_as_test(Histories, settings=_profile(25, 12))
    assert Histories.make is not RealHistories.make


def test_the_real_graph_obeys_the_laws():
    """3 histories of up to 10 steps leave the real lake as a rebuild has it."""
    run_state_machine_as_test(RealHistories, settings=_profile(3, 10))
    assert RealHistories.make is worlds.real_world
