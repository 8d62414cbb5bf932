"""The verb `replay`: answers on this machine as the hosts of the sources would.

It touches no lake and asks nobody outside; what it serves is simulated, or comes from a
folder, and it says which.
"""

from __future__ import annotations

import errno
import signal
import sys
import threading
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

from cyclopts import Parameter

from cbi_stream.cli import show
from cbi_stream.cli.opening import AsJson, registry
from cbi_stream.replay.server import Replay
from cbi_stream.replay.world import World
from cbi_stream.words import clock
from cbi_stream.words.errors import WrongUsage

_EVERY_SECONDS = 30.0
_NOT_OURS = {errno.EADDRINUSE, errno.EACCES}


def replay(
    *,
    port: Annotated[int, Parameter(name="--port")] = 0,
    seed: Annotated[int, Parameter(name="--seed")] = 7,
    folder: Annotated[Path | None, Parameter(name="--folder")] = None,
    today: Annotated[str | None, Parameter(name="--today")] = None,
    switch: Annotated[list[str] | None, Parameter(name="--switch", negative="")] = None,
    json: AsJson = False,
) -> int:
    """Answer as the hosts of the sources would, until Ctrl-C.

    Args:
        port: where it listens on 127.0.0.1; 0 takes any free port.
        seed: the same seed simulates the same data.
        folder: serve files that were saved there, instead of simulated data.
        today: the day on which it is asked, as 2024-06-28; else the time goes on.
        switch: what goes wrong on purpose: HOST=empty, HOST/v8/*=failing:503,first=2.
        json: print one JSON object, then serve.
    """
    world = _world(seed, folder, today)
    with _opened(world, port) as served:
        for text in switch or ():
            _set(served, text)
        _say(served, as_json=json)
        with _Ending() as ending:
            while not ending.asked.wait(_EVERY_SECONDS):
                if today is None:
                    served.world = _at(served.world, clock.now())
    return 0


def _world(seed: int, folder: Path | None, today: str | None) -> World:
    if folder is not None and not folder.is_dir():
        msg = f"expected a folder of saved files; found none at {folder}"
        raise WrongUsage(msg)
    try:
        world = World(
            kind="simulated" if folder is None else "folder",
            seed=seed,
            folder=folder,
            sessions=registry().sessions,
        )
        if today is not None:
            return replace(world, today=date.fromisoformat(today))
        return _at(world, clock.now())
    except ValueError as error:
        raise WrongUsage(str(error)) from None


def _at(world: World, moment: datetime) -> World:
    return replace(world, today=moment.date(), at=moment.time())


def _opened(world: World, port: int) -> Replay:
    try:
        return Replay(world, port=port)
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno not in _NOT_OURS:
            raise
        msg = f"expected a free port from 1024 to 65535; got {port}: {error}"
        raise WrongUsage(msg) from None


def _set(served: Replay, text: str) -> None:
    try:
        served.switches.set_in_words(text)
    except ValueError as error:
        msg = f"--switch: {error}"
        raise WrongUsage(msg) from None


def _say(served: Replay, *, as_json: bool) -> None:
    world = served.world
    if as_json:
        show.as_json(
            {
                "base": served.base,
                "simulated": world.simulated,
                "folder": world.folder,
                "seed": world.seed,
                "key": world.key,
                "today": world.today,
                "hosts": sorted(served.sites),
            }
        )
    else:
        what = f"SIMULATED, seed {world.seed}" if world.simulated else world.folder
        print(f"{served.base} serves {what}, as of {world.today}, key {world.key}")
        print(f"hosts: {', '.join(sorted(served.sites))}")
        print("to ask it instead of the sources, in registry/data_sources.yaml:")
        print(f"    replay: {served.base}")
        if world.simulated:
            print("only a lake made with `cbi init --simulated` takes what it serves")
        print("Ctrl-C ends it")
    sys.stdout.flush()  # who reads it through a pipe must not wait for the end


class _Ending:
    """Hears SIGINT and SIGTERM inside its block."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._before = {
            number: signal.getsignal(number)
            for number in (signal.SIGINT, signal.SIGTERM)
        }

    def __enter__(self) -> _Ending:
        for number in self._before:
            signal.signal(number, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        self.asked.set()
