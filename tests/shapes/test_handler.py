"""A handler is its function plus its words; a wrong argument is told at once."""

from __future__ import annotations

import polars as pl
import pytest

from cbi_stream import days, effect, from_registry, handler, sessions, source
from cbi_stream.words.errors import BrokenContract

READS = {"features.panel": sessions(back=60), "raw.decisions": days()}


def test_arguments_are_the_last_parts_of_tables() -> None:
    """An argument stands for the table that ends in its name."""

    @handler(reads=READS, writes="features.x", spec=("settings",))
    def x(panel: pl.DataFrame, decisions: pl.DataFrame, *, spec: object) -> object:
        return (panel, decisions, spec)

    assert x.name.endswith("x")
    assert x(panel=1, decisions=2, spec=3) == (1, 2, 3)


def test_one_handler_for_each_source_of_a_shape() -> None:
    """Names are put in wherever they were left open; the frame is called lines."""

    @handler(
        each="counts",
        reads={"raw.{source}": days(), "raw.decisions": days()},
        writes="staging.{source}",
        quarantines="quarantine.{source}",
        spec=("data_sources.{source}",),
    )
    def counted(lines: object, decisions: object, *, spec: object) -> object:
        return (lines, decisions, spec)

    assert counted.shape == "counts"
    one, two = counted.closed(["eia", "psd"])
    assert list(two.reads) == ["raw.psd", "raw.decisions"]
    assert (two.writes, two.quarantines) == ("staging.psd", "quarantine.psd")
    assert (two.spec, two.shape) == (("data_sources.psd",), None)
    assert one.name.endswith("counted(eia)")
    assert two(psd=1, decisions=2, spec=3) == (1, 2, 3)


def test_one_handler_for_all_sources_of_a_shape() -> None:
    """It is handed their frames by source, in the order of the registry."""

    @handler(
        reads={"raw.{counts}": days(), "raw.decisions": days()},
        writes="staging.counts",
        spec=("horizons", "data_sources.{counts}"),
    )
    def counted(counts: object, decisions: object, *, spec: object) -> object:
        return (counts, decisions, spec)

    assert counted.shape == "counts"
    (made,) = counted.closed(["eia", "psd"])
    assert list(made.reads) == ["raw.eia", "raw.psd", "raw.decisions"]
    assert made.spec == ("horizons", "data_sources.eia", "data_sources.psd")
    assert made(eia=1, psd=2, decisions=3, spec=4) == ({"eia": 1, "psd": 2}, 3, 4)


def test_a_wrong_argument_is_refused_when_declared() -> None:
    """A misspelt argument fails at import, naming both sides."""
    with pytest.raises(
        BrokenContract, match=r"\['decisions', 'panel'\]; found \['decisions', 'panle'"
    ):

        @handler(reads=READS, writes="features.x")
        def x(panle: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
            return panle.join(decisions, on="date")


@pytest.mark.parametrize("names", [("settings",), ()])
def test_spec_is_an_argument_exactly_if_declared(names: tuple[str, ...]) -> None:
    """Who declares registry files takes them, and who does not cannot."""
    declared = handler(reads={"a.b": days()}, writes="a.c", spec=names)
    with pytest.raises(BrokenContract, match="expected arguments"):
        declared(lambda b: b) if names else declared(lambda b, spec: (b, spec))


def test_two_tables_of_one_last_name_are_refused() -> None:
    """raw.fred and staging.fred would be one argument: nobody could tell them apart."""
    with pytest.raises(BrokenContract):
        handler(reads={"raw.fred": days(), "staging.fred": days()}, writes="a.b")(
            lambda fred: fred
        )


def test_a_registry_number_is_a_name_and_a_constant() -> None:
    """Adding to a number moves its constant; the name is looked up later."""
    number = from_registry("horizons.longest") + 10 + 1
    assert (number.name, number.plus) == ("horizons.longest", 11)


def test_a_source_and_an_effect_keep_their_function() -> None:
    """The other shapes are frozen records of what was declared."""

    @source(
        "fred",
        headers=("DATE,X",),
        recognises=lambda header: header == "DATE,X",
        key_of=lambda header: header.partition(",")[2],
    )
    def parse(data: bytes, key: str | None) -> pl.DataFrame:
        return pl.DataFrame({"series": [key], "n": [len(data)]})

    @effect(after=("labels.forward",), spec=("exports",))
    def made(forward: pl.DataFrame, *, spec: object) -> dict[str, pl.DataFrame]:
        return {str(spec): forward}

    assert parse.recognises("DATE,X")
    assert not parse.recognises("Date,Open")
    assert (parse.key_of("DATE,X"), parse.headers) == ("X", ("DATE,X",))
    assert parse.parse(b"abc", "X").row(0) == ("X", 3)
    assert made.arguments == {"forward": "labels.forward"}
    assert list(made(forward=1, spec="e")) == ["e"]
