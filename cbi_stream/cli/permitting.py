"""The verbs `gates let` and `gates withdraw`: decisions about what is held.

A decision is a row of raw.decisions, with author and note; nothing is ever deleted.
"""

from __future__ import annotations

import getpass

from cbi_stream.cli import show
from cbi_stream.cli.gating import gates, held_entry
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.lake import held, permits
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.verdicts import Verdict
from cbi_stream.registry.gates import EFFECTS
from cbi_stream.words.errors import WrongUsage


@gates.command(
    help="Let the candidate that is held now pass one gate, from the next run on.\n\n"
    "Another candidate is judged anew. Of an effect its very finding passes, as long as "
    "the gate finds the same.\n\n"
    'Example: cbi gates let staging.prices 2023 --gate no_twins --note "it is right"'
)
def let(
    table: str,
    partition: str = "",
    *,
    gate: str,
    note: str,
    author: str | None = None,
    lake: LakeFolder = DEFAULT_LAKE,
    json: AsJson = False,
) -> int:
    """Let the candidate that is held now pass one gate, from the next run on.

    Args:
        table: zone.name, or effects.NAME.
        partition: the partition; of an effect nothing.
        gate: the gate that holds it.
        note: why.
        author: who decides; the name of the user if not given.
        lake: folder of the lake.
        json: print one JSON object.
    """
    found, _ = opened(lake)
    candidate = _candidate(found, table, partition, gate=gate)
    who = author or getpass.getuser()
    batch = permits.let_through(
        found,
        table,
        partition=partition,
        gate=gate,
        candidate=candidate,
        author=who,
        note=note,
    )
    return _told(batch, "let", candidate, as_json=json)


@gates.command(
    help="Take back what was let through: its gate judges it again at the next run.\n\n"
    "Content that is served by then stays served until something better passes; it is "
    "held, and says so.\n\n"
    'Example: cbi gates withdraw staging.prices 2023 --gate no_twins --note "it is not"'
)
def withdraw(
    table: str,
    partition: str = "",
    *,
    gate: str,
    note: str,
    author: str | None = None,
    lake: LakeFolder = DEFAULT_LAKE,
    json: AsJson = False,
) -> int:
    """Take back what was let through: its gate judges it again at the next run.

    Args:
        table: zone.name, or effects.NAME.
        partition: the partition; of an effect nothing.
        gate: the gate that it was let through.
        note: why.
        author: who decides; the name of the user if not given.
        lake: folder of the lake.
        json: print one JSON object.
    """
    found, _ = opened(lake)
    who = author or getpass.getuser()
    stand = permits.standing(found).get((table, partition), ())
    mine = [each.partition("@")[2] for each in stand if each.startswith(f"{gate}@")]
    batch = 0
    for candidate in mine or [""]:
        batch = permits.withdraw(
            found,
            table,
            partition=partition,
            gate=gate,
            candidate=candidate,
            author=who,
            note=note,
        )
    return _told(batch, "withdraw", ", ".join(mine), as_json=json)


def _candidate(lake: Lake, table: str, partition: str, *, gate: str) -> str:
    """Return the hash that a decision must name.

    Raises:
        WrongUsage: nothing is held there, or not by this gate.
    """
    if table.startswith(f"{EFFECTS}."):
        holds = held.of_effect(lake, table) or {"verdicts": []}
        verdicts = [Verdict.from_plain(each) for each in holds["verdicts"]]
    else:
        verdicts = list(held_entry(lake, table, partition=partition).verdicts)
    found = next((v for v in verdicts if v.gate == gate and v.blocks), None)
    if found is None:
        by = ", ".join(v.gate for v in verdicts if v.blocks) or "nothing"
        place = f"{table}/{partition}".rstrip("/")
        msg = f"--gate: expected a gate that holds {place} ({by}); found {gate!r}"
        raise WrongUsage(msg)
    return found.token or held_entry(lake, table, partition=partition).candidate


def _told(batch: int, verdict: str, candidate: str, *, as_json: bool) -> int:
    if as_json:
        plain = {"batch": batch, "verdict": verdict, "candidate": candidate}
        show.as_json(plain)
    else:
        show.note(
            f"decision {batch}: {verdict} {candidate[:12]}; it takes effect with "
            "`cbi run --until-idle`"
        )
    return 0
