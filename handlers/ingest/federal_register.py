"""Documents of the Federal Register as events, one answer per topic and page.

A document counts as known from the hour of its edition. A correction is a document of
its own: it never changes the one that it corrects.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.happened import Happenings
from handlers.ingest.observed import day_in, instant
from handlers.ingest.packed import json_of

_EDITION, _ZONE = "08:45", "America/New_York"
NEEDED = ("document_number", "publication_date", "title", "type", "html_url")
FIELDS = (*NEEDED, "action", "effective_on", "correction_of")
"""What is asked of each document; without asking, the last three are not told."""
_KNOWN = {
    *FIELDS, "abstract", "agencies", "citation", "comments_close_on", "corrections",
    "dates", "docket_ids", "end_page", "excerpts", "executive_order_number", "json_url",
    "pdf_url", "public_inspection_pdf_url", "raw_text_url", "significant",
    "signing_date", "start_page", "topics",
}  # fmt: skip


def _is_an_answer(head: str) -> bool:
    return '"publication_date"' in head and '"document_number"' in head


@source(
    "federal_register",
    form="json",
    headers=('{"count":..,"results":[{"document_number":..',),
    recognises=_is_an_answer,
)
def federal_register(data: bytes, topic: str | None) -> pl.DataFrame:
    """Return one event per document.

    Raises:
        BadInput: it is no answer with documents, or a field was renamed.
    """
    said = json_of(data)
    documents = said.get("results") if isinstance(said, dict) else None
    if not isinstance(documents, list) or not all(
        isinstance(each, dict) for each in documents
    ):
        held = ", ".join(said) if isinstance(said, dict) else type(said).__name__
        msg = f"expected a list of documents under results; found {held}"
        raise BadInput(msg)
    if documents:
        _has_its_fields(documents)
    found = Happenings()
    for number, document in enumerate(documents, start=1):
        _add(found, document, topic or "", number)
    return found.frame(expected="documents of the Federal Register")


def _has_its_fields(documents: list[dict[str, Any]]) -> None:
    """Refuse an answer of which no document has a field: it was renamed.

    Raises:
        BadInput: names the field.
    """
    held = {name for each in documents for name in each}
    missing = [name for name in NEEDED if name not in held]
    # A field that was not asked for is absent; one that was renamed has another name.
    if held - _KNOWN:
        missing = [name for name in FIELDS if name not in held]
    if missing:
        msg = (
            f"expected {', '.join(missing)} in the documents; found "
            f"{', '.join(sorted(held))}"
        )
        raise BadInput(msg)


def _add(found: Happenings, document: dict[str, Any], topic: str, number: int) -> None:
    name, said = document.get("document_number"), document.get("publication_date")
    day = day_in(said)
    if not name or day is None:
        problem = (
            "date: expected a document_number and a publication_date like 2024-09-18; "
            f"found {name!r} and {said!r}"
        )
        found.unreadable(document, problem, line=number)
        return
    found.add(
        str(name),
        topic,
        day=day,
        stamp=instant(day, _EDITION, _ZONE),
        line=number,
        cells=_cells(document),
    )


def _cells(document: dict[str, Any]) -> dict[str, str | None]:
    """Return what is said of a document; its type with what it does."""
    said = [document.get("type"), document.get("action")]
    corrected = document.get("correction_of")
    told = {
        "effective_on": document.get("effective_on"),
        "kind": "document",
        "form": ": ".join(str(each) for each in said if each) or None,
        "jurisdiction": "us",
        "summary": document.get("title"),
        "citation": document.get("html_url") or document.get("document_number"),
        # It is the address of the document in the same service.
        "corrects": str(corrected).rpartition("/")[2] if corrected else None,
    }
    return {name: str(cell) if cell else None for name, cell in told.items()}
