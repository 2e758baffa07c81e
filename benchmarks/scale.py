"""Measures the effect of claudescope on many threads, many streams, a large scrape and the start of an app.

    python -m benchmarks.scale [--print]

Rounds with and without claudescope alternate in one process, with the fake API in the client's transport.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import gc
import gzip
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import anthropic
from opentelemetry.metrics import CallbackOptions
from opentelemetry.sdk.resources import Resource

import claudescope
from benchmarks.page import machine, publish, table
from benchmarks.stub import REQUEST, AsyncTransport, Transport, http
from benchmarks.worker import set_up
from claudescope.export.exposition import ScrapeCollector, make_app
from claudescope.export.scraped import ScrapedMeterProvider
from claudescope.schema.catalogue import METRICS
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.sinks.metrics import MetricsSink

__all__: list[str] = []

THREADS: Final = 64
STREAMS: Final = 1000
ROUNDS: Final = 15
STREAM_ROUNDS: Final = 7
SIZES: Final = ((5, 10, 5), (20, 50, 15))
"""Numbers of models, workflows and error types in a scrape: of a usual app, and of a very large one."""
SCRAPES: Final = 3
IMPORTS: Final = 15


def _threads() -> Callable[[], float]:
    """Calls per second of CPU of 64 threads that share a client."""
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
            # CPU time, as the threads share one interpreter. Other load on the machine is not included.
            started = time.process_time()
        return THREADS * each / (time.process_time() - started)

    return run


def _streams() -> Callable[[], float]:
    """Streams per second of CPU while a thousand are open and read in turn, event by event."""
    client = anthropic.AsyncAnthropic(api_key="key", http_client=http.AsyncClient(transport=AsyncTransport()))

    async def read(opened: Any) -> None:
        async for _event in opened:
            await asyncio.sleep(0)  # lets the others run, as a network does

    async def many() -> float:
        started = time.process_time()
        opened = await asyncio.gather(*(client.messages.create(**REQUEST, stream=True) for _ in range(STREAMS)))
        await asyncio.gather(*(read(stream) for stream in opened))
        return STREAMS / (time.process_time() - started)

    loop = asyncio.new_event_loop()
    return lambda: loop.run_until_complete(many())


def throughput(make: Callable[[], Callable[[], float]], rounds: int) -> tuple[float, float]:
    """Return the calls per second of CPU in the fastest round without and with claudescope."""
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
    """Cost of a scrape.

    Attributes:
        first: CPU seconds of the first scrape, in which the text of every label is new.
        seconds: CPU seconds of a later one, compressed as Prometheus asks for it.
        own: CPU seconds of the callbacks of counters, which other exporters need too.
        series: Number of samples in the response.
        size: Size of the response in bytes before compression.
    """

    first: float
    seconds: float
    own: float
    series: int
    size: int


def scrape(models: int, workflows: int, error_types: int) -> Scrape:
    """Measure the fastest scrape of all combinations of models, workflows and error types.

    A histogram keeps 2,000 combinations, as with OpenTelemetry.
    """
    from tests.records import make_record

    collector = ScrapeCollector()
    collector.provider = ScrapedMeterProvider(Resource.create())
    app = make_app(collector)
    sink = MetricsSink(collector.provider.get_meter("scale"), max_workflows=workflows)
    names_of_types = list(ERROR_TYPES)[:error_types]
    for model in range(models):
        for workflow in range(workflows):
            names = {"request_model": f"claude-{model}", "response_model": f"claude-{model}"}
            sink.finished(make_record(workflow=f"workflow-{workflow}", **names))
            for error_type in names_of_types:
                sink.finished(
                    make_record(
                        workflow=f"workflow-{workflow}", outcome="error", error_type=error_type, usage=None, **names
                    )
                )
    took: list[float] = []
    own: list[float] = []
    body = b""
    observed = [sink._store.callback(metric) for metric in METRICS if metric.instrument != "histogram"]
    for _ in range(1 + SCRAPES):
        started = time.process_time()
        body = _scraped(app)
        took.append(time.process_time() - started)
        started = time.process_time()
        for callback in observed:
            list(callback(CallbackOptions()))
        own.append(time.process_time() - started)
    text = gzip.decompress(body)
    series = sum(not line.startswith(b"#") for line in text.splitlines())
    return Scrape(took[0], min(took[1:]), min(own), series, len(text))


def _scraped(app: Callable[..., Iterable[bytes]]) -> bytes:
    """What Prometheus gets."""
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
    environ = {"HTTP_ACCEPT": accept, "HTTP_ACCEPT_ENCODING": "gzip", "PATH_INFO": "/metrics", "REQUEST_METHOD": "GET"}
    return b"".join(app(environ, _ignored))


def _ignored(*_: object) -> None:
    """Takes the status and the headers of a response."""


def imports() -> float:
    """Return the CPU milliseconds of `import claudescope; instrument()` in an app that has imported the SDKs."""
    script = (
        "import time, anthropic, opentelemetry.sdk.trace, opentelemetry.sdk.metrics; before = time.process_time(); "
        "import claudescope; claudescope.instrument(); print(time.process_time() - before)"
    )
    with tempfile.TemporaryDirectory() as place:
        # Uses compiled bytecode, as an installer leaves it, whatever the environment says about bytecode.
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
    parser.add_argument("--print", action="store_true", help="print the tables without changing the page")
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
        ["per second of CPU", "without", "with", "with / without"],
        [[title, f"{off:,.0f}", f"{on:,.0f}", f"{on / off:.3f}"] for title, off, on in rows],
    )
    scraped = [(size, scrape(*size)) for size in SIZES]
    scrapes = table(
        ["scrape of models x workflows x error types", "series", "MB", "CPU", "CPU of the first", "of which counters"],
        [
            [
                " x ".join(map(str, size)),
                f"{found.series:,}",
                f"{found.size / 1e6:.1f}",
                f"{found.seconds * 1e3:,.0f} ms",
                f"{found.first * 1e3:,.0f} ms",
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
