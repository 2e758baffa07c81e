"""A server that takes what Sentry's own HTTP transport sends, and keeps every byte of it."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sentry_sdk.envelope import Envelope

__all__ = ["Ingest", "recording"]


class Ingest:
    """What the server got.

    Attributes:
        dsn: What `sentry_sdk.init` takes.
        heads: Request line and headers of each request.
        bodies: The body of each request, decompressed.
    """

    def __init__(self, port: int) -> None:
        self.dsn = f"http://public@127.0.0.1:{port}/1"
        self.heads: list[str] = []
        self.bodies: list[bytes] = []

    @property
    def count(self) -> int:
        """How many error events came."""
        return sum(envelope.get_event() is not None for envelope in map(Envelope.deserialize, self.bodies))

    def find(self, secret: str) -> str | None:
        """Where a secret is, with its surroundings; None if it is nowhere."""
        for text in (*self.heads, *(body.decode(errors="replace") for body in self.bodies)):
            at = text.lower().find(secret.lower())
            if at >= 0:
                return text[max(at - 600, 0) : at + 200]
        return None


@contextmanager
def recording() -> Generator[Ingest]:
    """Run the server until the end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            ingest.heads.append(f"{self.requestline}\n{self.headers}")
            ingest.bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Tests need no log of it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    ingest = Ingest(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield ingest
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
