"""Asks a replay server over a real socket, and two toy sites. No host is real."""

from __future__ import annotations

import http.client
from dataclasses import dataclass

from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    in_param,
    json_reply,
    text_reply,
)
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World

KEYED, OPEN = "api.example.org", "files.example.org"
STATISTIC = Statistic("toy", "level", low=1.0, high=9.0, cadence="business")


@dataclass(frozen=True)
class Said:
    """What came back."""

    status: int
    headers: dict[str, str]
    data: bytes

    @property
    def text(self) -> str:
        """The answer as text."""
        return self.data.decode()


def ask(replay, target, *, method="GET", headers=None, body=None, patience=20):
    """Ask one question on a connection of its own and return what was said."""
    line = http.client.HTTPConnection(replay.base[7:], timeout=patience)
    try:
        line.request(method, f"/{target}", body=body, headers=headers or {})
        answer = line.getresponse()
        data = answer.read()
        return Said(answer.status, dict(answer.getheaders()), data)
    finally:
        line.close()


def rows_of(world: World):
    """Return what the toy source has observed this year."""
    first = world.today.replace(month=1, day=1)
    return world.observations(STATISTIC, first=first, last=world.today)


def _rows(question: Question, world: World) -> Reply:
    if question.path == "/breaks":
        raise LookupError(question.path)
    rows = [{"date": str(day), "value": value} for day, value in rows_of(world)]
    return json_reply({"count": len(rows), "data": rows})


def _table(question: Question, world: World) -> Reply:
    rows = [f"{day},{value}" for day, value in rows_of(world)]
    lines = "\n".join(["date,value", *rows, ""])
    return text_reply(lines, content_type="text/csv")


SITES = {
    KEYED: Site(
        hosts=(KEYED,),
        answer=_rows,
        empty=lambda _: json_reply({"count": 0, "data": []}),
        too_many=lambda _: json_reply({"error": "slow down"}, status=429),
        bad_key=lambda q: json_reply({"error": f"key {q.param('key')!r}"}, status=403),
        key_in=in_param("key"),
        keyless=False,
    ),
    OPEN: Site(
        hosts=(OPEN,),
        answer=_table,
        empty=lambda _: text_reply("No data\n"),
        too_many=lambda _: text_reply("Too Many Requests", status=429),
    ),
}
