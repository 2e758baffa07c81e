"""Creates OpenTelemetry's exporters in the process that uses them.

A connection does not survive a fork: a gRPC channel hangs in the child, and an HTTP connection would be shared. So an
exporter is created at its first export, and again in every child.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from opentelemetry.sdk.metrics import Counter, Histogram, ObservableCounter, ObservableGauge, ObservableUpDownCounter
from opentelemetry.sdk.metrics import UpDownCounter as UpDown
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    ConsoleMetricExporter,
    MetricExporter,
    MetricExportResult,
    MetricsData,
)
from opentelemetry.sdk.metrics.view import (
    Aggregation,
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
)
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter

from claudescope._internal.exceptions import BadInputError, require

__all__ = ["Protocol", "Signal", "console_exporter", "has_endpoint", "metric_exporter", "otlp_exporter", "protocol_of"]

Signal = Literal["traces", "metrics", "logs"]
Protocol = Literal["grpc", "http/protobuf"]

_CLASSES: Final[dict[Signal, tuple[str, str]]] = {
    "traces": ("trace_exporter", "OTLPSpanExporter"),
    "metrics": ("metric_exporter", "OTLPMetricExporter"),
    "logs": ("_log_exporter", "OTLPLogExporter"),
}
_PACKAGES: Final[dict[Protocol, str]] = {
    "grpc": "opentelemetry.exporter.otlp.proto.grpc",
    "http/protobuf": "opentelemetry.exporter.otlp.proto.http",
}
_GRPC_PORT: Final = 4317


def _standard(signal: Signal, name: str) -> str:
    """Read a standard OTLP variable. The signal's own variable overrides the common one."""
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}", "").strip()
    return own or os.environ.get(f"OTEL_EXPORTER_OTLP_{name}", "").strip()


def has_endpoint(signal: Signal) -> bool:
    """Whether a standard variable sets the endpoint of a signal."""
    return bool(_standard(signal, "ENDPOINT"))


def protocol_of(signal: Signal, endpoint: str | None = None, protocol: str | None = None) -> Protocol:
    """The protocol of a signal: the argument, else the standard variables, else by the port of the endpoint.

    Raises:
        BadInputError: OpenTelemetry for Python does not support the protocol.
    """
    source = "protocol"
    if protocol is None:
        source, protocol = "OTEL_EXPORTER_OTLP_PROTOCOL", _standard(signal, "PROTOCOL")
    if not protocol:
        grpc = _port(endpoint or _standard(signal, "ENDPOINT")) == _GRPC_PORT
        return "grpc" if grpc else "http/protobuf"
    if protocol in _PACKAGES:
        return protocol
    raise BadInputError(f"{source}={protocol}: expected grpc or http/protobuf")


def _port(endpoint: str) -> int | None:
    try:
        return urlsplit(endpoint if "//" in endpoint else f"//{endpoint}").port
    except ValueError:
        raise BadInputError(f"endpoint {endpoint}: expected a URL, such as http://127.0.0.1:4318") from None


def otlp_exporter(signal: Signal, endpoint: str | None = None, protocol: str | None = None) -> _Lazy:
    """Create an OTLP exporter of OpenTelemetry's, which reads its standard variables.

    Args:
        signal: The signal that it sends.
        endpoint: Base URL. Overrides the variables.
        protocol: The protocol. Overrides the variables.

    Raises:
        BadInputError: The endpoint or the protocol is invalid.
        MissingExtraError: The extra `otlp` is not installed.
    """
    protocol = protocol_of(signal, endpoint, protocol)
    if endpoint is not None and urlsplit(endpoint).scheme not in {"http", "https"}:
        raise BadInputError(f"endpoint {endpoint}: expected a URL, such as http://127.0.0.1:4318")
    if protocol == "grpc" and "grpc" not in sys.modules:
        # gRPC reads this when it is imported. Without it, a child can't send once its parent has sent something.
        os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "1")
    module, name = _CLASSES[signal]
    package = _PACKAGES[protocol]
    require(package, extra="otlp", feature="OTLP")
    make: Any = getattr(import_module(f"{package}.{module}"), name)
    options: dict[str, Any] = {}
    if endpoint is not None:
        http = protocol == "http/protobuf"
        options["endpoint"] = f"{endpoint.rstrip('/')}/v1/{signal}" if http else endpoint
    return _Lazy(lambda: make(**options))


