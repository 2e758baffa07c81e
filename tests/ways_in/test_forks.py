"""Every process exports its own calls, as an instance of its own, whatever way it was made and ends."""

from __future__ import annotations

import sys
import time

import pytest

from claudescope.simulator import Simulator
from tests.otlp_sink import OtlpSink
from tests.ways_in.conftest import APPS, Commands

pytestmark = pytest.mark.timeout(300)

_DURATION = "gen_ai.client.operation.duration"
_INSTANCES = {"fork": 3, "spawn": 3, "os-fork": 3, "terminated": 1}
"""How many processes make calls in each mode."""


@pytest.mark.parametrize(
    ("mode", "protocol"),
    [
        ("fork", "grpc"),
        ("os-fork", "http/protobuf"),
        ("spawn", "http/protobuf"),
        ("terminated", "http/protobuf"),
    ],
)
def test_nothing_is_lost_or_doubled(
    mode: str, protocol: str, commands: Commands, api: Simulator, sink: OtlpSink
) -> None:
    """Metrics, spans and instances are those of the processes, to the call."""
    began = time.time()
    url = sink.grpc_url if protocol == "grpc" else sink.http_url
    commands.with_variables(
        CONFIGURE="1",
        OTEL_EXPORTER_OTLP_ENDPOINT=url,
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        OTEL_SERVICE_NAME="shop",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
    ).app(mode)
    served = api.ledger()
    assert sink.total(_DURATION) == served.messages_billed > 0
    assert sink.total("gen_ai.client.token.usage", type="output") == served.messages_billed
    assert len(sink.spans) == served.messages_billed
    instances = {point.instance for point in sink.points(_DURATION)}
    assert len(instances) == _INSTANCES[mode]
    assert instances == {instance for instance, _ in sink.spans}
    # A process reports when it started, even where it makes no call; a forked one not when its parent did.
    starts = {point.instance: point.count for point in sink.points("claudescope.process.start_time")}
    assert starts.keys() == sink.resources.keys()
    assert len(set(starts.values())) == len(starts)
    assert began <= min(starts.values()) <= max(starts.values()) <= time.time()
    assert len(sink.resources.keys() - instances) == (mode == "terminated")
    assert len({resource["process.pid"] for resource in sink.resources.values()}) == len(sink.resources)
    assert {resource["service.name"] for resource in sink.resources.values()} == {"shop"}
    assert {resource["deployment.environment.name"] for resource in sink.resources.values()} == {"test"}
    assert {point.kind for point in sink.points(_DURATION)} == {"exponential_histogram"}


def test_an_open_stream_stays_the_parents(commands: Commands) -> None:
    """A stream that was open at a fork is one call: the parent's, whatever the child does with what it has of it."""
    code = """
import gc, os, claudescope
from anthropic import Anthropic
claudescope.instrument()
stream = Anthropic().messages.create(
    model="claude-haiku-5-5", max_tokens=50, stream=True, messages=[{"role": "user", "content": "Hello"}]
)
next(events := iter(stream))
if not (child := os.fork()):
    del events, stream
    gc.collect()
    os._exit(claudescope.report().calls)
assert os.waitpid(child, 0)[1] == 0
list(events)
assert claudescope.report().outcomes["ok"] == claudescope.report().calls == 1
"""
    commands.run(sys.executable, "-c", code)


def test_a_fork_while_another_thread_counts(commands: Commands) -> None:
    """Children of a process whose threads record all the time can make calls of their own: no lock is left held."""
    code = """
import os, threading, claudescope, script
from opentelemetry.metrics import get_meter_provider
claudescope.instrument()
from claudescope._internal import internal_errors
from claudescope._internal.counters import INTERNAL_ERRORS
from claudescope.sinks.metrics import MetricsSink
store = MetricsSink.for_provider(None)._store
store.lock.acquire()
INTERNAL_ERRORS._lock.acquire()
if not (child := os.fork()):
    script.ask(1)
    internal_errors.record("test")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    commands.with_variables(PYTHONPATH=str(APPS)).run(sys.executable, "-c", code)


def test_log_records_go_out(commands: Commands, sink: OtlpSink) -> None:
    """What is logged through OpenTelemetry's global provider is exported, by a forked child too."""
    code = """
import os, claudescope
claudescope.configure()
from opentelemetry._logs import LogRecord, get_logger
import script
def log(body):
    get_logger("shop").emit(LogRecord(body=body))
log("parent")
if not (child := os.fork()):
    script.ask(1)
    log("child")
    raise SystemExit
assert os.waitpid(child, 0)[1] == 0
"""
    exporting = commands.with_variables(
        PYTHONPATH=str(APPS), OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=sink.grpc_url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc"
    )
    exporting.run(sys.executable, "-c", code)
    bodies = {record.body.string_value: instance for instance, record in sink.logs if not record.event_name}
    assert sorted(bodies) == ["child", "parent"]
    assert len(set(bodies.values())) == 2
    # The child's call has a record too, and it goes out as the child's.
    assert [(instance, record.event_name) for instance, record in sink.logs if record.event_name] == [
        (bodies["child"], "claude.call")
    ]
    assert sink.requests["traces"] == sink.requests["metrics"] == 0
