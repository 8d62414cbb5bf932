"""Looks at everything under a path, one file after the other, and never stops at one.

What goes wrong with a file is said of that file; nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cbi_stream.audit import inventory
from cbi_stream.audit.inventory import Item
from cbi_stream.audit.opening import Unreadable
from cbi_stream.audit.overlap import Held
from cbi_stream.audit.sheet import laid_out
from cbi_stream.audit.verdict import Judged, judged
from cbi_stream.words.errors import WrongUsage
from cbi_stream.words.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Asked:
    """With what each file is looked at."""

    sessions: Sessions
    moment: datetime
    """What is later lies in the future."""
    held: Held | None = None
    date_column: str | None = None
    key_columns: tuple[str, ...] = ()


def look(
    path: Path, asked: Asked, *, told: Callable[[int, int, str], None]
) -> list[Judged]:
    """Return what is said of every file under a path.

    Args:
        path: a file, a Delta table, or a folder of them.
        asked: with what each is looked at.
        told: hears the number of the file at hand, of how many, and its name.

    Raises:
        WrongUsage: nothing is there, or no file has a column that was named.
    """
    items = inventory.found_in(path)
    found, columns = [], set()
    for number, item in enumerate(items, start=1):
        told(number, len(items), item.name)
        one = _one(item, asked)
        columns |= set(one.columns)
        found.append(one)
    named = {*asked.key_columns, *([asked.date_column] if asked.date_column else [])}
    if named - columns:
        msg = (
            f"expected the columns {sorted(named)}; no file under {path} has "
            f"{sorted(named - columns)}"
        )
        raise WrongUsage(msg)
    return found


def _one(item: Item, asked: Asked) -> Judged:
    try:
        read = inventory.read(item)
    except Unreadable as error:
        return Judged(item.name, "", "unreadable", said=str(error))
    here = read.frame.columns
    date_column = asked.date_column if asked.date_column in here else None
    keys = asked.key_columns if set(asked.key_columns) <= set(here) else ()
    try:
        sheet = laid_out(
            item.name, read.frame, date_column=date_column, key_columns=keys
        )
        return judged(
            sheet,
            form=read.form,
            noticed=read.noticed,
            sessions=asked.sessions,
            now=asked.moment,
            held=asked.held,
        )
    except WrongUsage:
        raise
    except Exception as error:  # noqa: BLE001 - a stranger's file may break any check
        said = f"the checks failed on it: {type(error).__name__}: {error}"
        return Judged(
            item.name, read.form, "unreadable", read.frame.height, said=said[:300]
        )


def counted(found: Sequence[Judged]) -> dict[str, int]:
    """Return how many files have each verdict."""
    verdicts = ("keep", "replace", "archive", "unreadable")
    return {
        verdict: sum(one.verdict == verdict for one in found) for verdict in verdicts
    }
