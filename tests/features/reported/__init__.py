"""Families that read reports themselves, not the panel: simulated reports, plain walks.

Each module here holds one family: its table, frames to compute it from, and what plain
Python says of a session. It never asks a kernel, and nothing is stored.
"""

from __future__ import annotations

from tests.features.reported import china, positioning, supply

FAMILIES = {module.TABLE: module for module in (positioning, supply, china)}
