"""What all registry models share: frozen, no unknown keys, errors with file and line.

It never supplies a value that the file leaves out without saying so in its field.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from cbi_stream.registry import yaml_lines
from cbi_stream.words.errors import BadRegistry


class Entry(BaseModel):
    """A frozen part of a registry file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class Read(Generic[E]):
    """A registry file: its content, and where each entry stands."""

    path: Path
    content: E
    lines: yaml_lines.Lines

    def place(self, *where: str | int) -> str:
        """Return `file:line` of an entry, or of the nearest one around it."""
        return f"{self.path}:{_line(self.lines, where)}"


def read(path: Path, model: type[E]) -> Read[E]:
    """Return the registry file at `path` as `model`.

    Raises:
        BadRegistry: with file, line, what was expected and what was found, for
            every entry that does not fit.
    """
    content, lines = yaml_lines.load(path)
    return validated(path, content, lines, model)


def validated(
    path: Path, content: Any, lines: yaml_lines.Lines, model: type[E]
) -> Read[E]:
    """Return what a file says as `model`; for errors see `read`."""
    try:
        return Read(path, model.model_validate(content), lines)
    except ValidationError as error:
        found = [_sentence(path, lines, each) for each in error.errors()]
        raise BadRegistry("\n".join(found)) from None


def _sentence(path: Path, lines: yaml_lines.Lines, error: Any) -> str:
    where = tuple(error["loc"])
    known = _known(lines, where)  # without the branch of a union
    said = known if known[-1:] == where[-1:] else (*known, *where[-1:])
    dotted = ".".join(str(part) for part in said) or "the file"
    found = "" if error["type"] == "missing" else f"; found {error['input']!r}"
    message = {
        "extra_forbidden": "this key is not known here: check its spelling",
        "missing": "this key is missing",
    }.get(error["type"], error["msg"])
    return f"{path}:{_line(lines, where)}: {dotted}: {message}{found}"


def _line(lines: yaml_lines.Lines, where: tuple[str | int, ...]) -> int:
    return lines.get(_known(lines, where), 1)


def _known(
    lines: yaml_lines.Lines, where: tuple[str | int, ...]
) -> tuple[str | int, ...]:
    """Return the place without the parts that the file does not have.

    pydantic names a missing key, and the branch of a union that it tried: the nearest
    entry that stands there is the line to open.
    """
    found: tuple[str | int, ...] = ()
    for part in where:
        if (*found, part) in lines:
            found = (*found, part)
    return found
