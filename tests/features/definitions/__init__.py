"""Every feature in plain Python, written from its formula alone. It knows no kernel.

A definition gets the rows that its window holds, oldest first, as dicts; so a window
that is stated too short in feature_registry.json gives another value. Each module here
holds those of one table, in DEFINITIONS.
"""

from __future__ import annotations

import importlib
import pkgutil

from tests.features.definitions.plain import Definition

DEFINITIONS: dict[str, Definition] = {}
for _found in pkgutil.iter_modules(__path__):
    _module = importlib.import_module(f"{__name__}.{_found.name}")
    DEFINITIONS |= getattr(_module, "DEFINITIONS", {})
