"""Verbs that show that the lake is right: rebuild and prove. Neither mends a record."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from cbi_stream.cli import show
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, dispatching, opened
from cbi_stream.engine import prove as proof
from cbi_stream.engine.preview import preview
from cbi_stream.engine.wave import run_wave

DIFFERENT = HELD = 3


def rebuild(
    *,
    lake: LakeFolder = DEFAULT_LAKE,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> int:
    """Compute every partition again from raw, in place.

    An intact lake makes no commit. For a comparison beside the lake see `cbi prove`.

    Args:
        lake: folder of the lake.
        dry_run: say what would be computed, and compute nothing.
        json: print one JSON object.
    """
    found, graph = opened(lake)
    if dry_run:
        tasks = preview(found, graph, asked=True)
        show.as_json({"partitions": len(tasks)}) if json else show.note(
            f"would compute {len(tasks)} partitions"
        )
        return 0
    with dispatching(found):
        report = run_wave(found, graph, asked=True)
    if json:
        show.as_json(asdict(report))
    else:
        show.table(
            f"rebuilt ({found.kind} lake)",
            ["table", "computed", "changed", "version"],
            [(n, t.planned, t.changed, t.version) for n, t in report.tables.items()],
        )
    show.failures(report.failed)
    show.failures(report.held, "held")
    if report.failed:
        return 4
    return HELD if report.held else 0


def prove(
    *,
    lake: LakeFolder = DEFAULT_LAKE,
    deep: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> int:
    """Rebuild beside the lake and compare, with a certificate; exit 3 where different.

    Args:
        lake: folder of the lake.
        deep: besides, run each window-pure handler once over all history.
        json: print the certificate as one JSON object.
    """
    found, graph = opened(lake)
    with dispatching(found, mending=False):
        certificate = proof.prove(found, graph, deep=deep)
    if json:
        show.as_json(certificate.to_plain())
    else:
        _print(certificate, found.kind)
    return 0 if certificate.identical else DIFFERENT


def _print(certificate: proof.Certificate, kind: str) -> None:
    show.table(
        f"{kind} lake",
        ["table", "version", "root"],
        [
            (t, certificate.versions[t], root[:16])
            for t, root in certificate.roots.items()
            if certificate.versions[t] >= 0
        ],
    )
    unseen = sum(version < 0 for version in certificate.versions.values())
    if unseen:
        show.note(f"and {unseen} tables that nothing was computed for yet")
    for table, verdict in certificate.deep.items():
        show.note(f"one pass over all history: {table}: {verdict}")
    for name in certificate.carried:
        show.note(
            f"held: {name}: what is served of it was taken from the lake as it is"
        )
    if certificate.identical:
        print(f"identical ({certificate.seconds} s)")
        return
    print("different")
    for d in certificate.differences:
        place = " ".join(str(p) for p in (d.table, d.partition, d.column, d.date) if p)
        values = (
            "" if d.column is None else f": {d.lake} in the lake, {d.rebuilt} rebuilt"
        )
        print(f"  {place}{values} ({d.because})")
