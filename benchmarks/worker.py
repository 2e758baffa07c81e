"""A process that measures one subject. Reads orders from standard input and writes a result for each.

Run as `python -m benchmarks.worker SUBJECT SCENARIO …`. An order is one line of JSON:

    {"cpu": "create", "seconds": 0.1}      CPU seconds of a call, of all threads of the process
    {"memory": "create", "calls": 20}      bytes at the peak of a call, and bytes kept after it
"""

from __future__ import annotations

import gc
import json
import math
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from benchmarks.scenarios import SCENARIOS
from benchmarks.subjects import SUBJECTS

__all__ = ["Nowhere", "runs", "set_up"]

Run = Callable[[int], None]


class Nowhere(SpanExporter):
    """Drops spans, as the cost of exporting them is the same for all subjects."""

    def export(self, spans: Any) -> SpanExportResult:
        """Drop the spans."""
        return SpanExportResult.SUCCESS


def set_up() -> None:
    """Set up providers for traces and metrics that sample every trace, as an instrumented app has."""
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(Nowhere()))
    trace.set_tracer_provider(tracers)
    metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()]))


def runs(subject: str, scenarios: Sequence[str] = ()) -> dict[str, Run]:
    """Enable a subject, and return a function for each of these scenarios, or for all."""
    chosen = SUBJECTS[subject]
    after = chosen.switch_on()
    options: dict[str, Any] = {} if chosen.traced else {"open_telemetry": False}

    def run_of(name: str) -> Run:
        run, streams = SCENARIOS[name].make(options), SCENARIOS[name].streams
        if after is None:
            return run
        records = after

        def run_and_record(count: int) -> None:
            for _ in range(count):
                run(1)
                records(streams)

        return run_and_record

    return {name: run_of(name) for name in scenarios or SCENARIOS}


def _cpu(run: Run, seconds: float) -> float:
    """Return the CPU seconds of the fastest call within a number of seconds.

    Each call is measured on its own: a core that is shared with another machine changes its speed twofold for seconds
    at a time, and a longer measurement would mix both speeds.
    """
    run(2)
    gc.collect()
    # The garbage collector runs at random times, and its work depends on all objects of the process.
    gc.disable()
    fastest, now = math.inf, time.process_time()
    until = now + seconds
    while now < until:
        before = time.process_time()
        run(1)
        now = time.process_time()
        fastest = min(fastest, now - before)
    gc.enable()
    return fastest


def _memory(run: Run, calls: int) -> tuple[float, float]:
    tracemalloc.start()
    run(calls)
    gc.collect()
    at_first, _ = tracemalloc.get_traced_memory()
    peaks = 0
    for _ in range(calls):
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        run(1)
        peaks += tracemalloc.get_traced_memory()[1] - before
    gc.collect()
    at_last, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peaks / calls, (at_last - at_first) / calls


def main() -> None:
    """Process orders until standard input ends."""
    set_up()
    known = runs(sys.argv[1], sys.argv[2:])
    for run in known.values():
        run(2)  # triggers late imports
    time.sleep(2)  # until background imports are done
    # Output of a library must not mix with the results.
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        order = json.loads(line)
        if "cpu" in order:
            answer: object = _cpu(known[order["cpu"]], order["seconds"])
        else:
            answer = _memory(known[order["memory"]], order["calls"])
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
