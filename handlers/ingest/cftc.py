"""The four reports of the CFTC, each a source of its own.

Legacy and disaggregated, each of futures only and of futures with options: none is ever
read as another. The header of a legacy text is the same for both kinds, and that of a
disaggregated one too: then the file's name or a person says which, and the lines are
held against it.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import source
from handlers.ingest.cot import DISAGGREGATED, LEGACY
from handlers.ingest.cot_files import (
    header_of,
    is_json,
    is_text,
    is_zip,
    json_rows,
    text_rows,
    zip_rows,
)

_TEXT = {
    LEGACY.name: (header_of(LEGACY),),
    DISAGGREGATED.name: (header_of(DISAGGREGATED),),
}
_JSON = ('[{"cftc_contract_market_code": ..., "open_interest_all": ...}]',)


@source(
    "cftc",
    headers=_TEXT[LEGACY.name],
    recognises=lambda line: is_text(line, LEGACY, "futonly"),
)
def cftc(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the lines of a legacy text of futures only."""
    return text_rows(data, LEGACY, "futonly")


@source(
    "cftc",
    form="json",
    headers=_JSON,
    recognises=lambda head: is_json(head, LEGACY, "futonly"),
)
def cftc_json(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the entries of the portal's legacy answer of futures only."""
    return json_rows(data, LEGACY, "futonly")


@source(
    "cftc",
    form="zip",
    headers=("a yearly zip archive",),
    recognises=lambda name: is_zip(name, LEGACY, "futonly"),
)
def cftc_zip(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the lines of a yearly archive of the legacy report, futures only."""
    return zip_rows(data, LEGACY, "futonly")


@source(
    "cftc_legacy_combined",
    headers=_TEXT[LEGACY.name],
    recognises=lambda line: is_text(line, LEGACY, "combined"),
)
def legacy_combined(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the lines of a legacy text of futures with options."""
    return text_rows(data, LEGACY, "combined")


@source(
    "cftc_legacy_combined",
    form="json",
    headers=_JSON,
    recognises=lambda head: is_json(head, LEGACY, "combined"),
)
def legacy_combined_json(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the entries of the portal's legacy answer of futures with options."""
    return json_rows(data, LEGACY, "combined")


@source(
    "cftc_legacy_combined",
    form="zip",
    headers=("a yearly zip archive",),
    recognises=lambda name: is_zip(name, LEGACY, "combined"),
)
def legacy_combined_zip(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the lines of a yearly archive of the legacy report, futures with options."""
    return zip_rows(data, LEGACY, "combined")


@source(
    "cftc_disaggregated",
    headers=_TEXT[DISAGGREGATED.name],
    recognises=lambda line: is_text(line, DISAGGREGATED, "futonly"),
)
def disaggregated(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the lines of a disaggregated text of futures only."""
    return text_rows(data, DISAGGREGATED, "futonly")


@source(
    "cftc_disaggregated",
    form="json",
    headers=_JSON,
    recognises=lambda head: is_json(head, DISAGGREGATED, "futonly"),
)
def disaggregated_json(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the entries of the portal's disaggregated answer of futures only."""
    return json_rows(data, DISAGGREGATED, "futonly")


@source(
    "cftc_disaggregated",
    form="zip",
    headers=("a yearly zip archive",),
    recognises=lambda name: is_zip(name, DISAGGREGATED, "futonly"),
)
def disaggregated_zip(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the lines of a yearly archive of the disaggregated report, futures only."""
    return zip_rows(data, DISAGGREGATED, "futonly")


@source(
    "cftc_disaggregated_combined",
    headers=_TEXT[DISAGGREGATED.name],
    recognises=lambda line: is_text(line, DISAGGREGATED, "combined"),
)
def disaggregated_combined(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the lines of a disaggregated text of futures with options."""
    return text_rows(data, DISAGGREGATED, "combined")


@source(
    "cftc_disaggregated_combined",
    form="json",
    headers=_JSON,
    recognises=lambda head: is_json(head, DISAGGREGATED, "combined"),
)
def disaggregated_combined_json(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the entries of the portal's disaggregated answer of futures with options."""
    return json_rows(data, DISAGGREGATED, "combined")


@source(
    "cftc_disaggregated_combined",
    form="zip",
    headers=("a yearly zip archive",),
    recognises=lambda name: is_zip(name, DISAGGREGATED, "combined"),
)
def disaggregated_combined_zip(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the lines of a yearly archive of the disaggregated report, futures with options."""
    return zip_rows(data, DISAGGREGATED, "combined")
