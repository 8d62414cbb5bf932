"""The log: an event's name and the values beside it, one JSON line each.

The one door to structlog. It never raises into its caller and never writes a secret.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from enum import Enum
from itertools import islice
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote, quote_plus

import structlog

from cbi_stream.doors import tailing
from cbi_stream.words import clock

_ENDS = "ed|set|put|cut|run|read|kept|left|lost|held|sent|built|found|done|made|seen"
EVENT = re.compile(rf"[a-z][a-z0-9_]*\.[a-z]*({_ENDS}|taken|given|written)(_[a-z]+)*")
_LONGEST_TEXT, _MOST_ITEMS, _DEEPEST = 2000, 50, 6
_MOST_ALIKE, _MOST_KINDS, _ALIKE_WITHIN = 5, 1000, timedelta(minutes=1)
_REDACTED = "[redacted]"
_SECRET = re.compile(
    r"(?i)token|passw|secret|authoriz|cookie|credential|(api|access|private).?key"
    r"|(?<![a-z])keys?(?![a-z])"
)
_NAMED = r"(?<![\w-])[\w-]*(token|passw\w*|secret|api.?key)"
_UP_TO = r"[^\s\"'<>"
_SPOKEN = (
    (
        rf"(?<![\w+.-])([a-z][\w+.-]*://)({_UP_TO}/@]*@)?({_UP_TO}?#]*)([?#]{_UP_TO}]*)?",
        r"\1\3",
    ),
    (rf"([?&][\w.%-]+=|key=[\"']?){_UP_TO}&]*", rf"\1{_REDACTED}"),
    (r"((authorization|cookie)[\"']?\s*[=:]).*", rf"\1 {_REDACTED}"),
    (r"\b(bearer)\s+\S+", rf"\1 {_REDACTED}"),
    (rf"({_NAMED}[\"']?\s*[=:]\s*[\"']?){_UP_TO},;&)]+", rf"\1{_REDACTED}"),
)
_SPOKEN_SECRETS = [(re.compile(spoken, re.I), instead) for spoken, instead in _SPOKEN]
_hidden: list[str] = []  # longest first


class Log:
    """Takes events; with no place to write to, it takes them in silence."""

    def __init__(self, bound: Any, sink: _Sink | None, *, strict: bool) -> None:
        self._bound = bound
        self._sink = sink
        self._strict = strict

    def debug(self, event: str, /, **values: object) -> None:
        """Say what only helps to find a fault."""
        self._say("debug", event, values)

    def info(self, event: str, /, **values: object) -> None:
        """Say what was done."""
        self._say("info", event, values)

    def warning(self, event: str, /, **values: object) -> None:
        """Say what a person may want to look at."""
        self._say("warning", event, values)

    def error(self, event: str, /, **values: object) -> None:
        """Say what failed; the exception goes into the value `error`."""
        self._say("error", event, values)

    def bind(self, **values: object) -> Log:
        """Return a log that says these values with every event."""
        bound = self._bound and self._bound.bind(**_renamed(values))
        return Log(bound, self._sink, strict=self._strict)

    def close(self) -> None:
        """Write the counts that are still open; a later event opens the file again."""
        if self._sink:
            self._sink.close()

    def _say(self, level: str, event: str, values: Mapping[str, object]) -> None:
        if self._strict and not EVENT.fullmatch(event):
            msg = f"expected an event named noun.past_participle; found {event!r}"
            raise ValueError(msg)
        if self._sink:
            try:
                getattr(self._bound, level)(event, **_renamed(values))
            except Exception:  # noqa: BLE001 - no line is worth what it tells of
                self._sink.dropped += 1


def open_log(
    lake_folder: Path,
    *,
    to_stderr: bool,
    level: str = "info",
    most_bytes: int = 20_000_000,
    keep: int = 5,
    strict: bool = False,
) -> Log:
    """Return the log of an existing lake; other processes may write to it too.

    `to_stderr` shows the lines there as well, where that is a terminal. `strict`
    raises ValueError where an event is not named noun.past_participle.
    """
    path = lake_folder / "logs" / tailing.NAME
    files = tailing.Appender(path, most_bytes=most_bytes, keep=keep)
    sink = _Sink(files, to_stderr=to_stderr and sys.stderr.isatty())
    bound = structlog.wrap_logger(
        sink,
        processors=[_in_order, sink.limit, lambda _, __, fields: ((fields,), {})],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    return Log(bound.bind(), sink, strict=strict)


def silent(*, strict: bool = False) -> Log:
    """Return a log that writes nothing; `strict` refuses wrong names all the same."""
    return Log(None, None, strict=strict)


def _renamed(values: Mapping[str, object]) -> dict[str, object]:
    """Give way to the names that every line has, and to structlog's own arguments."""
    taken = {*tailing.FIRST, "self", "method_name"}
    return {f"{k}_" if k in taken else k: v for k, v in values.items()}


