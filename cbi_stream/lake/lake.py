"""A lake: one folder with its tables, archive, landing and published pointer.

It hands out tables and says which versions readers see. It never runs a handler.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cbi_stream.lake import durable
from cbi_stream.lake.archive import Archive
from cbi_stream.lake.table import Table
from cbi_stream.registry.loader import Registry
from cbi_stream.words.errors import DamagedLake, WrongUsage

Kind = Literal["real", "simulated"]


@dataclass(frozen=True, slots=True)
class Seen:
    """The version of a table that readers see, and the hash of its content."""

    version: int
    root: str


class Lake:
    """The tables under one folder.

    A shadow lake (for a proof) reads the records of another lake and has derived
    tables of its own.
    """

    def __init__(
        self, folder: Path, registry: Registry, *, records: Lake | None = None
    ) -> None:
        self.folder = folder
        self.registry = registry
        self._records = records
        self._tables: dict[str, Table] = {}
        self.refused: dict[str, str] = {}
        """Tables that a check found damaged: nothing reads or writes them, and why."""
        self.id, self.kind = self._identity()
        durable.stands_at(folder, folder / "lake.json")

    @classmethod
    def create(cls, folder: Path, registry: Registry, *, kind: Kind) -> Lake:
        """Make an empty lake.

        Raises:
            WrongUsage: a lake, or anything else, already stands there.
        """
        if folder.exists() and any(folder.iterdir()):
            msg = f"expected an empty or absent folder; {folder} is not empty"
            raise WrongUsage(msg)
        durable.stands_at(folder, None)
        identity = {"id": uuid.uuid4().hex, "kind": kind}
        durable.write(folder / "lake.json", json.dumps(identity).encode())
        durable.make_folder(folder / "landing")
        return cls(folder, registry)

    def shadow(self, folder: Path) -> Lake:
        """Return an empty lake in `folder` that shares this one's records."""
        durable.write(folder / "lake.json", (self.folder / "lake.json").read_bytes())
        return Lake(folder, self.registry, records=self)

    @property
    def rebuilds(self) -> Lake | None:
        """The lake that this one rebuilds beside it; None where it is one of its own."""
        return self._records

    @property
    def archive(self) -> Archive:
        """The original bytes."""
        return Archive((self._records or self).folder / "archive")

    @property
    def work(self) -> Path:
        """Where this process puts unfinished files."""
        return self.folder / ".work" / str(os.getpid())

    def sweep(self) -> None:
        """Remove unfinished files of processes that ended. Call it under the lock."""
        for folder in (self.folder / ".work").glob("*"):
            if not (folder.name.isdigit() and durable.is_alive(int(folder.name))):
                shutil.rmtree(folder)
        for folder in self.folder.glob(".proof-*"):
            shutil.rmtree(folder)

    def table(self, name: str) -> Table:
        """Return a table by its name, `zone.name`.

        Raises:
            WrongUsage: no contract has that name.
        """
        if name not in self._tables:
            contract = self.registry.contracts.get(name)
            if contract is None:
                known = ", ".join(sorted(self.registry.contracts))
                msg = f"expected one of the tables {known}; found {name!r}"
                raise WrongUsage(msg)
            if self._records is not None and contract.is_record:
                return self._records.table(name)
            zone, _, last = name.partition(".")
            self._tables[name] = Table(self.folder / zone / last, contract)
        return self._tables[name]

    def published(self) -> dict[str, Seen]:
        """Return the versions that readers see: those of the last settled wave.

        Raises:
            DamagedLake: the pointer cannot be read; a run writes it anew.
        """
        path = self.folder / "current.json"
        try:
            tables = json.loads(path.read_bytes())["tables"]
            return {t: Seen(v["version"], v["root"]) for t, v in tables.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            msg = f"{path}: expected the published versions; {error!r}: take it away, and run"
            raise DamagedLake(msg) from error

    def publish(self, tables: Mapping[str, Seen]) -> None:
        """Make readers see these versions, all at once."""
        plain = {t: {"version": s.version, "root": s.root} for t, s in tables.items()}
        text = json.dumps(
            {"lake": self.id, "kind": self.kind, "tables": plain}, indent=1
        )
        if self.published() != dict(tables):
            durable.write(self.folder / "current.json", text.encode())

    def _identity(self) -> tuple[str, Kind]:
        path = self.folder / "lake.json"
        try:
            plain = json.loads(path.read_bytes())
            kinds: dict[str, Kind] = {"real": "real", "simulated": "simulated"}
            return str(plain["id"]), kinds[plain["kind"]]
        except FileNotFoundError:
            msg = f"no lake at {self.folder}: make one with `cbi init`, or say --lake"
            raise WrongUsage(msg) from None
        except (ValueError, KeyError, TypeError) as error:
            msg = f"{path}: expected the lake's id and kind; {error!r}"
            raise DamagedLake(msg) from error
