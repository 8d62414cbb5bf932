"""Which source wrote a file, and which symbol or series it is about. Never a guess.

The header says the source. The symbol or series is what a person says, else what the
header names, else what the name says, where that is registered or cannot be anything
else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cbi_stream.doors import strangers
from cbi_stream.doors.receipts import Waits
from cbi_stream.doors.stated import Named
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.layouts import form_of, shown_to
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.sources import Source
from cbi_stream.shapes.connector import Form
from cbi_stream.shapes.source import Parser

_GROUP = re.compile(r"\(\?P<key>[^)]*\)")
_COPY = re.compile(r" ?\(\d+\)$")
_BY = {"text": "header", "zip": "its first member", "xlsx": "name", "xls": "name"}


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is."""

    parser: Parser
    source: Source
    key: str
    """Empty where each line names its own."""
    by: str
    """How both were told."""


def recognise(
    graph: Graph, named: Named, *, head: bytes, source: str | None, key: str | None
) -> Recognised:
    """Return what a file is.

    Args:
        graph: with the parsers and the registry.
        named: its name, taken apart.
        head: its first bytes, unpacked where it is a gzip.
        source: the source that a person says, if one does.
        key: the symbol or series that a person says, if one does.

    Raises:
        Waits: it cannot be told, or what is said contradicts itself.
    """
    form = form_of(head)
    header = shown_to(form, head, name=named.plain)
    parser = _parser_of(graph, header, source, form=form, name=named.plain)
    entry = graph.registry.data_sources.sources[parser.source]
    by = _BY.get(form, form)
    by = f"{by} and --source" if source else by
    if not any("key" in re.compile(p).groupindex for p in entry.file_names):
        _name_fits(parser, entry, named, source)
        return Recognised(parser, entry, "", f"{by}; each line names its {entry.key}")
    found, how = _key_of(graph.registry, parser, entry, named, header=header, said=key)
    return Recognised(parser, entry, found, f"{by}; {entry.key} by {how}")


def _parser_of(
    graph: Graph, header: str, source: str | None, *, form: Form, name: str
) -> Parser:
    known = [p for parsers in graph.parsers.values() for p in parsers]
    if source is not None and source not in graph.parsers:
        names = ", ".join(sorted(graph.parsers))
        msg = f"expected --source to be one of {names}; found {source!r}"
        raise Waits(msg, "hand it in again without --source, or with another")
    if source is not None:
        known = list(graph.parsers[source])
    fitting = [p for p in known if p.form == form and p.recognises(header)]
    if source is not None and not fitting:
        headers = " or ".join(h[:80] for p in known for h in p.headers)
        what = "header" if form == "text" else form
        msg = (
            f"line 1: not a {what} of {source}: expected {headers}; "
            f"found {header[:80]!r}"
        )
        raise Waits(msg, "hand it in again without --source, or with another")
    if len({p.source for p in fitting}) > 1:
        fitting = _called_so(graph, fitting, name=name, header=header)
    if not fitting:
        if form != "text":
            strangers.refuse_an_unknown_form(form, header)
        reason, mend = strangers.about(header, known)
        msg = f"line 1: {reason}"
        raise Waits(msg, mend)
    return fitting[0]


def _called_so(
    graph: Graph, fitting: list[Parser], *, name: str, header: str
) -> list[Parser]:
    """Return those of several sources with one header whose files are called so.

    Raises:
        Waits: the name is that of none of them, or of several.
    """
    entries = {p.source: graph.registry.data_sources.sources[p.source] for p in fitting}
    named = {
        source
        for source, entry in entries.items()
        if any(re.fullmatch(p, name) for p in entry.file_names)
    }
    if len(named) == 1:
        return [p for p in fitting if p.source in named]
    looks = "; ".join(
        f"of {source} {' or '.join(entry.file_names)}"
        for source, entry in sorted(entries.items())
    )
    msg = (
        f"line 1: {', '.join(sorted(entries))} have the header {header[:80]!r}. Where "
        f"other reports have it too the name must tell: expected {looks}; found {name!r}"
    )
    ways = " or ".join(f"--source {source}" for source in sorted(entries))
    raise Waits(msg, f"say which: cbi drop FILE {ways}")