def console_exporter(signal: Signal) -> Any:
    """Create an exporter that prints to standard error, as standard output belongs to the app."""
    if signal == "traces":
        return ConsoleSpanExporter(out=sys.stderr)
    if signal == "metrics":
        return ConsoleMetricExporter(out=sys.stderr)
    export: Any = import_module("opentelemetry.sdk._logs.export")
    # Renamed in 1.36 of the SDK.
    return (getattr(export, "ConsoleLogRecordExporter", None) or export.ConsoleLogExporter)(out=sys.stderr)


class _Lazy(SpanExporter):
    """An exporter that is created in each process at its first export."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._exporter: Any = None
        self._pid = os.getpid()
        self._inherited: list[Any] = []
        self._closed = False

    def get(self) -> Any:
        """The exporter of this process."""
        if self._pid != os.getpid():
            # Kept, as freeing it would close the parent's connection.
            self._inherited.append(self._exporter)
            self._exporter, self._pid, self._closed = None, os.getpid(), False
        if self._exporter is None:
            self._exporter = self._make()
        return self._exporter

    def export(self, spans: Any) -> Any:
        """Export in this process."""
        return self.get().export(spans)

    def shutdown(self) -> None:
        """Shut the exporter down, if this process has created it."""
        if self._exporter is not None and self._pid == os.getpid():
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Do nothing: this exporter keeps no telemetry."""
        del timeout_millis
        return True


class _ProcessMetricExporter(MetricExporter):
    """An exporter of the metrics of one process.

    After a fork OpenTelemetry's reader also runs in the child, with the parent's counts. Its exports there are dropped,
    as the parent exports these counts itself.
    """

    def __init__(
        self,
        exporter: _Lazy | MetricExporter,
        temporality: dict[type, AggregationTemporality],
        aggregation: dict[type, Aggregation],
    ) -> None:
        super().__init__(preferred_temporality=temporality, preferred_aggregation=aggregation)
        self._target: Any = exporter
        self._pid = os.getpid()

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        if self._pid != os.getpid():
            return MetricExportResult.SUCCESS
        target: Any = self._target.get() if isinstance(self._target, _Lazy) else self._target
        result: MetricExportResult = target.export(metrics_data, timeout_millis=timeout_millis, **kwargs)
        return result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        del timeout_millis
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        del timeout_millis, kwargs
        if self._pid == os.getpid():
            self._target.shutdown()


def metric_exporter(exporter: _Lazy | MetricExporter, *, otlp: bool) -> MetricExporter:
    """Create an exporter of this process' metrics, with the temporality and histograms that the environment sets.

    Args:
        exporter: The exporter that sends or prints.
        otlp: Whether it is an OTLP exporter. OTLP supports exponential histograms, whose percentiles are accurate to a
            few percent.
    """
    return _ProcessMetricExporter(exporter, _temporality(), {Histogram: _histograms()} if otlp else {})


def _temporality() -> dict[type, AggregationTemporality]:
    """The temporality per instrument, by OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE.

    As specified in https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/otlp/. OpenTelemetry's exporters read
    the variable when they are created, which here is after their reader needs it.
    """
    name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
    preference = os.environ.get(name, "").strip().lower() or "cumulative"
    if preference not in {"cumulative", "delta", "lowmemory"}:
        raise BadInputError(f"{name}={preference}: expected cumulative, delta or lowmemory")
    delta: tuple[type, ...] = ()
    if preference != "cumulative":
        delta = (Counter, Histogram) if preference == "lowmemory" else (Counter, Histogram, ObservableCounter)
    return {
        instrument: AggregationTemporality.DELTA if instrument in delta else AggregationTemporality.CUMULATIVE
        for instrument in (Counter, UpDown, Histogram, ObservableCounter, ObservableUpDownCounter, ObservableGauge)
    }


def _histograms() -> Aggregation:
    name = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
    wanted = os.environ.get(name, "").strip().lower() or "base2_exponential_bucket_histogram"
    if wanted == "explicit_bucket_histogram":
        return ExplicitBucketHistogramAggregation()
    if wanted == "base2_exponential_bucket_histogram":
        return ExponentialBucketHistogramAggregation()
    raise BadInputError(f"{name}={wanted}: expected explicit_bucket_histogram or base2_exponential_bucket_histogram")
