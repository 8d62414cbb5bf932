"""Delta tables that this project did not write: which files make one up.

It reads the log only, and never a file that lies outside the table's own folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from cbi_stream.words.errors import BadInput

_PARTITION = "partition."


def data_files(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Return the files of the newest version, each with the values of its partition.

    Raises:
        BadInput: the log cannot be read, or names a file outside the folder.
    """
    for entry in (folder / "_delta_log").iterdir():
        # A pipe would be waited for without end, and a link leads elsewhere.
        if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
            msg = f"expected regular files in the Delta log; found {entry.name}"
            raise BadInput(msg)
    try:
        table = DeltaTable(folder)
        features = set(table.protocol().reader_features or ())
        rows = pl.DataFrame(table.get_add_actions(flatten=True)).to_dicts()
    except (DeltaError, OSError, ValueError, pl.exceptions.PolarsError) as error:
        msg = f"expected a Delta log that can be read; {error}"
        raise BadInput(msg) from error
    if features & {"deletionVectors", "columnMapping"}:
        msg = f"expected plain Delta; it uses {sorted(features)}: export it as Parquet"
        raise BadInput(msg)
    return [(_inside(folder, str(row["path"])), _values(row)) for row in rows]


def _values(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name.removeprefix(_PARTITION): value
        for name, value in row.items()
        if name.startswith(_PARTITION)
    }


def _inside(folder: Path, written: str) -> Path:
    path = Path(unquote(written))
    whole = folder / path
    outside = not whole.resolve().is_relative_to(folder.resolve())
    if path.is_absolute() or ".." in path.parts or "://" in written or outside:
        msg = f"expected files inside the table's folder; its log names {written}"
        raise BadInput(msg)
    return whole
