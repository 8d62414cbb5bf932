"""A tiny source on this machine: it says what a test tells it to say, byte by byte.

It judges nothing, and it is gone when its block ends.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cbi_stream.registry.fetching import Fetch

HOST = "api.example.org"
REASON = {200: "OK", 304: "Not Modified", 404: "Not Found"}

# Made for these tests and known to everybody; good for 127.0.0.1 only.
PAIR = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0/1RUpKpWS5FAkqA
0uyiNTJwzjBoHYk6UWBgjxE4pYShRANCAATuco5A+cD1048JcXNtQgYmbNpXWJZ9
FQSJb8SMRZptjnHJaJkFkKE8zJ8bdH4BmMoOUegSxuYWZGCB7mOi/AGT
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUY7qTfAXYTttZFUagi7rcto7l4vkwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMjE4MTA0OFoYDzIxMjYxMDI5
MTgxMDQ4WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATuco5A+cD1048JcXNtQgYmbNpXWJZ9FQSJb8SMRZptjnHJaJkFkKE8
zJ8bdH4BmMoOUegSxuYWZGCB7mOi/AGTo2QwYjAdBgNVHQ4EFgQUZHVZ7Ob7S+FT
SSCXhsS4rzYjHmIwHwYDVR0jBBgwFoAUZHVZ7Ob7S+FTSSCXhsS4rzYjHmIwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IH2oTvyrLQLaSbySe6PAOrQyl+lLtRYgkTls19L2xjpEAiEAmqxrnJ0B8ytYCne1
bgAQ+GZo4IzUEz3x1jdoRNp29Ls=
-----END CERTIFICATE-----
"""


class Handler(BaseHTTPRequestHandler):
    """Notes what was asked, and says the next thing."""

    protocol_version = "HTTP/1.1"
    server: Source

    def do_GET(self):
        """Say the next thing; the last one again and again."""
        self.close_connection = True
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = (self.command, self.path, headers, self.rfile.read(length))
        with self.server.lock:
            self.server.asked.append(asked)
            number = min(len(self.server.asked), len(self.server.says))
            say = self.server.says[number - 1]
        say(self)

    do_POST = do_CONNECT = do_GET  # noqa: N815 - the server looks for these names

    def log_message(self, *_):
        """Be silent."""


class Source(ThreadingHTTPServer):
    """A source that says one thing after the other; `asked` is what it was asked."""

    daemon_threads = True

    def __init__(self, *says: Callable[[Handler], None], pair: Path | None = None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.says = says
        self.asked = []
        self.lock = threading.Lock()
        self.over = threading.Event()
        if pair is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pair)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.base = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, *_):
        """Say nothing about clients that went away."""

    @property
    def paths(self):
        """The paths that were asked for."""
        return [path for _, path, _, _ in self.asked]


def said(body=b"{}", status=200, *, length=True, **headers):
    """Return what says a whole answer; without a length it ends with the connection."""

    def say(handler):
        lines = [f"HTTP/1.1 {status} {REASON.get(status, 'Else')}", "Connection: close"]
        lines += [f"{n.replace('_', '-')}: {v}" for n, v in headers.items()]
        if length and "content_length" not in headers:
            lines.append(f"Content-Length: {len(body)}")
        handler.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)

    return say


def dripping(head: bytes, piece: bytes = b" ", every: float = 0.05):
    """Return what says a beginning, and then one piece after the other, for ever."""

    def say(handler):
        handler.wfile.write(head)
        while not handler.server.over.wait(every):
            handler.wfile.write(piece)

    return say


def fetch_of(hosts=(HOST,), **more) -> Fetch:
    """Return how a source is asked."""
    schedule = {"cadence": "daily", "at": "18:00", "zone": "America/Chicago"}
    plain = {"hosts": hosts, "secret": "EXAMPLE_KEY", "schedule": schedule, **more}
    return Fetch.model_validate(plain)


def everything_of(error: BaseException) -> str:
    """Return all that an error can tell, and those it was made from."""
    told, waiting, seen = [], [error], set()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        told += [repr(each), str(each), repr(each.args), repr(vars(each))]
        waiting += [each.__cause__, each.__context__]
    return "\n".join(told)
