"""Prints receipts for people: what was taken, and what was not and why.

It decides nothing, and never shortens a reason or a mend.
"""

from __future__ import annotations

from collections.abc import Sequence

from cbi_stream.cli import show
from cbi_stream.doors.receipts import Receipt, shown

PARTIAL = 4
_FATES = (
    "staged",
    "quarantined",
    "superseded",
    "duplicate",
    "provisional",
    "unused",
)
_ENDS = {"archive": "taken", "quarantine": "refused", "waiting": "waits"}
_AHEAD = {
    "archive": "is taken",
    "quarantine": "will be refused",
    "waiting": "will wait",
}


def exit_code(told: Sequence[Receipt]) -> int:
    """Return 4 where a file waits or was refused."""
    return 0 if all(receipt.taken for receipt in told) else PARTIAL


def print_receipts(told: Sequence[Receipt], *, kind: str) -> None:
    """Print a paragraph for each file, and how many of them were taken.

    Args:
        told: the receipts.
        kind: of the lake.
    """
    for receipt in told:
        print("\n".join(paragraph(receipt)))
    counts = {end: sum(r.end == end for r in told) for end in _ENDS}
    if told:
        print(
            f"{kind} lake: {counts['archive']} file(s) taken, {counts['waiting']} wait, "
            f"{counts['quarantine']} refused\n"
        )


def paragraph(receipt: Receipt, *, ahead: bool = False) -> list[str]:
    """Return what a person should read about one file, line by line.

    Args:
        receipt: what became of it.
        ahead: whether it is a look ahead, and nothing became of it yet.
    """
    end = (_AHEAD if ahead else _ENDS)[receipt.end]
    told = [f"{end}: {shown(receipt.file)}{_what(receipt)}"]
    if receipt.taken:
        told.append(f"  {receipt.lines} lines{_fates(receipt)}")
    if receipt.reason:
        first, *rest = map(show.plain, receipt.reason.split("\n"))
        told += [f"  {first}", *(f"    {line}" for line in rest)]
    if receipt.mend:
        told.append(f"  mend: {receipt.mend}")
    if receipt.place:
        told.append(f"  it is kept: {shown(receipt.place)}")
    return told


def _what(receipt: Receipt) -> str:
    if receipt.source is None:
        return ""
    what = f": {receipt.source} {receipt.key}".rstrip()
    if receipt.as_of is None:
        return what
    return f"{what}, seen {receipt.as_of:%Y-%m-%d %H:%M} UTC ({receipt.as_of_by})"


def _fates(receipt: Receipt) -> str:
    """Return what became of the lines; before a wave, what was stored of them."""
    if receipt.staged is None:
        known = {"stored": receipt.stored, "duplicate": receipt.duplicate}
    else:
        known = {name: getattr(receipt, name) for name in _FATES}
    if receipt.unreadable and receipt.staged is None:
        known["unreadable"] = receipt.unreadable
    told = ", ".join(f"{count} {name}" for name, count in known.items() if count)
    return f": {told}" if told else ""
