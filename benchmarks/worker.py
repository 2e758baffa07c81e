"""One process that measures one subject: reads orders from standard input, and writes an answer to each.

Run as `python -m benchmarks.worker SUBJECT`. An order is a JSON object: `{"measure": "create", "calls": 200}` is
answered with the seconds of CPU that a call took.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from benchmarks.scenarios import SCENARIOS
from benchmarks.subjects import SUBJECTS


class Sink(SpanExporter):
    """Takes spans, and does nothing: exporting is the app's choice, and the same for all."""

    def export(self, spans: Any) -> SpanExportResult:
        """Take them."""
        return SpanExportResult.SUCCESS


def set_up() -> InMemoryMetricReader:
    """Have traces and metrics go somewhere, as in an app that observes itself."""
    tracers, reader = TracerProvider(), InMemoryMetricReader()
    tracers.add_span_processor(SimpleSpanProcessor(Sink()))
    trace.set_tracer_provider(tracers)
    metrics.set_meter_provider(MeterProvider([reader]))
    return reader


def main() -> None:
    """Measure what is ordered until there are no more orders."""
    set_up()
    subject = SUBJECTS[sys.argv[1]]
    subject.switch_on()
    options: dict[str, Any] = {} if subject.traced else {"open_telemetry": False}
    runs = {name: scenario.make(options) for name, scenario in SCENARIOS.items()}
    for line in sys.stdin:
        order = json.loads(line)
        run, calls = runs[order["measure"]], order["calls"]
        run(max(calls // 10, 1))
        gc.collect()
        before = time.process_time()
        run(calls)
        print(json.dumps((time.process_time() - before) / calls), flush=True)


if __name__ == "__main__":
    main()
