"""What "the same content" means: one canonical form and its hash, per partition.

Equality in this project is equality of these hashes. It never looks at file bytes,
row order or chunks: those may differ between equal tables.

polars' own `equals` calls NaN and -0.0 equal to other values, and its row hashes and
IPC bytes change between versions: none of them can be stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import polars as pl

from cbi_stream.registry.contract import Contract
from cbi_stream.words.errors import BrokenContract

DTYPES: Mapping[str, pl.DataType] = {
    "date": pl.Date(),
    "time": pl.Datetime("us", "UTC"),
    "float": pl.Float64(),
    "int": pl.Int64(),
    "bool": pl.Boolean(),
    "string": pl.String(),
}


def schema_of(contract: Contract) -> dict[str, pl.DataType]:
    """Return the polars type of each column, in the contract's order."""
    return {name: DTYPES[col.type] for name, col in contract.columns.items()}


def canonical(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Return the frame in canonical form, or refuse it.

    Columns in the contract's order and types, sorted by key, one chunk, NaN made
    null, -0.0 made 0.0.

    Raises:
        BrokenContract: a column is missing, unknown or of another type; a value is
            infinite; a required value is null; or a key stands twice.
    """
    _same_columns(frame, contract)
    floats = [name for name, col in contract.columns.items() if col.type == "float"]
    if (
        floats
        and frame.select(pl.any_horizontal(pl.col(floats).is_infinite().any())).item()
    ):
        bad = [n for n in floats if frame[n].is_infinite().any()]
        msg = f"{contract.table}: expected finite numbers; found infinity in {bad}"
        raise BrokenContract(msg)
    # Not `+ 0.0`: polars leaves that addition out, and -0.0 with it.
    zero = pl.when(pl.col(floats) == 0.0).then(0.0).otherwise(pl.col(floats))
    out = (
        frame.select(list(contract.columns))
        .with_columns(zero.fill_nan(None).name.keep() if floats else [])
        .sort(contract.key)
        .rechunk()
    )
    _key_and_required(out, contract)
    return out


def _same_columns(frame: pl.DataFrame, contract: Contract) -> None:
    expected = schema_of(contract)
    found = dict(frame.schema)
    if found.keys() != expected.keys():
        msg = (
            f"{contract.table}: expected the columns of its contract; missing "
            f"{sorted(expected.keys() - found.keys())}, not in it "
            f"{sorted(found.keys() - expected.keys())}"
        )
        raise BrokenContract(msg)
    wrong = {n: str(found[n]) for n in expected if found[n] != expected[n]}
    if wrong:
        wanted = {n: str(expected[n]) for n in wrong}
        msg = f"{contract.table}: expected the types {wanted}; found {wrong}"
        raise BrokenContract(msg)


def _key_and_required(frame: pl.DataFrame, contract: Contract) -> None:
    required = [
        name
        for name, col in contract.columns.items()
        if col.required or name in contract.key
    ]
    nulls = [name for name in required if frame[name].null_count()]
    if nulls:
        row = frame.filter(pl.any_horizontal(pl.col(nulls).is_null())).row(
            0, named=True
        )
        msg = f"{contract.table}: expected no null in {nulls}; found one in {row}"
        raise BrokenContract(msg)
    doubled = frame.filter(frame.select(contract.key).is_duplicated())
    if doubled.height:
        msg = (
            f"{contract.table}: expected each {'+'.join(contract.key)} once; found "
            f"twice {doubled.select(contract.key).row(0)}"
        )
        raise BrokenContract(msg)


def digest(frame: pl.DataFrame) -> str:
    """Return the sha256 of a canonical frame's content.

    Over names, types, height, the null bitmap and the values in little-endian, nulls
    as zero; text as byte lengths and UTF-8.
    """
    sha = hashlib.sha256()
    header = [(name, str(dtype)) for name, dtype in frame.schema.items()]
    sha.update(repr((header, frame.height)).encode())
    # All floats go as one block: column by column costs five times as much.
    floats = [name for name, dtype in frame.schema.items() if dtype == pl.Float64]
    if floats and frame.height:
        block = frame.select(floats).fill_null(float("nan")).to_numpy(order="fortran")
        absent = np.isnan(block)
        values = np.where(absent, 0.0, block).astype("<f8")
        sha.update(np.packbits(absent.T).tobytes())
        sha.update(values.tobytes(order="F"))
    rest = [name for name in frame.columns if name not in floats]
    if rest and frame.height:
        _add_columns(sha, frame.select(rest))
    return sha.hexdigest()


def _add_columns(sha: hashlib._Hash, frame: pl.DataFrame) -> None:
    # Each expression over all columns at once: of short frames the calls are the cost.
    absent = frame.select(pl.all().is_null())
    texts = frame.select(pl.col(pl.String).fill_null(""))
    lengths = texts.select(pl.all().str.len_bytes().cast(pl.Int64))
    joined = texts.select(pl.all().str.join(""))
    others = frame.select(pl.exclude(pl.String).to_physical())
    numbers = others.select(pl.all().cast(pl.Int64).fill_null(0))
    for name in frame.columns:
        sha.update(np.packbits(absent[name].to_numpy()).tobytes())
        if name in texts.columns:
            sha.update(lengths[name].to_numpy().astype("<i8").tobytes())
            sha.update(str(joined[name].item()).encode())
        else:
            sha.update(numbers[name].to_numpy().astype("<i8").tobytes())


def root(hashes: Mapping[str, str]) -> str:
    """Return the sha256 over a table's (partition, hash), sorted by partition."""
    lines = [f"{partition} {hashes[partition]}\n" for partition in sorted(hashes)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
