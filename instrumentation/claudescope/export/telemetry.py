"""What `configure` has set up: builds it, and is the handle that the app gets."""

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

from claudescope.export.destinations import Plan
from claudescope.export.exporters import Signal, console_exporter, metric_exporter, otlp_exporter
from claudescope.export.process_metrics import ProcessMetrics
from claudescope.export.resource import ProcessResource
from claudescope.export.shutdown import Leaving
from claudescope.lifecycle import attach, detach
from claudescope.probe import flush as flush_probe
from claudescope.schema.record import CallStart
from claudescope.sinks import Sink

if TYPE_CHECKING:
    from claudescope.export.prometheus import MetricsEndpoint

__all__ = ["Telemetry"]

_log: Final = logging.getLogger("claudescope")


class _Children(Sink):
    """Tells when a forked child makes its first call."""

    name: ClassVar[str] = "export"

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._pid = os.getpid()

    def started(self, start: CallStart) -> None:
        """See which process this is."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._tell()


class Telemetry:
    """A handle on what `configure` has set up.

    Attributes:
        metrics_url: Where Prometheus finds the metrics; None without an endpoint of claudescope's.
        ended: It has been shut down.
    """

    def __init__(
        self, plan: Plan, endpoint: str | None, resource: ProcessResource, *, max_workflows: int, exit_timeout: float
    ) -> None:
        self._plan = plan
        self._endpoint = endpoint
        self._resource = resource
        # What can fail is made first: the port, and exporters whose packages may be missing.
        self._prometheus = None if plan.prometheus is None else _endpoint(*plan.prometheus)
        self.metrics_url = None if self._prometheus is None else self._prometheus.url
        try:
            self._exporters: dict[Signal, Any] = {
                signal: otlp_exporter(signal, endpoint, protocol) for signal, protocol in plan.otlp.items()
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
        self._leaving = Leaving([] if plan.nothing else jobs, exit_timeout)
        self._home = os.getpid()
        self.ended = False

    @property
    def nothing(self) -> bool:
        """Whether nothing goes anywhere."""
        return self._plan.nothing

    def watch(self) -> None:
        """Be ready for the end of the process: best called in the main thread, which alone can mind SIGTERM."""
        self._leaving.watch()

    def start(self) -> None:
        """Take the places that the app has left free, and begin to export."""
        self._start_traces()
        self._start_logs()
        if isinstance(metrics.get_meter_provider(), MeterProvider) and not self._plan.explicit:
            self.metrics_sink = None  # the app's own provider has them
        if not self._plan.nothing:
            self._sinks.append(_Children(self._in_child))
        if self.metrics_sink is not None:
            self.metrics_sink.start()
            self._sinks.append(self.metrics_sink)
        for sink in self._sinks:
            attach(sink)
        if self._prometheus is not None:
            self._prometheus.start()
        self.watch()

    def flush(self, timeout: float = 5.0) -> bool:
        """Deliver what there is.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether the exporters have ended their work in time.
        """
        flush_probe()
        return self._leaving.run(timeout)

    def shutdown(self, timeout: float = 5.0) -> bool:
        """Deliver what there is and export no more. Calls go on being seen, for the report.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether everything was delivered in time.
        """
        delivered = self.flush(timeout)
        self.ended = True
        self._leaving.forget()
        for sink in self._sinks:
            detach(sink)
        endings: list[tuple[str, Callable[[], object]]] = [
            (str(number), processor.shutdown)
            for number, processor in enumerate([*self._span_processors, *self._log_processors])
        ]
        if self.metrics_sink is not None:
            endings.append(("metrics", self.metrics_sink.shutdown))
        last = Leaving(endings, timeout)
        last.watch()
        last.forget()
        ended = last.run(timeout)
        if self._prometheus is not None:
            self._prometheus.stop()
        return delivered and ended

    def _make_metrics(self, max_workflows: int) -> ProcessMetrics | None:
        """The sink of claudescope's own provider; None where metrics go nowhere."""
        if "metrics" not in self._plan.otlp and "metrics" not in self._plan.console and self._prometheus is None:
            return None
        if "metrics" in self._exporters:
            metric_exporter(self._exporters["metrics"], otlp=True)  # tells now of a mistake in a variable
        return ProcessMetrics(self._readers, self._resource, max_workflows)

    def _make_readers(self) -> list[Callable[[], MetricReader]]:
        makers: list[Callable[[], MetricReader]] = []
        if "metrics" in self._exporters:
            makers.append(lambda: PeriodicExportingMetricReader(metric_exporter(self._exporters["metrics"], otlp=True)))
        if "metrics" in self._plan.console:
            makers.append(
                lambda: PeriodicExportingMetricReader(metric_exporter(console_exporter("metrics"), otlp=False))
            )
        return makers

    def _readers(self) -> Sequence[MetricReader]:
        readers = [make() for make in self._make_readers()]
        if self._prometheus is not None and self._home == os.getpid():
            readers.append(self._prometheus.reader)
        return readers

    def _in_child(self) -> None:
        """A forked child makes its first call."""
        self.watch()
        if self._prometheus is not None:
            self._prometheus.abandon()
            _log.warning(
                "claudescope: %s serves the process that configured it, and not this child of it. "
                "Start the app with `claudescope run --metrics-port` to have the sum of all processes",
                self.metrics_url,
            )

    def _start_traces(self) -> None:
        processors: list[Any] = []
        if "traces" in self._exporters:
            processors.append(BatchSpanProcessor(self._exporters["traces"]))
        if "traces" in self._plan.console:
            processors.append(SimpleSpanProcessor(console_exporter("traces")))
        provider: Any = trace.get_tracer_provider()
        if isinstance(provider, trace.ProxyTracerProvider):
            if not processors:
                return
            provider = TracerProvider(resource=self._resource, shutdown_on_exit=False)
            trace.set_tracer_provider(provider)
        elif not self._plan.explicit or not hasattr(provider, "add_span_processor"):
            return
        for processor in processors:
            provider.add_span_processor(processor)
        self._span_processors = processors

    def _start_logs(self) -> None:
        if "logs" not in self._exporters and "logs" not in self._plan.console:
            return
        api: Any = import_module("opentelemetry._logs")
        sdk: Any = import_module("opentelemetry.sdk._logs")
        export: Any = import_module("opentelemetry.sdk._logs.export")
        processors: list[Any] = []
        if "logs" in self._exporters:
            processors.append(export.BatchLogRecordProcessor(self._exporters["logs"]))
        if "logs" in self._plan.console:
            processors.append(export.SimpleLogRecordProcessor(console_exporter("logs")))
        provider: Any = api.get_logger_provider()
        if not isinstance(provider, sdk.LoggerProvider):
            provider = sdk.LoggerProvider(resource=self._resource, shutdown_on_exit=False)
            api.set_logger_provider(provider)
        elif not self._plan.explicit:
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
    # Its HTTP server takes some time to import, and most apps have none
    from claudescope.export.prometheus import MetricsEndpoint

    return MetricsEndpoint(port, host)
