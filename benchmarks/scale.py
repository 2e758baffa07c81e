"""Measures whether many threads, many streams and a large scrape notice claudescope.

    python -m benchmarks.scale [--print]

With and without alternate in one process, against the API in the client's transport.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import gc
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import anthropic
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest

import claudescope
from benchmarks.page import machine, publish, table
from benchmarks.stub import REQUEST, AsyncTransport, Transport, http
from benchmarks.worker import set_up
from claudescope.schema.catalogue import METRICS
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.sinks.metrics import MetricsSink

__all__: list[str] = []

THREADS: Final = 64
STREAMS: Final = 1000
ROUNDS: Final = 15
STREAM_ROUNDS: Final = 7
SIZES: Final = ((5, 10, 5), (20, 50, 15))
"""Models, workflows and kinds of errors that are scraped: of an app, and of the largest that is thought of."""
SCRAPES: Final = 3
IMPORTS: Final = 15


def _threads() -> Callable[[], float]:
    """Calls a second of 64 threads that share a client."""
    client = anthropic.Anthropic(api_key="key", http_client=http.Client(transport=Transport()))
    each = 8

    def call(barrier: threading.Barrier) -> None:
        barrier.wait()
        for _ in range(each):
            client.messages.create(**REQUEST)

    def run() -> float:
        barrier = threading.Barrier(THREADS + 1)
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in range(THREADS):
                pool.submit(call, barrier)
            barrier.wait()
            # Processor time, as the threads share one interpreter: what else the machine does is not in it.
            started = time.process_time()
        return THREADS * each / (time.process_time() - started)

    return run


def _streams() -> Callable[[], float]:
    """Streams a second where a thousand are open at once, each read event by event in turn with the others."""
    client = anthropic.AsyncAnthropic(api_key="key", http_client=http.AsyncClient(transport=AsyncTransport()))

    async def read(opened: Any) -> None:
        async for _event in opened:
            await asyncio.sleep(0)  # as a network would, lets the others run

    async def many() -> float:
        started = time.process_time()
        opened = await asyncio.gather(*(client.messages.create(**REQUEST, stream=True) for _ in range(STREAMS)))
        await asyncio.gather(*(read(stream) for stream in opened))
        return STREAMS / (time.process_time() - started)

    loop = asyncio.new_event_loop()
    return lambda: loop.run_until_complete(many())


def throughput(make: Callable[[], Callable[[], float]], rounds: int) -> tuple[float, float]:
    """Calls a second without and with claudescope, which alternate: the fastest round of each."""
    run = make()
    found: dict[bool, list[float]] = {False: [], True: []}
    claudescope.instrument()
    run()
    for number in range(rounds):
        for on in (False, True) if number % 2 else (True, False):
            (claudescope.instrument if on else claudescope.uninstrument)()
            gc.collect()
            found[on].append(run())
    claudescope.uninstrument()
    return max(found[False]), max(found[True])


@dataclass(frozen=True)
class Scrape:
    """What it takes to answer a scrape.

    Attributes:
        seconds: CPU for all of it: claudescope's callbacks, OpenTelemetry's collection, Prometheus' text.
        own: CPU of claudescope's callbacks alone.
        series: Lines of the answer that are samples.
        size: Bytes of the answer.
    """

    seconds: float
    own: float
    series: int
    size: int


def scrape(models: int, workflows: int, error_types: int) -> Scrape:
    """A scrape of what every combination of models, workflows and kinds gives, in the fastest of some rounds.

    Of more than 2,000 combinations an instrument, OpenTelemetry's default, the answer has as many.
    """
    from tests.records import make_record

    registry = CollectorRegistry()
    provider = MeterProvider([PrometheusMetricReader(registry=registry)])
    sink = MetricsSink(provider.get_meter("scale"), max_workflows=workflows)
    kinds = list(ERROR_TYPES)[:error_types]
    for model in range(models):
        for workflow in range(workflows):
            names = {"request_model": f"claude-{model}", "response_model": f"claude-{model}"}
            sink.finished(make_record(workflow=f"workflow-{workflow}", **names))
            for kind in kinds:
                sink.finished(
                    make_record(workflow=f"workflow-{workflow}", outcome="error", error_type=kind, usage=None, **names)
                )
    took: list[float] = []
    own: list[float] = []
    text = b""
    observed = [sink._store.callback(metric) for metric in METRICS if metric.instrument != "histogram"]
    for _ in range(SCRAPES):
        started = time.process_time()
        text = generate_latest(registry)
        took.append(time.process_time() - started)
        started = time.process_time()
        for callback in observed:
            list(callback(CallbackOptions()))
        own.append(time.process_time() - started)
    series = sum(not line.startswith(b"#") for line in text.splitlines())
    return Scrape(min(took), min(own), series, len(text))


def imports() -> float:
    """Milliseconds of CPU that `import claudescope; instrument()` adds to an app with the SDKs imported."""
    script = (
        "import time, anthropic, opentelemetry.sdk.trace, opentelemetry.sdk.metrics; before = time.process_time(); "
        "import claudescope; claudescope.instrument(); print(time.process_time() - before)"
    )
    with tempfile.TemporaryDirectory() as place:
        # Compiled once, as an installer leaves it: in a folder of its own, whatever the environment says of bytecode.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": place}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        run = functools.partial(
            subprocess.run, [sys.executable, "-c", script], check=True, capture_output=True, text=True, env=environment
        )
        run()
        return min(float(run().stdout) for _ in range(IMPORTS)) * 1000


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--print", action="store_true", help="print the tables, and leave the page as it is")
    options = parser.parse_args()
    set_up()
    rows = [
        (title, *throughput(make, rounds))
        for title, make, rounds in (
            (f"calls of {THREADS} threads", _threads, ROUNDS),
            (f"{STREAMS:,} open streams of 200 events, async", _streams, STREAM_ROUNDS),
        )
    ]
    throughputs = table(
        ["a second of CPU does", "without", "with", "with / without"],
        [[title, f"{off:,.0f}", f"{on:,.0f}", f"{on / off:.3f}"] for title, off, on in rows],
    )
    scraped = [(size, scrape(*size)) for size in SIZES]
    scrapes = table(
        ["a scrape of models x workflows x kinds of errors", "series", "MB", "CPU", "of which claudescope's own"],
        [
            [
                " x ".join(map(str, size)),
                f"{found.series:,}",
                f"{found.size / 1e6:.1f}",
                f"{found.seconds * 1e3:,.0f} ms",
                f"{found.own * 1e3:,.1f} ms",
            ]
            for size, found in scraped
        ],
    )
    started = (
        f"`import claudescope; claudescope.instrument()` takes {imports():.0f} ms of CPU in an app that has imported "
        f"`anthropic` and OpenTelemetry's SDK: the fastest of {IMPORTS} processes."
    )
    text = f"Measured on {machine()}.\n\n{throughputs}\n\n{scrapes}\n\n{started}\n"
    if options.print:
        print(text)
    else:
        publish("scale", text)


if __name__ == "__main__":
    main()
