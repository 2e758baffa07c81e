"""An OTLP receiver, over gRPC and over HTTP, that takes traces, metrics and logs, and refuses what is malformed."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any, Final

__all__ = ["OtlpSink"]

# What is generated from OTLP's definitions, and what runs it, carries no types.
grpc: Final[Any] = import_module("grpc")
_DecodeError: Final[Any] = import_module("google.protobuf.message").DecodeError

_SIGNALS: Final = {"traces": "trace", "metrics": "metrics", "logs": "logs"}
_GROUPS: Final = {"traces": "resource_spans", "metrics": "resource_metrics", "logs": "resource_logs"}


def _service(signal: str) -> tuple[Any, Any, Any]:
    """Request, response and registration of a signal's service."""
    name = _SIGNALS[signal]
    package = f"opentelemetry.proto.collector.{name}.v1.{name}_service_pb2"
    messages: Any = import_module(package)
    title = f"{name.capitalize()}Service"
    return (
        getattr(messages, f"Export{title}Request"),
        getattr(messages, f"Export{title}Response"),
        getattr(import_module(f"{package}_grpc"), f"add_{title}Servicer_to_server"),
    )


_SERVICES: Final = {signal: _service(signal) for signal in _SIGNALS}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(each) for each in value.array_value.values]
    return getattr(value, kind) if kind else None


def attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    """OTLP's key-value pairs as a dict."""
    return {pair.key: _plain(pair.value) for pair in pairs}


@dataclass(frozen=True)
class Point:
    """The last point of a series of one instance."""

    instance: str
    name: str
    labels: dict[str, Any]
    point: Any
    kind: str

    @property
    def count(self) -> float:
        """What a histogram has counted, or the value of a sum or gauge."""
        if "histogram" in self.kind:
            return float(self.point.count)
        return float(self.point.as_double if self.point.HasField("as_double") else self.point.as_int)


@dataclass
class OtlpSink:
    """What has come, as OTLP's own messages.

    Attributes:
        resources: Attributes of every resource, by its instance.
        requests: How many requests came, by signal.
        spans: Every span, with its instance.
        logs: Every log record, with its instance.
        refused: Why requests were refused.
    """

    resources: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    requests: dict[str, int] = field(default_factory=lambda: {"traces": 0, "metrics": 0, "logs": 0})
    spans: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    logs: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    refused: list[str] = field(default_factory=list[str])
    _points: dict[tuple[str, str, str], Point] = field(default_factory=dict[tuple[str, str, str], Point])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    grpc_url: str = ""
    http_url: str = ""

    def take(self, signal: str, request: Any) -> None:
        """Take an export request."""
        with self._lock:
            self.requests[signal] += 1
            for group in getattr(request, _GROUPS[signal]):
                resource = attributes(group.resource.attributes)
                instance = str(resource.get("service.instance.id"))
                self.resources[instance] = resource
                if signal == "traces":
                    self.spans += [(instance, span) for scope in group.scope_spans for span in scope.spans]
                elif signal == "logs":
                    self.logs += [(instance, record) for scope in group.scope_logs for record in scope.log_records]
                else:
                    for scope in group.scope_metrics:
                        for metric in scope.metrics:
                            self._take_metric(instance, metric)

    def _take_metric(self, instance: str, metric: Any) -> None:
        kind = metric.WhichOneof("data")
        for point in getattr(metric, kind).data_points:
            labels = attributes(point.attributes)
            key = (instance, metric.name, repr(sorted(labels.items())))
            self._points[key] = Point(instance, metric.name, labels, point, kind)

    def points(self, name: str) -> list[Point]:
        """The last point of every series of a metric."""
        with self._lock:
            return [point for (_, metric, _), point in self._points.items() if metric == name]

    def total(self, name: str, **labels: str) -> float:
        """The sum over all instances of a cumulative metric, over the series whose labels end so."""
        return sum(
            point.count
            for point in self.points(name)
            if all(
                any(key.endswith(label) and value == wanted for key, value in point.labels.items())
                for label, wanted in labels.items()
            )
        )

    @contextmanager
    def running(self) -> Generator[OtlpSink]:
        """Serve both protocols on ports of the system's choice until the end."""
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signal = self.path.removeprefix("/v1/")
                if signal not in _SERVICES or self.headers["Content-Type"] != "application/x-protobuf":
                    return self._refuse(f"{self.path} {self.headers['Content-Type']}")
                request, response, _ = _SERVICES[signal]
                try:
                    if self.headers["Content-Encoding"] == "gzip":
                        body = gzip.decompress(body)
                    sink.take(signal, request.FromString(body))
                except (_DecodeError, OSError) as error:
                    return self._refuse(str(error))
                return self._answer(200, response().SerializeToString())

            def _refuse(self, reason: str) -> None:
                sink.refused.append(reason)
                self._answer(400, b"")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any, **options: Any) -> None:
                del args, options

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        http.daemon_threads = True
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        pool = ThreadPoolExecutor(4)
        server = grpc.server(pool)
        for signal, (_, response, register) in _SERVICES.items():
            register(_Service(self, signal, response), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.http_url = f"http://127.0.0.1:{http.server_port}"
        self.grpc_url = f"http://127.0.0.1:{port}"
        try:
            yield self
        finally:
            server.stop(None).wait()
            pool.shutdown()
            http.shutdown()
            thread.join()
            http.server_close()
        assert self.refused == []


class _Service:
    """The one method that each of OTLP's gRPC services has."""

    def __init__(self, sink: OtlpSink, signal: str, response: Any) -> None:
        self._sink = sink
        self._signal = signal
        self._response = response

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Take a request."""
        del context
        self._sink.take(self._signal, request)
        return self._response()