def _name_fits(parser: Parser, entry: Source, named: Named, source: str | None) -> None:
    # Other files may have this very header (futures with options): the name tells.
    if source or any(re.fullmatch(p, named.plain) for p in entry.file_names):
        return
    looks = " or ".join(entry.file_names)
    msg = (
        f"the header is that of {parser.source}, but other reports have it too: expected "
        f"a name like {looks}; found {named.plain!r}"
    )
    raise Waits(
        msg, f"if it is that report, say so: cbi drop FILE --source {parser.source}"
    )


def _key_of(
    registry: Registry,
    parser: Parser,
    entry: Source,
    named: Named,
    *,
    header: str,
    said: str | None,
) -> tuple[str, str]:
    in_header = parser.key_of(header)
    in_header = entry.aliases.get(in_header or "", in_header)
    in_name = _key_in_name(registry, entry, named)
    if in_header is not None:
        for other, who in ((said, "--key"), (in_name, "the file's name")):
            if other is not None and other != in_header:
                msg = f"line 1: the header says {in_header}, {who} says {other}"
                mend = (
                    f"if the header is right, rename the file to {in_header}.csv and "
                    "hand it in without --key"
                )
                raise Waits(msg, mend)
        return in_header, "header"
    if said is not None:
        if is_registered(registry, entry, key=said) or said == in_name:
            return said, "--key"
        msg = f"expected a registered {entry.key}; found --key {said}"
        raise Waits(msg, _hint(registry, parser, entry))
    if in_name is not None:
        return in_name, "file name"
    msg = (
        f"neither the header nor the name {named.plain!r} says which {entry.key} it is"
    )
    raise Waits(msg, _hint(registry, parser, entry))


def registered(registry: Registry, entry: Source) -> list[str]:
    """Return the symbols, series, groups or contracts of a source that may be staged."""
    return sorted(entry.keys() or registry.universe.symbols)


def is_registered(registry: Registry, entry: Source, *, key: str) -> bool:
    """Return whether lines about this symbol or series may be staged.

    Single contracts are no list: their root is registered.
    """
    if known := entry.keys():
        return key in known
    return registry.universe.of(key) is not None


def _key_in_name(registry: Registry, entry: Source, named: Named) -> str | None:
    """Return the key that a name tells beyond doubt."""
    stem, _, _ = named.plain.rpartition(".")
    alias = entry.aliases.get(_COPY.sub("", stem or named.plain))
    if alias is not None:
        return alias
    for pattern in entry.file_names:
        match = re.fullmatch(pattern, named.plain)
        if match is None:
            continue
        # Vendors write a symbol in small letters: zlz25_price-history.csv.
        for key in (match["key"], match["key"].upper()):
            if is_registered(registry, entry, key=key):
                return key
        if _has_a_literal(pattern):
            return match["key"]
    return None


def _has_a_literal(pattern: str) -> bool:
    """Return whether a pattern demands more of a name than letters and an ending.

    `(?P<key>[A-Z]{1,3})=F.*.csv` demands `=F`: nothing else is called so.
    """
    rest = _GROUP.sub("", pattern).replace(".*", "").replace("[^/]*", "")
    return bool(re.sub(r"\\\.[a-z]+$", "", rest))


def _hint(registry: Registry, parser: Parser, entry: Source) -> str:
    if entry.key == "part":
        return f"name the file after it: {' or '.join(entry.file_names)}"
    keys = registered(registry, entry)
    example = _name_for(entry, keys[0])
    name = f", or name the file after it, like {example}" if example else ""
    said = "symbol" if entry.key == "symbol" else "series"
    return (
        f"say it: cbi drop FILE --{said} {keys[0]} (registered for {parser.source}: "
        f"{', '.join(keys)}){name}"
    )


def _name_for(entry: Source, key: str) -> str | None:
    """Return a file name that tells a key."""
    for pattern in entry.file_names:
        name = _GROUP.sub(key, pattern).replace(".*", "").replace("[^/]*", "")
        name = name.replace("\\", "")
        if re.fullmatch(pattern, name):
            return name
    return None