def _in_order(_: object, level: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a line: the time first, every value plain and safe."""
    values = dict(fields)
    event = scrubbed(str(values.pop("event")))
    at = clock.now().isoformat(timespec="microseconds")
    return {"at": at, "level": level, "event": event, **_mapping(values, 0)}


class _Sink:
    """Writes lines, counts those that a full disk took, and cuts repeated errors."""

    def __init__(self, files: tailing.Appender, *, to_stderr: bool) -> None:
        self.dropped = 0
        self._files = files
        self._to_stderr = to_stderr
        self._alike: dict[str, tuple[datetime, dict[str, Any]]] = {}
        # A signal's handler may log while its own thread does.
        self._lock = threading.RLock()

    def limit(self, _: object, level: str, fields: Any) -> Any:
        """Let the same error through five times a minute, then count it."""
        about = _sameness(level, fields)
        with self._lock:
            now = clock.now()
            self._tell_counts(now)
            if about is not None:
                told = {k: fields[k] for k in tailing.BOUND if k in fields}
                told |= {"event": "error.repeated", "of": fields["event"]}
                told["count"] = -_MOST_ALIKE
                _, told = self._alike.setdefault(about, (now, told))
                told["count"] += 1
                if told["count"] > 0:
                    raise structlog.DropEvent
        return fields

    def write(self, fields: dict[str, Any]) -> None:
        """Write one line, and before it how many were dropped."""
        with self._lock:
            told = {"event": "lines.dropped", "count": self.dropped}
            if self.dropped and self._files.append(_in_order(None, "warning", told)):
                self.dropped = 0
            if not self._files.append(fields):
                self.dropped += 1
            if self._to_stderr:
                # A terminal that is gone takes no lines, and that is all right.
                with suppress(OSError, ValueError):
                    colour = tailing.has_colour(sys.stderr)
                    sys.stderr.write(tailing.shown(fields, colour=colour) + "\n")

    debug = info = warning = error = write

    def close(self) -> None:
        """Tell all counts, and close the file."""
        with self._lock:
            self._tell_counts(None)
            self._files.close()

    def _tell_counts(self, now: datetime | None) -> None:
        """Tell how many errors were cut in minutes that ended; without `now`, in all."""
        while self._alike:
            # They stand in the order of time. A clock set back ends a minute, too.
            about, (since, told) = next(iter(self._alike.items()))
            is_open = now is not None and timedelta() <= now - since < _ALIKE_WITHIN
            if is_open and len(self._alike) <= _MOST_KINDS:
                break
            del self._alike[about]
            if told["count"] > 0:
                self.write(_in_order(None, "warning", told))


def _sameness(level: str, fields: dict[str, Any]) -> str | None:
    """Return what the same error would have in common, nothing for other lines."""
    error = fields.get("error")
    if error is None and level == "error":
        error = {k: v for k, v in fields.items() if k != "at"}
    if isinstance(error, dict):
        error = {k: v for k, v in error.items() if k not in {"trace", "lines"}}
    return None if error is None else json.dumps([fields["event"], error])


def hide(value: str) -> None:
    """Keep a secret out of every log of this process, quoted or escaped as well."""
    forms = {value, repr(value)[1:-1], json.dumps(value)[1:-1]}
    forms |= {quote(value, safe=""), quote_plus(value)}
    _hidden[:] = sorted({*_hidden, *forms} - {""}, key=len, reverse=True)


def scrubbed(text: str) -> str:
    """Return a text without secrets, at most 2,000 characters of it."""
    for secret in tuple(_hidden):
        # A short one would stand in half of all words by chance.
        if len(secret) >= 4 or secret == text:
            text = text.replace(secret, _REDACTED)
    long, text = len(text), text[: 10 * _LONGEST_TEXT]
    for pattern, instead in () if text.isidentifier() else _SPOKEN_SECRETS:
        text = pattern.sub(instead, text)
    return text if long <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}... of {long}"


def _plain(value: Any, depth: int) -> Any:
    """Return any value as one that JSON knows."""
    try:
        for kinds, show in _KINDS:
            if isinstance(value, kinds) and depth <= _DEEPEST:
                return show(value, depth)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            shown = [f.name for f in dataclasses.fields(value) if f.repr]
            return _plain({name: getattr(value, name) for name in shown}, depth)
        if getattr(value, "shape", None) == ():  # a number of numpy's
            return _plain(value.item(), depth + 1)
        return scrubbed(repr(value)) if depth <= _DEEPEST else "..."
    except Exception:  # noqa: BLE001 - what a stranger's __repr__ does is its own affair
        return f"<{type(value).__name__}>"


def _number(value: float, _: int) -> Any:
    if not abs(value) < 1 << 63 or str(value) in _hidden:  # nan is not below
        return scrubbed(str(value))
    return int(value) if isinstance(value, int) else float(value)


def _mapping(values: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    names = {scrubbed(str(k)): k for k in islice(values, _MOST_ITEMS)}
    told = {
        n: _REDACTED if _SECRET.search(n) else _plain(values[k], depth + 1)
        for n, k in names.items()
    }
    more = len(values) - _MOST_ITEMS
    return told | ({"...": f"{more} more"} if more > 0 else {})


def _sequence(values: Any, depth: int) -> list[Any]:
    ordered = sorted(values, key=repr) if isinstance(values, Set) else values
    if len(ordered) == 2 and _SECRET.search(str(ordered[0])):
        return [scrubbed(str(ordered[0])), _REDACTED]  # a header, and the like
    told = [_plain(each, depth + 1) for each in ordered[:_MOST_ITEMS]]
    more = len(values) - _MOST_ITEMS
    return told + ([f"... {more} more"] if more > 0 else [])


def _error(error: BaseException, depth: int) -> dict[str, Any]:
    """Return an error: what it says, a hash of the way it came, and the way's end."""
    told: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
    way = [
        f"{Path(frame.f_code.co_filename).name}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    trace = hashlib.sha256(json.dumps([told["type"], *way]).encode())
    told |= {"trace": trace.hexdigest()[:8], "lines": way[:-4:-1]}
    if error.__cause__ is not None:
        told["cause"] = f"{type(error.__cause__).__name__}: {error.__cause__}"
    return _mapping(told, depth)


_KINDS: tuple[tuple[Any, Callable[[Any, int], Any]], ...] = (
    ((bool, type(None)), lambda value, _: value),
    (str, lambda value, _: scrubbed(value)),
    (bytes, lambda value, _: scrubbed(value.decode(errors="backslashreplace"))),
    ((int, float), _number),
    ((date, time), lambda value, _: value.isoformat()),
    ((PurePath, timedelta, Enum), lambda value, _: scrubbed(str(value))),
    (BaseException, _error),
    (Mapping, _mapping),
    ((list, tuple, Set), _sequence),
)
