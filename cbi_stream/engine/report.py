"""What a wave did, table by table: counts and failures. It decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class TableReport:
    """What a wave did to one table."""

    planned: int = 0
    changed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    version: int = -1


@dataclass(slots=True)
class WaveReport:
    """What a wave did."""

    tables: dict[str, TableReport] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    """Files that effects wrote."""
    effects: dict[str, str] = field(default_factory=dict)
    """By effect: why it failed."""

    @property
    def quiet(self) -> bool:
        """Whether no content changed anywhere."""
        return not self.written and not any(t.changed for t in self.tables.values())

    @property
    def failed(self) -> dict[str, str]:
        """What went wrong, by table and partition, or by effect."""
        return {
            f"{name}/{partition}": error
            for name, table in self.tables.items()
            for partition, error in table.failed.items()
        } | self.effects
