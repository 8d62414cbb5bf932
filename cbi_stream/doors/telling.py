"""What the daemon says in its log of files and waves: each thing once, while it stays so.

It decides nothing; what it says is read by people, and by nothing of ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from cbi_stream.doors.logs import Log
from cbi_stream.doors.receipts import Receipt
from cbi_stream.engine.report import WaveReport

_EVENTS = {
    "archive": "file.taken",
    "quarantine": "file.refused",
    "waiting": "file.held",
}


def _known(receipt: Receipt) -> dict[str, object]:
    """Return what is known of a file; nothing of what is not."""
    every = {
        "file": receipt.file,
        "source": receipt.source,
        # Not `key`: what is called so is hidden as a secret would be.
        "series": receipt.key,
        "table": receipt.table,
        "batch": receipt.batch,
        "lines": receipt.lines,
        "staged": receipt.staged,
        "quarantined": receipt.quarantined,
        "reason": receipt.reason,
        "mend": receipt.mend,
    }
    return {name: value for name, value in every.items() if value is not None}


class Telling:
    """Remembers what was said, so that it is not said at every look."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._waiting: dict[str, tuple[str | None, ...]] = {}
        self._damaged: dict[str, str] = {}
        self._back: dict[str, str] = {}

    def files(self, told: list[Receipt]) -> None:
        """Say where each file ended; of one that waits as it did, nothing."""
        for receipt in told:
            known = (receipt.sha256, receipt.reason)
            if receipt.end != "waiting":
                self._waiting.pop(receipt.file, None)
            elif self._waiting.get(receipt.file) == known:
                continue
            else:
                self._waiting[receipt.file] = known
            say = self.log.info if receipt.taken else self.log.warning
            say(_EVENTS[receipt.end], **_known(receipt))

    def wave(
        self,
        report: WaveReport,
        *,
        seconds: float,
        waits: Mapping[tuple[str, str], float],
    ) -> None:
        """Say what a wave did.

        Args:
            report: of the wave.
            seconds: how long the turn took that it was part of.
            waits: by table and partition that failed: seconds until it is tried again.
        """
        self._damage(report)
        self._held(report)
        for name, table in report.tables.items():
            if table.changed:
                self.log.info(
                    "table.committed",
                    table=name,
                    version=table.version,
                    partitions=table.changed,
                )
            for partition, why in table.failed.items():
                self.log.error(
                    "partition.failed",
                    table=name,
                    partition=partition,
                    reason=why,
                    again_in_s=round(waits[name, partition], 1),
                )
        for effect, why in report.effects.items():
            self.log.error("effect.failed", effect=effect, reason=why)
        if not report.quiet:
            self.log.info(
                "wave.settled", files=len(report.written), seconds=round(seconds, 3)
            )

    def _held(self, report: WaveReport) -> None:
        """Say once that something is held back, and once that it is so no more."""
        now = report.held
        if report.stopped:
            now = {**self._back, **now}  # it has not looked at every table
        for place, why in now.items():
            if self._back.get(place) != why:
                table, _, partition = place.partition("/")
                self.log.warning("gate.failed", table=table, reason=why)
                self.log.warning("partition.held", table=table, partition=partition)
        for place in self._back.keys() - now.keys():
            table, _, partition = place.partition("/")
            self.log.info("partition.released", table=table, partition=partition)
        self._back = now

    def _damage(self, report: WaveReport) -> None:
        """Say once that a table is damaged, or waits for one that is, and once that not."""
        now = {name: t.damaged for name, t in report.tables.items() if t.damaged}
        if report.stopped:
            now = {**self._damaged, **now}  # it has not looked at every table
        for name, why in now.items():
            if self._damaged.get(name) != why:
                self.log.error("table.damaged", table=name, reason=why)
        for name in self._damaged.keys() - now.keys():
            self.log.info("table.mended", table=name)
        self._damaged = now
