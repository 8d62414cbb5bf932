"""The verb `replay` serves until it is told to end, and says what it serves.

It is tried as a process of its own, as a person starts it.
"""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHART = "query2.finance.yahoo.com/v8/finance/chart/ZL=F?range=5d"
MAIN = "from cbi_stream.cli.app import main; main()"
Cbi = Callable[..., Any]


@contextmanager
def serving(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Run the verb; it is ended in any case."""
    command = [sys.executable, "-c", MAIN, "replay", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def first_value(process):
    """Return the JSON object that comes first, while the process goes on."""
    text = ""
    for line in process.stdout:
        text += line
        if line.startswith("}"):
            return json.loads(text)
    raise AssertionError(text)


def ask(base, target):
    """Return status and body of one question."""
    line = http.client.HTTPConnection(base.removeprefix("http://"), timeout=60)
    try:
        line.request("GET", f"/{target}")
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(number):
    """A switch heals after its count, the data is marked, and the end is exit 0."""
    switch = "query2.finance.yahoo.com=too_many:2,first=1"
    with serving("--json", "--today", "2024-06-28", "--switch", switch) as process:
        said = first_value(process)
        assert said["simulated"]
        assert said["today"] == "2024-06-28"
        assert "query2.finance.yahoo.com" in said["hosts"]
        assert ask(said["base"], CHART)[0] == 429
        status, data = ask(said["base"], CHART)
        assert status == 200
        assert b"# SIMULATED" in data
        process.send_signal(number)
        assert process.wait(timeout=120) == 0


def test_it_says_how_to_point_the_registry_at_it():
    """The line of data_sources.yaml to copy, the kind of data, and how it ends."""
    with serving("--today", "2024-06-28", "--seed", "11") as process:
        told = []
        for line in process.stdout:
            told.append(line.strip())
            if line.startswith("Ctrl-C"):
                break
        base = told[0].split()[0]
        assert "SIMULATED, seed 11, as of 2024-06-28" in told[0]
        assert f"replay: {base}" in told
        assert any("registry/data_sources.yaml" in line for line in told)
        assert any("cbi init --simulated" in line for line in told)


def test_a_folder_is_served_as_it_is(tmp_path):
    """Its bars come without the mark, and nobody calls them simulated."""
    (tmp_path / "ZL=F.csv").write_text(
        "Date,Open,High,Low,Close,Adj Close,Volume\n2024-06-27,1,2,1,2,2,5\n"
    )
    words = ("--json", "--today", "2024-06-28", "--folder", str(tmp_path))
    with serving(*words) as process:
        said = first_value(process)
        assert not said["simulated"]
        _, data = ask(said["base"], CHART)
    assert b"SIMULATED" not in data
    [quote] = json.loads(data)["chart"]["result"][0]["indicators"]["quote"]
    assert quote["close"] == [2.0]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--switch", "nobody.example.org=empty"], "expected a host among"),
        (["--switch", "query2.finance.yahoo.com=nothing"], "expected HOST"),
        (["--switch", "query2.finance.yahoo.com=bad_key"], "asks for no key"),
        (["--today", "yesterday"], "yesterday"),
        (["--today", "1999-01-01"], "2000-01-03"),
        (["--seed", "-1"], "a seed is"),
        (["--folder", "no/such/folder"], "no/such/folder"),
        (["--port", "70000"], "from 1024 to 65535"),
    ],
)
def test_wrong_words_are_named(cbi: Cbi, words: list[str], named: str) -> None:
    """Exit 2 before anything is served, and what was expected."""
    said = cbi("replay", *words)
    assert said.code == 2
    assert said.out == ""
    assert named in said.err


def test_a_taken_port_is_named(cbi: Cbi) -> None:
    """Another listens there: exit 2, with the port."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = cbi("replay", "--port", port)
    assert said.code == 2
    assert f"expected a free port from 1024 to 65535; got {port}" in said.err
