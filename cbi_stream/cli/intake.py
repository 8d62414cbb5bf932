"""What lies in a lake as whole files: those that wait, and those in the quarantine.

It reads names and receipts. It never opens such a file, and moves none.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cbi_stream.doors import landing, receipts
from cbi_stream.lake.lake import Lake


def waiting(lake: Lake) -> list[dict[str, Any]]:
    """Return the files in the landing, each with the reason why it still waits."""
    return [_told(path) for path in landing.waiting(lake)]


def quarantined(lake: Lake) -> list[dict[str, Any]]:
    """Return the files that were turned away whole, each with the reason, by name."""
    folder = lake.folder / "quarantine" / "files"
    if not folder.is_dir():
        return []
    found = [p for p in folder.iterdir() if not receipts.is_passed_over(p.name)]
    return [_told(path) for path in sorted(found, key=lambda p: os.fsencode(p.name))]


def _told(path: Path) -> dict[str, Any]:
    plain = receipts.read(path)
    return {
        "file": receipts.shown(str(plain.get("file") or path.name)),
        "sha256": plain.get("sha256"),
        "reason": plain.get("reason") or "nobody looked at it yet",
        "mend": plain.get("mend"),
        "place": str(path),
    }
