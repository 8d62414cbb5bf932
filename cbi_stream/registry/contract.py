"""A table's contract: its columns, types, units, key and grain. It holds no data.

The contract is what a handler promises and what the lake stores; the engine refuses
an output that differs in a name, an order or a type.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from cbi_stream.registry.features import FeatureRegistry
from cbi_stream.registry.model import Entry
from cbi_stream.words.grain import Grain

ColumnType = Literal["date", "time", "float", "int", "bool", "string"]
"""`time` is an instant in UTC to the microsecond; `float` is a finite double."""


class Column(Entry):
    """One column: its type, what it is, and its unit where it has one."""

    type: ColumnType
    doc: str
    unit: str | None = None
    required: bool = False
    """Whether a null is an error. Key columns are always required."""
    simulate: tuple[str, ...] = ()
    """For text: values that the window probe draws from."""
    simulate_range: tuple[float, float] = (10.0, 60.0)
    """For numbers, and text that holds numbers: the range the probe draws from."""


PROVENANCE = {
    "as_of": Column(type="time", doc="when the file was seen", required=True),
    "stated": Column(type="bool", doc="whether a person stated as_of", required=True),
    "batch": Column(type="int", doc="number of the append, from 1", required=True),
    "sha256": Column(type="string", doc="hash of the archived file", required=True),
    "line": Column(type="int", doc="line of that file, from 1", required=True),
    "first_seen_at": Column(type="time", doc="when this lake saw it", required=True),
    "parser": Column(type="string", doc="fingerprint of the parser", required=True),
}
"""The columns that the lake puts to every line of a file."""

READING = {
    "problem": Column(type="string", doc="why the line cannot be read, rule first"),
    "text": Column(type="string", doc="the line as it stands, where it cannot be read"),
}
"""The columns that every parser fills: null where a line can be read."""


class Contract(Entry):
    """One table of the lake."""

    table: str = Field(pattern=r"^[a-z]+\.[a-z_]+$")
    doc: str
    grain: Grain
    key: tuple[str, ...]
    spine: dict[str, str] = {}
    """Which rows set the table's extent (first to last date); empty means all."""
    spine_requires: str | None = None
    """A column that must not be null for a row to count towards the extent."""
    provenance: bool = False
    """Whether the rows are lines of archived files and say of which."""
    features: bool = False
    """Whether the columns besides those named here are those of feature_registry.json."""
    include: tuple[str, ...] = ()
    """Tables whose non-key columns stand in this one too, in this order."""
    columns: dict[str, Column]

    @property
    def zone(self) -> str:
        """The part of the name before the dot: raw, staging, features, labels."""
        return self.table.partition(".")[0]

    @property
    def is_record(self) -> bool:
        """Whether the table is append-only and never rebuilt."""
        return self.zone == "raw"

    @model_validator(mode="after")
    def _key_columns_exist(self) -> Contract:
        present = set(self.columns)
        if self.provenance:
            present |= PROVENANCE.keys() | READING.keys()
        named = [*self.key, *self.spine, self.spine_requires or "date"]
        missing = [name for name in named if name not in present]
        if missing or "date" not in self.columns or "date" not in self.key:
            msg = (
                f"{self.table}: key and spine name columns of the table and the key "
                f"holds `date`; not there: {missing}"
            )
            raise ValueError(msg)
        return self

    def with_features(self, features: FeatureRegistry) -> Contract:
        """Return the contract with its features as columns."""
        if not self.features:
            return self
        found = {
            each.name: Column(type=each.type, doc=each.doc, unit=each.unit)
            for each in features.of_table(self.table)
        }
        return self.model_copy(update={"columns": self.columns | found})

    def with_included(self, others: dict[str, Contract]) -> Contract:
        """Return the contract with the columns of its included tables put in."""
        columns = {n: self.columns[n] for n in self.key if n in self.columns}
        for table in self.include:
            other = others[table]
            columns |= {n: c for n, c in other.columns.items() if n not in other.key}
        columns |= self.columns
        if self.provenance:
            columns |= READING | PROVENANCE
        return self.model_copy(update={"columns": columns})
