"""How the EPA is asked for RINs generated: its page first, then the newest file on it.

Prices stand in an application that no plain question reaches: they are never asked for,
a person exports them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from cbi_stream import Answer, Poll, SourceRefused, Want, connector

_PAGE = (
    "https://www.epa.gov/fuels-registration-reporting-and-compliance-help/"
    "spreadsheet-rin-generation-and-renewable-fuel-volume-production-month"
)
_LINK = re.compile(
    r'href="(?:https://www\.epa\.gov)?(/system/files/[^"]*?/(rindata_([a-z]{3})[a-z]*'
    r'(\d{4})\.csv))"',
    re.I,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun",
           "jul", "aug", "sep", "oct", "nov", "dec")  # fmt: skip
_HEADER = r".*FUEL_CODE.*"


@connector("epa_rin")
def epa_rin(_poll: Poll) -> Iterator[Want]:
    """Ask for the page, and follow the link to the newest month."""
    yield Want(
        "rin_generation_page",
        _PAGE,
        expect="page",
        judge=_judged,
        follow=_newest,
        lands=False,
    )


def _links(answer: Answer) -> list[tuple[tuple[int, int], str, str]]:
    """Return (year and month of the file's name, path, name) of each file on the page.

    The folder's month is that of the upload: a mended file of an old month stands in a
    young folder.
    """
    text = answer.data.decode("utf-8", errors="replace")
    return [
        ((int(year), _MONTHS.index(month.lower()) + 1), path, name)
        for path, name, month, year in _LINK.findall(text)
        if month.lower() in _MONTHS
    ]


def _judged(answer: Answer) -> Literal["data", "empty"]:
    if not _links(answer):
        msg = (
            "epa_rin: expected a link to rindata_<month><year>.csv on the EPA's page of RINs "
            "generated; found none: look where the file went, and hand it in by hand"
        )
        raise SourceRefused(msg)
    return "data"


def _newest(answer: Answer) -> Iterator[Want]:
    _, path, name = max(_links(answer))
    url = f"https://www.epa.gov{path}"
    yield Want(name, url, expect="text", header=_HEADER, judge=_has_months)


def _has_months(answer: Answer) -> Literal["data", "empty"]:
    lines = [line for line in answer.data.split(b"\n") if line.strip(b" \r")]
    return "data" if len(lines) > 1 else "empty"
