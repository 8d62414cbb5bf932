"""What is known of the stored bytes: how much was read again lately, and what is damaged.

It reads what the dispatcher wrote down, and each file that it found damaged. It mends
nothing and moves nothing.
"""

from __future__ import annotations

from typing import Any

from cbi_stream.doors import checking, damage
from cbi_stream.lake.lake import Lake


def looked_at(lake: Lake) -> dict[str, Any]:
    """Return which stored files are damaged, and how many were read again lately."""
    known = checking.progress(lake)
    files, size = (sum(each[i] for each in known.days.values()) for i in (0, 1))
    return {
        "damaged": damage.shown(damage.standing(lake)),
        "checked": {
            "days": checking.DAYS_KEPT,
            "files": files,
            "bytes": size,
            "in_this_round": known.files if known.began else 0,
            "of": known.of,
            "whole_at": known.whole_at,
        },
    }


def lines(plain: dict[str, Any]) -> list[str]:
    """Return it in words: a line for each damaged file, one for what was read again."""
    known = plain["checked"]
    found = said(plain["damaged"])
    if known["files"]:
        found.append(
            f"stored files read again in the last {known['days']} days: "
            f"{known['files']:,} ({known['bytes'] / 1e6:,.1f} MB); all of them, last "
            f"time: {known['whole_at'] or 'not yet'}"
        )
    return found


def said(damaged: list[dict[str, Any]]) -> list[str]:
    """Return a line for each damaged file."""
    return [
        f"damaged: {each['file']}: expected sha256 {each['expected']}; found "
        f"{each['found']}: {each['mend']}"
        for each in damaged
    ]
