"""What an answer in JSON says to a judge, and from when on to ask. It never asks anybody.

A judge that cannot read an answer says so as trouble that may pass: a source that is
overloaded often sends a page where JSON is due.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

from cbi_stream import Answer, Poll, SourceUnavailable

Verdict = Literal["data", "empty"]
_SHOWN = 200


def said_in(answer: Answer, source: str) -> Any:
    """Return what an answer of a source says.

    Raises:
        SourceUnavailable: it is no JSON.
    """
    try:
        return json.loads(answer.data)
    except ValueError:
        start = shown(answer.data[:_SHOWN].decode("utf-8", errors="replace"))
        msg = f"{source}: expected JSON from {answer.url}; found {start}"
        raise SourceUnavailable(msg) from None


def has_lines(answer: Answer) -> Verdict:
    """Say whether lines stand under the header of a CSV file."""
    lines = answer.data.strip().splitlines()
    return "data" if len([each for each in lines if each[:1] != b"#"]) > 1 else "empty"


def shown(said: object) -> str:
    """Return the beginning of what was said, in quotes."""
    return repr(" ".join(str(said).split())[:_SHOWN])


def since(poll: Poll, names: Iterable[str]) -> date:
    """Return the first date to ask for, of a question that has another name each year.

    Args:
        poll: what is known.
        names: its names, the newest first.
    """
    known = list(names)
    landed = next((name for name in known if name in poll.landed), known[0])
    return poll.since(landed)
