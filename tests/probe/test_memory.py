"""What claudescope keeps does not grow with the calls it sees, nor with the names in them or the length of a stream.

`make test-memory` runs these with a million calls and a hundred thousand events.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
import tracemalloc
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final

import anthropic
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import claudescope
from claudescope._internal import internal_errors
from claudescope.pricing.price_book import PriceBook
from claudescope.probe.probe import Probe
from claudescope.reporting.sink import ReportSink
from claudescope.sinks.metrics import MetricsSink
from claudescope.testing import capture_calls
from tests.scripted import REQUEST, events, http, server_sent

_CALLS: Final = int(os.environ.get("CLAUDESCOPE_CALLS", "5000"))
_EVENTS: Final = int(os.environ.get("CLAUDESCOPE_EVENTS", "20000"))
_NAMES: Final = 100_000
"""Distinct names; more calls than that use them again."""

_FILL: Final = 3000
"""Calls with names of their own after which every cap has been reached."""


def test_names_without_end_take_no_memory_without_end() -> None:
    """Calls under ever new names, models from the wire and servers take no more memory than the first thousands."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    sinks = [MetricsSink(provider.get_meter("test")), ReportSink()]
    probe = Probe(sinks, PriceBook(None), spans="off", tracer=trace.get_tracer("test"), sdk_traces=True)

    def call_under(number: int) -> None:
        url = SimpleNamespace(host=f"server-{number}", port=443, scheme="https")
        options = SimpleNamespace(method="post", url="/v1/messages", json_data={"model": f"model-{number}"})
        with claudescope.workflow(f"workflow-{number}"):
            call = probe.begin(SimpleNamespace(base_url=url), options, stream=False)
        assert call is not None
        call.facts.read_message(
            {
                "model": f"model-{number}",
                "stop_reason": f"reason-{number}",
                "usage": {
                    "input_tokens": 10,
                    "output_tokens": 20,
                    "server_tool_use": {f"tool_{number}_requests": 1},
                },
            }
        )
        call.finish("ok")

    before = internal_errors.counts()
    for number in range(_FILL):
        call_under(number)
    gc.collect()
    blocks, peak = sys.getallocatedblocks(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(_CALLS):
        call_under(_FILL + number % _NAMES)
    gc.collect()
    grown = sys.getallocatedblocks() - blocks
    grown_kib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) // (1 if sys.platform == "linux" else 1024)
    print(f"{_CALLS:,} calls: {grown:+,} allocated blocks, {grown_kib:+,} KiB at the peak")  # noqa: T201 - for -s
    provider.shutdown()
    assert grown < 2_000
    assert grown_kib < 16 * 1024
    assert internal_errors.counts() == before


def _client(deltas: int) -> anthropic.Anthropic:
    """A client whose stream has so many events more than a short one, none of which is kept by the transport."""
    delta = server_sent(events("a")[2])
    start, end = ([server_sent(event) for event in part] for part in (events()[:2], events()[2:]))

    class Body(http.SyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            yield from start
            for _ in range(deltas):
                yield delta
            yield from end

    def respond(_: Any) -> Any:
        return http.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())

    return anthropic.Anthropic(api_key="key", http_client=http.Client(transport=http.MockTransport(respond)))


@pytest.mark.parametrize("parsed", [True, False])
def test_a_long_stream_takes_no_more_than_a_short_one(parsed: bool) -> None:
    """What a call keeps of its stream does not grow with the stream, whether the SDK parses it or the app."""

    def grown_by(deltas: int) -> tuple[int, int]:
        """Blocks and bytes at the end beyond those at the twentieth event."""
        blocks = held = 0
        with (
            capture_calls() as calls,
            _client(deltas).messages.with_streaming_response.create(**REQUEST, stream=True) as raw,
        ):
            source: Iterator[Any] = iter(raw.parse()) if parsed else raw.iter_bytes()
            if not parsed:
                tracemalloc.start()
            try:
                for number, _ in enumerate(source):
                    if number == 20:
                        gc.collect()
                        blocks, held = sys.getallocatedblocks(), tracemalloc.get_traced_memory()[0]
                        tracemalloc.reset_peak()
                    if number == deltas:
                        gc.collect()
                        blocks, held = sys.getallocatedblocks() - blocks, tracemalloc.get_traced_memory()[1] - held
            finally:
                tracemalloc.stop()
        assert [(call.outcome, call.usage and call.usage.output_tokens) for call in calls] == [("ok", 20)]
        return blocks, held

    grown_by(100)
    blocks, held = grown_by(_EVENTS)
    assert blocks < 1_000
    assert held < 100_000
