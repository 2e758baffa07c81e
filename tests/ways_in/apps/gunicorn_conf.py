"""Four workers on a port of the system's choice, which is printed."""

from __future__ import annotations

from typing import Any

bind = "127.0.0.1:0"
workers = 4
worker_class = "gthread"
threads = 4
graceful_timeout = 30
loglevel = "error"


def when_ready(server: Any) -> None:
    """Say where it listens."""
    print(f"port {server.LISTENERS[0].sock.getsockname()[1]}", flush=True)
