"""The handle that `configure` returns. Creates exporters and providers, and shuts them down."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Final

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

from claudescope.export.destinations import Destinations
from claudescope.export.exporters import Signal, console_exporter, metric_exporter, otlp_exporter
from claudescope.export.process_metrics import ProcessMetrics
from claudescope.export.resource import ProcessResource
from claudescope.export.shutdown import ExitHandler
from claudescope.lifecycle import attach, detach
from claudescope.probe import flush as flush_probe
from claudescope.schema.record import CallStart
from claudescope.sinks import Sink

if TYPE_CHECKING:
    from claudescope.export.prometheus import MetricsEndpoint

__all__ = ["Telemetry"]

_log: Final = logging.getLogger("claudescope")


class _ForkDetector(Sink):
    """Calls back at the first call of a forked child."""

    name: ClassVar[str] = "export"

    def __init__(self, on_fork: Callable[[], None]) -> None:
        self._on_fork = on_fork
        self._pid = os.getpid()

    def started(self, start: CallStart) -> None:
        """Check whether the process has changed."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._on_fork()


class Telemetry:
    """A handle for what `configure` has set up.

    Attributes:
        metrics_url: The URL of the Prometheus endpoint; None without one.
        ended: Whether it has been shut down.
    """

    def __init__(
        self,
        destinations: Destinations,
        endpoint: str | None,
        resource: ProcessResource,
        *,
        max_workflows: int,
        exit_timeout: float,
    ) -> None:
        self._destinations = destinations
        self._endpoint = endpoint
        self._resource = resource
        # These may fail: the port may be taken, and packages of exporters may be missing.
        self._prometheus = None if destinations.prometheus is None else _endpoint(*destinations.prometheus)
        self.metrics_url = None if self._prometheus is None else self._prometheus.url
        try:
            self._exporters: dict[Signal, Any] = {
                signal: otlp_exporter(signal, endpoint, protocol) for signal, protocol in destinations.otlp.items()
            }
            self.metrics_sink = self._make_metrics(max_workflows)
        except BaseException:
            if self._prometheus is not None:
                self._prometheus.stop()
            raise
        self._sinks: list[Sink] = []
        self._span_processors: list[Any] = []
        self._log_processors: list[Any] = []
        jobs: list[tuple[str, Callable[[], object]]] = [("metrics", self._flush_metrics)]
        jobs += [("spans", self._flush_spans), ("logs", self._flush_logs)]
        self._exit_handler = ExitHandler([] if destinations.is_empty else jobs, exit_timeout)
        self.ended = False

    @property
    def is_empty(self) -> bool:
        """Whether no signal goes anywhere."""
        return self._destinations.is_empty

    def install_exit_handler(self) -> None:
        """Deliver pending telemetry at exit. Handles SIGTERM only if called in the main thread."""
        self._exit_handler.install()

    def start(self) -> None:
        """Set the providers that the app has not set, and start to export."""
        self._start_traces()
        self._start_logs()
        if isinstance(metrics.get_meter_provider(), MeterProvider) and not self._destinations.explicit:
            self.metrics_sink = None  # the app's own provider gets the metrics
        if not self._destinations.is_empty:
            self._sinks.append(_ForkDetector(self._in_child))
        if self.metrics_sink is not None:
            self.metrics_sink.start()
            self._sinks.append(self.metrics_sink)
        for sink in self._sinks:
            attach(sink)
        if self._prometheus is not None:
            self._prometheus.start()
        self.install_exit_handler()

    def flush(self, timeout: float = 5.0) -> bool:
        """Deliver pending telemetry.

        Args:
            timeout: The longest time to wait, in seconds.

        Returns:
            Whether all exporters finished in time.
        """
        flush_probe()
        return self._exit_handler.run(timeout)

    def shutdown(self, timeout: float = 5.0) -> bool:
        """Deliver pending telemetry and stop exporting. The report continues to count calls.

        Args:
            timeout: The longest time to wait, in seconds.

        Returns:
            Whether everything was delivered in time.
        """
        delivered = self.flush(timeout)
        self.ended = True
        self._exit_handler.cancel()
        for sink in self._sinks:
            detach(sink)
        shutdowns: list[tuple[str, Callable[[], object]]] = [
            (str(number), processor.shutdown)
            for number, processor in enumerate([*self._span_processors, *self._log_processors])
        ]
        if self.metrics_sink is not None:
            shutdowns.append(("metrics", self.metrics_sink.shutdown))
        runner = ExitHandler(shutdowns, timeout)
        runner.install()
        runner.cancel()
        ended = runner.run(timeout)
        if self._prometheus is not None:
            self._prometheus.stop()
        return delivered and ended

    def _make_metrics(self, max_workflows: int) -> ProcessMetrics | None:
        """Create the sink for claudescope's own provider; None where metrics have no destination."""
        if (
            "metrics" not in self._destinations.otlp
            and "metrics" not in self._destinations.console
            and self._prometheus is None
        ):
            return None
        if "metrics" in self._exporters:
            metric_exporter(self._exporters["metrics"], otlp=True)  # reports an invalid variable now
        scraped = None if self._prometheus is None else self._prometheus.provider
        return ProcessMetrics(self._readers, self._resource, max_workflows, scraped)

    def _make_readers(self) -> list[Callable[[], MetricReader]]:
        factories: list[Callable[[], MetricReader]] = []
        if "metrics" in self._exporters:
            factories.append(
                lambda: PeriodicExportingMetricReader(metric_exporter(self._exporters["metrics"], otlp=True))
            )
        if "metrics" in self._destinations.console:
            factories.append(
                lambda: PeriodicExportingMetricReader(metric_exporter(console_exporter("metrics"), otlp=False))
            )
        return factories

    def _readers(self) -> Sequence[MetricReader]:
        return [make() for make in self._make_readers()]

    def _in_child(self) -> None:
        """Handle the first call of a forked child."""
        self.install_exit_handler()
        if self._prometheus is not None:
            self._prometheus.close_in_child()
            _log.warning(
                "claudescope: %s serves the metrics of the parent process, but not of this forked child. "
                "Start the app with `claudescope run --metrics-port` to serve the sum of all processes",
                self.metrics_url,
            )

    def _start_traces(self) -> None:
        processors: list[Any] = []
        if "traces" in self._exporters:
            processors.append(BatchSpanProcessor(self._exporters["traces"]))
        if "traces" in self._destinations.console:
            processors.append(SimpleSpanProcessor(console_exporter("traces")))
        provider: Any = trace.get_tracer_provider()
        if isinstance(provider, trace.ProxyTracerProvider):
            if not processors:
                return
            provider = TracerProvider(resource=self._resource, shutdown_on_exit=False)
            trace.set_tracer_provider(provider)
        elif not self._destinations.explicit or not hasattr(provider, "add_span_processor"):
            return
        for processor in processors:
            provider.add_span_processor(processor)
        self._span_processors = processors

    def _start_logs(self) -> None:
        if "logs" not in self._exporters and "logs" not in self._destinations.console:
            return
        api: Any = import_module("opentelemetry._logs")
        sdk: Any = import_module("opentelemetry.sdk._logs")
        export: Any = import_module("opentelemetry.sdk._logs.export")
        processors: list[Any] = []
        if "logs" in self._exporters:
            processors.append(export.BatchLogRecordProcessor(self._exporters["logs"]))
        if "logs" in self._destinations.console:
            processors.append(export.SimpleLogRecordProcessor(console_exporter("logs")))
        provider: Any = api.get_logger_provider()
        if not isinstance(provider, sdk.LoggerProvider):
            provider = sdk.LoggerProvider(resource=self._resource, shutdown_on_exit=False)
            api.set_logger_provider(provider)
        elif not self._destinations.explicit:
            return
        for processor in processors:
            provider.add_log_record_processor(processor)
        self._log_processors = processors

    def _flush_metrics(self) -> None:
        if self.metrics_sink is not None:
            self.metrics_sink.flush()

    def _flush_spans(self) -> None:
        for processor in self._span_processors:
            processor.force_flush()

    def _flush_logs(self) -> None:
        for processor in self._log_processors:
            processor.force_flush()


def _endpoint(port: int, host: str) -> MetricsEndpoint:
    # Imported here, as its HTTP server takes some time to import and most apps don't need it
    from claudescope.export.prometheus import MetricsEndpoint

    return MetricsEndpoint(port, host)
