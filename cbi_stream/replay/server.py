"""The replay server: answers on this machine as the hosts of the sources would.

It never opens a connection to anybody, and listens on 127.0.0.1 alone. `https://HOST/PATH`
becomes `BASE/HOST/PATH`; which site speaks for HOST, and from what world, stands in
`sites/` and `world.py`; what goes wrong on purpose in `switches.py`.

    with Replay(World(seed=7)) as replay:
        ...  # ask replay.base + "/query2.finance.yahoo.com/v8/finance/chart/ZL=F"
        replay.switches.set("query2.finance.yahoo.com", failing(503), first=1)
        replay.world = dataclasses.replace(replay.world, today=later)
        assert replay.asked[0].path == "/v8/finance/chart/ZL=F"

A site that raised is told to the asker with status 500, and raised again where the
block ends, so that nobody takes it for a fault of a host.
"""

from __future__ import annotations

import gzip
import socket
import socketserver
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qsl, unquote

from cbi_stream.replay.marks import marked
from cbi_stream.replay.sites import Question, Reply, Site, discover
from cbi_stream.replay.switches import MOVED, Fault, Switches
from cbi_stream.replay.world import World

_HOME: Final = "127.0.0.1"
_POLL_SECONDS: Final = 0.05
_PIECES: Final = 20
_WORTH_PACKING: Final = 1_000


class Replay:
    """A server that runs while its block does."""

    def __init__(
        self, world: World, *, port: int = 0, sites: dict[str, Site] | None = None
    ) -> None:
        """Take a free port, or the one that is asked for.

        Args:
            world: what the sites speak of; it may be set anew at any time.
            port: 0 takes any free one.
            sites: by host; without it all of `replay/sites/`.
        """
        self.world = world
        self.sites = discover() if sites is None else sites
        self.switches = Switches(self.sites)
        self.asked: list[Question] = []
        """All questions so far, in order."""
        self.failures: list[Exception] = []
        """What sites raised: mistakes of ours, not of a host."""
        self.stopped = threading.Event()
        self._listener = _Listener(self, port)
        self._thread = threading.Thread(
            target=self._listener.serve_forever, args=(_POLL_SECONDS,), daemon=True
        )

    @property
    def base(self) -> str:
        """The address that stands before every host: http://127.0.0.1:PORT."""
        return f"http://{_HOME}:{self._listener.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopped.set()
        self._listener.shutdown()
        self._listener.hang_up()
        self._listener.server_close()
        self._thread.join()
        if self.failures and error is None:
            raise self.failures[0]

    def reply_to(self, question: Question) -> tuple[Reply, list[Fault]]:
        """Return what is said to a question, and which faults it met."""
        self.asked.append(question)
        site = self.sites.get(question.host)
        if site is None:
            said = f"no site of the replay server speaks for {question.host}\n"
            return Reply(said.encode(), "text/plain", 404), []
        arrived = question.path.startswith(f"{MOVED}/")
        if arrived:
            question = replace(
                question,
                path=question.path.removeprefix(MOVED),
                target=question.target.removeprefix(MOVED),
            )
        met = self.switches.met_by(question, arrived=arrived)
        try:
            return self._said(site, question, met), met
        except Exception as error:  # noqa: BLE001 - told to the asker, raised at the end
            self.failures.append(error)
            told = f"the replay server failed: {type(error).__name__}: {error}\n"
            return Reply(told.encode(), "text/plain", 500), []

    def _said(self, site: Site, question: Question, met: list[Fault]) -> Reply:
        for fault in met:
            if fault.instead is not None:
                return fault.instead(site, question)
        world = self.world
        carried = site.key_in(question) if site.key_in else None
        wrong = carried is not None and carried != world.key
        if site.bad_key and (wrong or (carried is None and not site.keyless)):
            return site.bad_key(question)
        for fault in met:
            world = fault.world(world) if fault.world else world
        reply = site.answer(question, world)
        for fault in met:
            reply = fault.body(reply) if fault.body else reply
        if world.simulated and reply.status == 200:
            reply = replace(reply, data=marked(reply.data, seed=world.seed))
        return reply


class _Listener(ThreadingHTTPServer):
    """The socket, and the connections that are open."""

    request_queue_size = 64
    daemon_threads = True

    def __init__(self, replay: Replay, port: int) -> None:
        self.replay = replay
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((_HOME, port), _Asked)

    def server_bind(self) -> None:
        """Bind without asking anybody for this machine's name."""
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, and serve it in a thread of its own."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that askers keep open: their threads then end too."""
        with self._lock:
            still = list(self._open)
        for request in still:
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it has just closed by itself

    def handle_error(self, *_: Any) -> None:
        """Keep quiet about askers that went away, and remember what else there is."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, ConnectionError):
            self.replay.failures.append(error)


class _Asked(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_GET(self) -> None:
        """Answer a question without a body."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Answer a question with a body."""
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: `Replay.asked` holds the questions."""

    def _answer(self, body: bytes) -> None:
        target, _, query = self.path.lstrip("/").partition("?")
        host, _, path = target.partition("/")
        question = Question(
            method=self.command,
            host=host.lower(),
            path="/" + unquote(path),
            params=tuple(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            target=f"/{path}?{query}".removesuffix("?"),
        )
        reply, met = self.server.replay.reply_to(question)
        self._send(reply, next((one for one in met if one.sending != "whole"), None))

    def _send(self, reply: Reply, fault: Fault | None) -> None:
        data, headers = reply.data, dict(reply.headers)
        sending = fault.sending if fault else "whole"
        if sending == "truncated":
            data = data[: len(data) // 2]
        wants = self.headers.get("Accept-Encoding", "")
        if "gzip" in wants and len(data) > _WORTH_PACKING:
            data = gzip.compress(data, mtime=0)
            headers["Content-Encoding"] = "gzip"
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        for name, value in headers.items():
            self.send_header(name, value)
        if sending == "cut_chunked":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        half = data[: len(data) // 2]
        if sending == "cut_chunked" and half:
            self.wfile.write(f"{len(half):x}\r\n".encode() + half + b"\r\n")
        elif sending == "slow" and fault:
            self._drip(data, fault.seconds)
        else:
            self.wfile.write(half if sending == "cut" else data)
        self.close_connection |= sending.startswith("cut")

    def _drip(self, data: bytes, seconds: float) -> None:
        """Send the bytes piece by piece, until the server stops."""
        size = max(1, -(-len(data) // _PIECES))
        for start in range(0, len(data), size):
            self.wfile.write(data[start : start + size])
            self.wfile.flush()
            if self.server.replay.stopped.wait(seconds / _PIECES):
                return
