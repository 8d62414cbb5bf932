"""One table on disk: a plain Delta table that any Delta reader opens.

The one door to delta-rs. It reads pinned versions through the partition map, checks
every file against the hash that was written, and knows no handler.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

import polars as pl
from deltalake import (
    CommitProperties,
    DeltaTable,
    Field,
    PostCommitHookProperties,
    Schema,
    Transaction,
)
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction

from cbi_stream.lake import durable, log
from cbi_stream.lake.canonical import schema_of
from cbi_stream.lake.map_text import map_of, text_of
from cbi_stream.lake.partition_map import Partition, PartitionMap, StoredFile
from cbi_stream.registry.contract import Contract
from cbi_stream.words.errors import (
    BadRegistry,
    BrokenContract,
    CommitConflict,
    DamagedLake,
)

_APP = "cbi"
_NO_HOOKS = PostCommitHookProperties(
    create_checkpoint=False, cleanup_expired_logs=False
)
_DELTA_TYPES = {
    "date": "date",
    "time": "timestamp",
    "float": "double",
    "int": "long",
    "bool": "boolean",
    "string": "string",
}
TORN = "_torn"
"""The folder of a table where what a power cut tore is kept."""
_CACHED_BYTES, _MOST_FRAMES = 512 * 1024 * 1024, 4096


class Table:
    """A table of the lake, at whatever version it is asked for."""

    def __init__(self, folder: Path, contract: Contract) -> None:
        self.folder = folder
        self.contract = contract
        self._handle: DeltaTable | None = None
        self._files: OrderedDict[str, pl.DataFrame] = OrderedDict()
        self._cached_bytes = 0

    def head(self) -> tuple[int, PartitionMap]:
        """Return the newest version and its map; (-1, empty) before the first one.

        Content that was written under other columns counts as none: it is computed
        anew.

        Raises:
            BadRegistry: the contract of a record changed; records are never rebuilt.
        """
        version = log.newest_version(self.folder)
        if version is None:
            return -1, PartitionMap({})
        current = log.map_at(self.folder, version)
        if current.shape in ("", self.shape):
            return version, current
        if self.contract.is_record:
            msg = (
                f"tables/{self.contract.table}.yaml: the columns of a record changed; its "
                "stored lines are never rewritten. Put the columns back, or start a new "
                "table and take the archived files in again"
            )
            raise BadRegistry(msg)
        return version, PartitionMap({})

    @property
    def shape(self) -> str:
        """Names and types of the contract's columns, as one hash."""
        text = repr([(n, str(t)) for n, t in schema_of(self.contract).items()])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def read(self, partitions: Iterable[Partition]) -> pl.DataFrame:
        """Return the rows of these partitions, in no promised order.

        Raises:
            DamagedLake: a file is missing or is not the file that was written.
        """
        frames = [self._file(f) for p in partitions for f in p.files]
        if not frames:
            return pl.DataFrame(schema=schema_of(self.contract))
        return pl.concat(frames, rechunk=True)

    def intact(self, partition: Partition) -> bool:
        """Return whether the files of a partition hold the bytes that were written."""
        for stored in partition.files:
            path = self.folder / stored.path
            if not path.exists() or _sha256(path.read_bytes()) != stored.sha256:
                return False
        return True

    def _file(self, stored: StoredFile) -> pl.DataFrame:
        if stored.sha256 in self._files:
            self._files.move_to_end(stored.sha256)
            return self._files[stored.sha256]
        path = self.folder / stored.path
        try:
            data = path.read_bytes()
        except OSError as error:
            msg = f"{path}: expected the file that the log names; {error}"
            raise DamagedLake(msg) from error
        if _sha256(data) != stored.sha256:
            msg = (
                f"{path}: its bytes are not those that were written (sha256 differs). "
                "Nothing read it; `cbi prove` names the cells"
            )
            raise DamagedLake(msg)
        frame = pl.read_parquet(io.BytesIO(data))
        if frame.columns != list(self.contract.columns):
            msg = (
                f"{path}: written under another contract than tables/"
                f"{self.contract.table}.yaml: `cbi run --until-idle` computes it anew"
            )
            raise BrokenContract(msg)
        self._files[stored.sha256] = frame
        self._cached_bytes += _held(frame)
        while self._cached_bytes > _CACHED_BYTES and len(self._files) > 1:
            _, oldest = self._files.popitem(last=False)
            self._cached_bytes -= _held(oldest)
        return frame

    def open(self) -> DeltaTable:
        """Return the warm handle at the newest version, making the table if needed.

        A derived table whose contract changed is emptied first; `head` has planned
        every partition of it.

        Raises:
            DamagedLake: the log cannot be read.
        """
        try:
            if self._handle is None:
                exists = log.newest_version(self.folder) is not None
                self._handle = self._existing() if exists else self._create("error")
            if self._handle.version() != log.newest_version(self.folder):
                self._handle.update_incremental()
        except DeltaError as error:
            self.forget()
            msg = f"{self.folder}: expected a Delta log that can be read; {error}"
            raise DamagedLake(msg) from error
        if self._handle.schema() != self._schema():
            self._handle = self._create("overwrite")
        return self._handle

    def checkpoint(self) -> None:
        """Write the state of the log into one file, so that opening it stays quick."""
        (handle := self.open()).create_checkpoint()
        # The older ones were synced in their turn: a long log has hundreds of them.
        for name in (f"{handle.version():020d}.checkpoint.parquet", "_last_checkpoint"):
            durable.sync(self.folder / "_delta_log" / name)
        self.forget()  # a handle carries every commit since it was opened

    def _set_checkpoints_aside(self) -> None:
        """Move checkpoints out of the way: every commit is kept, so nothing is lost."""
        for path in (self.folder / "_delta_log").glob("*checkpoint*"):
            durable.set_aside(path, self.folder / TORN)

    def forget(self) -> None:
        """Drop the warm handle, so that the next use re-reads the log."""
        self._handle = None

    def _existing(self) -> DeltaTable:
        try:
            return DeltaTable(self.folder)
        except DeltaError:
            # A checkpoint that a power cut tore makes the whole table unreadable.
            self._set_checkpoints_aside()
            return DeltaTable(self.folder)

    def _create(self, mode: str) -> DeltaTable:
        # Statistics on the key alone: on 450 columns they cost more than the data.
        return DeltaTable.create(
            self.folder,
            schema=self._schema(),
            mode=mode,  # type: ignore[arg-type]
            partition_by=[self.contract.grain.value],
            configuration={"delta.dataSkippingStatsColumns": "date"},
            post_commithook_properties=_NO_HOOKS,
        )

    def _schema(self) -> Schema:
        fields = [
            Field(name, PrimitiveType(_DELTA_TYPES[col.type]), nullable=True)
            for name, col in self.contract.columns.items()
        ]
        grain = Field(
            self.contract.grain.value, PrimitiveType("integer"), nullable=True
        )
        return Schema([*fields, grain])

    def transact(
        self,
        added: dict[str, list[StoredFile]],
        *,
        replaced: bool,
        written: PartitionMap,
    ) -> int:
        """Put one commit into the log and return its version. Not yet durable.

        Raises:
            CommitConflict: another writer committed since the handle was read.
            OSError: the disk refused, and the commit is not in the log.
        """
        handle = self._handle or self.open()
        last = handle.transaction_version(_APP)
        column = self.contract.grain.value
        text = text_of(written)
        try:
            handle.create_write_transaction(
                [self._add(p, f) for p, files in added.items() for f in files],
                mode="overwrite" if replaced else "append",
                schema=handle.schema(),
                partition_by=[column],
                partition_filters=[(column, "in", list(added))] if replaced else None,
                commit_properties=CommitProperties(
                    custom_metadata={log.MAP_KEY: text},
                    app_transactions=[
                        Transaction(_APP, 0 if last is None else last + 1)
                    ],
                    max_commit_retries=0,
                ),
                post_commithook_properties=_NO_HOOKS,
            )
        except (DeltaError, OSError) as error:
            # An error does not mean "not written": look before judging.
            if not self._landed(text):
                if isinstance(error, CommitFailedError):
                    msg = f"{self.folder}: another writer committed first ({error})"
                    raise CommitConflict(msg) from error
                raise durable.numbered(error, self.folder) from None
            return self.open().version()
        version = log.newest_version(self.folder)
        assert version is not None, "a commit was just written"
        return version

    def _landed(self, text: str) -> bool:
        version = log.newest_version(self.folder)
        self.forget()
        return version is not None and log.map_at(self.folder, version) == map_of(text)

    def _add(self, partition: str, stored: StoredFile) -> AddAction:
        return AddAction(
            path=stored.path,
            size=stored.size,
            partition_values={self.contract.grain.value: partition},
            modification_time=int(time.time() * 1000),
            data_change=True,
            stats=None,  # type: ignore[arg-type]
        )


def _held(frame: pl.DataFrame) -> int:
    return max(int(frame.estimated_size()), _CACHED_BYTES // _MOST_FRAMES)


def write_parquet(frame: pl.DataFrame, path: Path) -> StoredFile:
    """Write a frame with the lake's fixed properties; equal frames give equal bytes.

    Returns:
        The file under its own name; the caller decides where it belongs.
    """
    durable.make_folder(path.parent)
    buffer = io.BytesIO()
    frame.write_parquet(
        buffer, compression="zstd", compression_level=1, statistics=False
    )
    data = buffer.getvalue()
    path.write_bytes(data)
    durable.sync(path)
    return StoredFile(path.name, _sha256(data), len(data))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
