"""What a wave did, table by table: counts, failures and what is held. It decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class TableReport:
    """What a wave did to one table."""

    planned: int = 0
    changed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    set_aside: dict[str, str] = field(default_factory=dict)
    """Partitions that failed too often, or whose next try is not due: why they failed."""
    held: dict[str, str] = field(default_factory=dict)
    """Partitions that a check holds back, whether or not they ran now: why."""
    damaged: str | None = None
    """Why the table cannot be read or written; the others go on."""
    version: int = -1


@dataclass(slots=True)
class Made:
    """What became of all effects."""

    written: list[str] = field(default_factory=list)
    """The names of the files written."""
    failed: dict[str, str] = field(default_factory=dict)
    """By effect why it failed."""
    held: dict[str, str] = field(default_factory=dict)
    """By effect why a check lets it publish nothing."""


@dataclass(slots=True)
class WaveReport:
    """What a wave did."""

    tables: dict[str, TableReport] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    """Files that effects wrote."""
    effects: dict[str, str] = field(default_factory=dict)
    """By effect: why it failed."""
    held_effects: dict[str, str] = field(default_factory=dict)
    """By effect: why a check lets it publish nothing."""
    stopped: bool = False
    """Whether the wave ended early because it was asked to: nothing was published."""

    def take(self, made: Made) -> None:
        """Note what became of the effects."""
        self.written, self.effects = made.written, made.failed
        self.held_effects = made.held

    @property
    def quiet(self) -> bool:
        """Whether no content changed anywhere."""
        return not self.written and not any(t.changed for t in self.tables.values())

    @property
    def held(self) -> dict[str, str]:
        """What a check holds back, by table and partition, or by effect, and why."""
        found = {
            f"{name}/{partition}": why
            for name, table in self.tables.items()
            for partition, why in table.held.items()
        }
        return found | self.held_effects

    @property
    def failed(self) -> dict[str, str]:
        """What went wrong, by table and partition, by damaged table, or by effect."""
        found = {
            f"{name}/{partition}": error
            for name, table in self.tables.items()
            for partition, error in {**table.failed, **table.set_aside}.items()
        }
        damaged = {n: t.damaged for n, t in self.tables.items() if t.damaged}
        return found | damaged | self.effects
