"""Records calls into claudescope's own meter provider, one per process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from opentelemetry import metrics
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource

from claudescope._internal.fork import run_in_child
from claudescope._internal.version import VERSION
from claudescope._internal.waiting import PatchableLock
from claudescope.export.scraped import ScrapedMeterProvider
from claudescope.schema.catalogue import SCOPE_NAME
from claudescope.schema.record import BatchResult, CallRecord, CallStart
from claudescope.sinks import Sink
from claudescope.sinks.metrics import MetricsSink

__all__ = ["ProcessMetrics"]


class ProcessMetrics(Sink):
    """A metrics sink that starts from zero in a forked child.

    OpenTelemetry can't reset an instrument, so a child creates its own provider, readers and instruments at its first
    call.

    Args:
        readers: Creates the readers of a process.
        resource: The resource of the metrics.
        max_workflows: Most distinct workflow names; further ones are counted under `other`.
        scraped: Makes the provider of this process' endpoint, beside that of its readers; None without an endpoint.
    """

    name: ClassVar[str] = "metrics"

    def __init__(
        self,
        readers: Callable[[], Sequence[MetricReader]],
        resource: Resource,
        max_workflows: int,
        scraped: Callable[[Resource, MeterProvider | None], ScrapedMeterProvider] | None = None,
    ) -> None:
        self._readers = readers
        self._resource = resource
        self._max_workflows = max_workflows
        self._scraped = scraped
        self._lock = PatchableLock()
        self._provider: MeterProvider | None = None
        self._sink: MetricsSink | None = None
        run_in_child(self, type(self).detach_after_fork)

    def started(self, start: CallStart) -> None:
        """Count the call as in flight."""
        (self._sink or self._start_over()).started(start)

    def finished(self, record: CallRecord, context: Context | None = None) -> None:
        """Record the metrics of a finished call."""
        (self._sink or self._start_over()).finished(record, context)

    def batch_result(self, result: BatchResult) -> None:
        """Count a result of a message batch."""
        (self._sink or self._start_over()).batch_result(result)

    def start(self) -> None:
        """Create the provider of this process, if there is none yet."""
        if self._sink is None:
            self._start_over()

    def flush(self) -> None:
        """Export pending metrics. Blocks as long as the exporter does."""
        provider = self._provider
        if provider is not None:
            provider.force_flush()

    def shutdown(self) -> None:
        """Export pending metrics and stop the readers. Blocks as long as the exporter does."""
        provider, self._provider = self._provider, None
        if provider is not None:
            provider.shutdown()

    def _start_over(self) -> MetricsSink:
        with self._lock.held():
            if self._sink is None:
                self._sink = MetricsSink(self._make_provider().get_meter(SCOPE_NAME, VERSION), self._max_workflows)
            return self._sink

    def _make_provider(self) -> metrics.MeterProvider:
        readers = self._readers()
        if self._scraped is not None and not readers:
            return self._scraped(self._resource, None)
        provider = self._provider = MeterProvider(readers, self._resource, shutdown_on_exit=False)
        return provider if self._scraped is None else self._scraped(self._resource, provider)

    def detach_after_fork(self) -> None:
        """Leave the provider and the endpoint to the parent process: this process is a forked child."""
        self._provider = self._sink = self._scraped = None
