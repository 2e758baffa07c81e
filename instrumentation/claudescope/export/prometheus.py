"""Serves `/metrics` for Prometheus, in the formats of prometheus-client."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from claudescope._internal.exceptions import BadInputError, require
from claudescope.export.scraped import ScrapedMeterProvider

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.sdk.resources import Resource

__all__ = ["MetricsEndpoint"]


class _Server(WSGIServer):
    # One scrape after the other, by a blocking `accept`. The loop and the threads of `socketserver` are bound when that
    # is imported: where gevent or eventlet patch the process afterwards, they stop it or answer no scrape.
    stopping = False

    def serve(self) -> None:
        while not self.stopping:
            self._handle_request_noblock()  # type: ignore[attr-defined] # of `socketserver.BaseServer`

    def stop(self) -> None:
        self.stopping = True
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # ends `accept`
        self.server_close()

    def server_bind(self) -> None:
        # Like WSGIServer, but without looking up the host name, which may wait for a slow name server.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _IPv6Server(_Server):
    address_family = socket.AF_INET6


class _Silent(WSGIRequestHandler):
    timeout = 5.0  # seconds for a client that sends nothing, as others wait meanwhile

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class' name
        del format, args


class MetricsEndpoint:
    """An HTTP endpoint that serves the metrics of its provider to Prometheus, with the catalogue's buckets.

    The port is bound when the object is created. Requests are served after `start`.

    Args:
        port: The port; 0 for a free one.
        host: The address to listen on.
        option: The name of the port's option in error messages.

    Raises:
        BadInputError: The port is not available.
        MissingExtraError: The extra `prometheus` is not installed.
    """

    def __init__(self, port: int, host: str = "127.0.0.1", *, option: str = "prometheus_port=") -> None:
        require("prometheus_client", extra="prometheus", feature="a Prometheus endpoint")
        from claudescope.export.exposition import ScrapeCollector, make_app  # needs prometheus_client

        if not 0 <= port <= 65535:
            raise BadInputError(f"{option}{port}: expected a port from 1 to 65535, or 0 for a free one")
        server_class = _IPv6Server if ":" in host else _Server
        try:
            self._server = server_class((host, port), _Silent)
        except OSError as error:
            reason = error.strerror or str(error)
            raise BadInputError(
                f"{option}{port}: {reason}. Choose another port, or 0 for a free one. "
                "If several processes of one app need the port, use `claudescope run --metrics-port`"
            ) from None
        # Other metrics of the process are not served here.
        self._collector = ScrapeCollector()
        self._server.set_app(make_app(self._collector))
        self.port = self._server.server_port
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.port}/metrics"
        self._thread: threading.Thread | None = None

    def provider(self, resource: Resource, beside: MeterProvider | None = None) -> ScrapedMeterProvider:
        """Make the provider whose metrics are served from now on.

        Args:
            resource: The resource of the process.
            beside: The provider of other exporters, whose instruments get the same; None without such.
        """
        self._collector.provider = ScrapedMeterProvider(resource, beside)
        return self._collector.provider

    def start(self) -> None:
        """Start to serve, in a daemon thread."""
        self._thread = threading.Thread(target=self._server.serve, name="claudescope-metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, and free the port."""
        self._server.stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def close_in_child(self) -> None:
        """Close the inherited socket in a forked child, where no thread serves it."""
        self._server.socket.close()
