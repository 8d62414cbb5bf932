"""How PSD is asked: the bulk zip of oilseeds, without a key.

With a key the world's own figures are asked too, which the zip does not hold. It never
asks for the figures of one country: the zip has them all.
"""

from __future__ import annotations

from collections.abc import Iterator

from cbi_stream import SECRET, Poll, Want, connector
from handlers.ingest.esr_ask import judge

_BULK = "https://apps.fas.usda.gov/psdonline/downloads/psd_oilseeds_csv.zip"
_SERVICE = "https://api.fas.usda.gov/api/psd/commodity"


@connector("psd")
def psd(poll: Poll) -> Iterator[Want]:
    """Ask for the bulk zip, and for the world by commodity and season."""
    yield Want("psd_oilseeds_csv.zip", _BULK, expect="zip")
    if not poll.keyed:
        return
    # A season is projected from May on, before it begins.
    newest = poll.today.year - (poll.today.month < 5)
    for commodity in poll.source.fetch.options["commodities"]:
        for season in range(newest, poll.source.fetch.history_from.year - 1, -1):
            name = f"psd_{commodity}_world_{season}.json"
            if season >= poll.since(name).year:
                yield Want(
                    name=name,
                    url=f"{_SERVICE}/{commodity}/world/year/{season}",
                    headers={"X-Api-Key": SECRET},
                    accept=(200, 401, 403),
                    judge=judge,
                )
