"""P1 and P10 under random histories of a lake whose gates hold something now and then.

After each step every partition is held against a naive rebuild that serves what the lake
serves of held ones; at the end the product proves itself. It asks no source.
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

from tests.laws import gated
from tests.laws.histories import STEPS, begin

_SEEDS = st.integers(0, 2**32 - 1)
_STEPS = (*STEPS, "correct", "change_gate", "decide", "decide")


class HeldHistories(RuleBasedStateMachine):
    """What may happen to a lake with gates, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = gated.judged_world()
        self.settled = False

    @initialize(seed=_SEEDS)
    def first_files(self, seed: int) -> None:
        """Let the first files arrive."""
        begin(self.world, random.Random(seed))
        self.settled = True

    @rule(seed=_SEEDS, step=st.sampled_from(_STEPS), settle=st.booleans())
    def something_happens(self, seed: int, step: str, settle: bool) -> None:
        """Lines, decisions about lines and candidates, rules, gates, code, a restart."""
        getattr(self.world, step)(random.Random(seed))
        self.settled = settle
        if settle:
            self.world.settle()

    @precondition(lambda self: self.settled)
    @rule(seed=_SEEDS, step=st.sampled_from(("duplicate", "compact", "restart")))
    def nothing_happens(self, seed: int, step: str) -> None:
        """The same again: nothing is held, released or committed."""
        getattr(self.world, step)(random.Random(seed))
        self.world.settle(silent=True)

    def teardown(self) -> None:
        """Prove the lake, with what it holds."""
        self.world.settle()
        self.world.prove()
        self.world.close()


def test_histories_with_gates_obey_the_laws():
    """20 histories of up to 10 steps: held or not, all is as a rebuild has it."""
    profile = settings(
        max_examples=20,
        stateful_step_count=10,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(HeldHistories, settings=profile)
    assert "decide" in _STEPS


def test_such_histories_do_hold_something():
    """A seed of them: partitions are held, let through, and carried."""
    world = gated.judged_world()
    chance = random.Random(11)
    begin(world, chance)
    seen = set()
    for _ in range(12):
        getattr(world, chance.choice(_STEPS))(chance)
        world.settle()
        for table in ("staging.px", "features.window", "features.tip"):
            for entry in world.lake.table(table).head()[1].partitions.values():
                seen |= {entry.state}
                seen |= {"carried"} if entry.carried else set()
                seen |= {"let"} if any(v.let for v in entry.verdicts) else set()
    assert {"live", "held", "carried"} <= seen, seen
    world.prove()
    world.close()
