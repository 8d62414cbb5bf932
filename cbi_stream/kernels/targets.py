"""Which series and symbols an entry of rules.yaml is about. It judges none of them.

An entry is held against each name once and not against each series: of thousands of
series few names are patterns, and few words are said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

WORDS = ("shapes", "sources", "symbols", "series", "kinds", "units")
"""The words by which an entry says what it is about."""
Facts: TypeAlias = Mapping[str, tuple[str, ...]]
"""What is known of a series or symbol: its names by these words."""
Bits: TypeAlias = int
"""A set of series and symbols: bit i stands for the i-th of them."""
_WILD = re.compile(r"[*?\[]")


@dataclass(slots=True)
class Targets:
    """Series and symbols, and the names by which entries may mean them."""

    facts: Sequence[Facts]
    having: dict[str, dict[str, Bits]] = field(init=False)
    """By word and name, which of them have it."""
    _asked: dict[tuple[str, str], Bits] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Gather who has each name."""
        places: dict[str, dict[str, list[int]]] = {word: {} for word in WORDS}
        for i, one in enumerate(self.facts):
            for word, found in places.items():
                for name in one[word]:
                    found.setdefault(name, []).append(i)
        self.having = {
            word: {name: _bits(where) for name, where in found.items()}
            for word, found in places.items()
        }

    def about(self, on: Any) -> Bits:
        """Return those that fit every word of an entry's `on`; all, where it says none."""
        found = (1 << len(self.facts)) - 1
        for word in WORDS:
            if patterns := getattr(on, word):
                fit = 0
                for pattern in patterns:
                    fit |= self.called(word, pattern)
                found &= fit
        return found

    def called(self, word: str, pattern: str) -> Bits:
        """Return those of which one name fits a pattern; `*` is a wildcard."""
        if not _WILD.search(pattern):
            return self.having[word].get(pattern, 0)
        asked = self._asked.get((word, pattern))
        if asked is None:
            asked = 0
            for name, bits in self.having[word].items():
                if fnmatchcase(name, pattern):
                    asked |= bits
            self._asked[word, pattern] = asked
        return asked


def _bits(places: Sequence[int]) -> Bits:
    """Return the set of these places, which are in order."""
    row = bytearray(places[-1] // 8 + 1)
    for i in places:
        row[i // 8] |= 1 << i % 8
    return int.from_bytes(row, "little")
