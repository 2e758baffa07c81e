"""A backend that is down, slow, hangs or refuses costs the app nothing but the documented bound at its exit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests.ways_in.conftest import Commands

pytestmark = pytest.mark.timeout(300)


@contextmanager
def _backend(behaviour: str) -> Generator[str]:
    """A backend that misbehaves, as a URL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if behaviour == "down":
            yield url
            return
        listener.listen(64)
        kept: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                kept.append(connection)
                if behaviour == "refuses":
                    connection.recv(1 << 20)
                    connection.sendall(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    connection.close()
                elif behaviour == "slow":
                    connection.recv(1 << 20)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield url
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in kept:
                connection.close()


@pytest.mark.parametrize(
    ("behaviour", "protocol"),
    [
        ("down", "grpc"),
        ("hangs", "http/protobuf"),
        ("hangs", "grpc"),
        ("slow", "http/protobuf"),
        ("refuses", "http/protobuf"),
    ],
)
def test_a_backend_in_trouble(behaviour: str, protocol: str, commands: Commands) -> None:
    """All calls succeed and the app ends by itself, long before the backend's own timeouts would let it."""
    with _backend(behaviour) as url:
        done = commands.with_variables(
            CONFIGURE="1",
            OTEL_EXPORTER_OTLP_ENDPOINT=url,
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
            # Beyond the patience of the test: whoever waited for the exporter would be found out.
            OTEL_EXPORTER_OTLP_TIMEOUT="300",
            OTEL_METRIC_EXPORT_INTERVAL="50",
            OTEL_BSP_SCHEDULE_DELAY="50",
            CLAUDESCOPE_EXIT_TIMEOUT="0.5",
        ).app("plain", 5)
    assert done.stdout == ""
    assert "could not be delivered within 0.5 s" in done.stderr
