"""`cbi run` without an end: the daemon, its signals, its log and its helpers.

It puts the daemon together and listens for signals; what the daemon does stands in its
own room.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from cbi_stream.cli.ending import heard
from cbi_stream.cli.opening import dispatching
from cbi_stream.cli.scheduling import on_time
from cbi_stream.doors.daemon import Daemon
from cbi_stream.doors.logs import open_log
from cbi_stream.doors.readers import Child
from cbi_stream.doors.watch import Watch
from cbi_stream.engine import fingerprint
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.pool import Pool
from cbi_stream.lake.lake import Lake


def stay(
    lake: Lake, graph: Graph, *, watching: bool = True, offline: bool = False
) -> int:
    """Run the daemon until a signal ends it; return its exit code.

    Where code or registry changed it begins anew, as the same process: the command line
    that started it is run in its place.

    Raises:
        LockHeld: another dispatcher works on this lake.
    """
    _reap()
    with (
        dispatching(lake) as torn,
        Watch(lake.folder, off=not watching) as hints,
        Child(graph) as reader,
        Pool() as executor,
    ):
        # From here on files may be edited: this process keeps what it has loaded.
        fingerprint.take(graph)
        reader.warm()
        executor.warm(lake, graph)
        log = open_log(lake.folder, to_stderr=True)
        for each in torn:
            log.warning("commit.set_aside", reason=each)
        daemon = Daemon(
            lake, graph, hints=hints, reader=reader, executor=executor, log=log
        )
        with heard(daemon.stop), on_time(lake, graph, log, offline=offline):
            daemon.run()
        log.close()
    if daemon.outdated:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - it is ours
    return 0


def _reap() -> None:
    """Take leave of children that this process had before it began anew."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
