"""Serves `/metrics` for Prometheus, through prometheus-client and OpenTelemetry's exporter."""

from __future__ import annotations

import socket
import threading
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from claudescope._internal.exceptions import BadInputError, require

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricReader

__all__ = ["MetricsEndpoint"]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # As WSGIServer does, without its look-up of the machine's name, which may ask a slow name server.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _IPv6Server(_Server):
    address_family = socket.AF_INET6


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class' name
        del format, args


class MetricsEndpoint:
    """An address where Prometheus finds the metrics of `reader`, with explicit buckets as the catalogue has them.

    It is bound at once, and answers from `start` on.

    Args:
        port: The port; 0 for one that the system chooses.
        host: The address to listen on.
        option: What to call the port in a message.

    Raises:
        BadInputError: The port can't be had.
        MissingExtraError: The extra `prometheus` is not installed.
    """

    def __init__(self, port: int, host: str = "127.0.0.1", *, option: str = "prometheus_port=") -> None:
        client: Any = require("prometheus_client", extra="prometheus", feature="a Prometheus endpoint")
        exporter: Any = require(
            "opentelemetry.exporter.prometheus", extra="prometheus", feature="a Prometheus endpoint"
        )
        if not 0 <= port <= 65535:
            raise BadInputError(f"{option}{port}: expected a port from 0 (the system's choice) to 65535")
        kind = _IPv6Server if ":" in host else _Server
        try:
            self._server = kind((host, port), _Silent)
        except OSError as error:
            reason = error.strerror or str(error)
            raise BadInputError(
                f"{option}{port}: {reason}. Choose another port, or 0 for the system's choice. "
                "Several processes of one app can't share a port: let `claudescope run` serve it for all of them"
            ) from None
        # A registry of its own: what else the process counts for Prometheus stays where it is.
        self._registry = client.CollectorRegistry()
        self.reader: MetricReader = exporter.PrometheusMetricReader(registry=self._registry)
        self._server.set_app(client.make_wsgi_app(self._registry))
        self.port = self._server.server_port
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.port}/metrics"
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve from now on, in a thread that keeps no process alive."""
        self._thread = threading.Thread(target=self._server.serve_forever, name="claudescope-metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Serve no more, and free the port."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def abandon(self) -> None:
        """Give up the parent's socket in a forked child, which has nobody to serve it."""
        self._server.socket.close()
