"""What could go wrong around a call: missing hooks, faults of our own, threads, garbage collections, exits."""

# pyright: reportPrivateUsage=false
# the private seams are what some of these tests are about

from __future__ import annotations

import gc
import json
import logging
import math
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import anthropic
import pytest
from anthropic import _base_client, _streaming
from anthropic._decoders import jsonl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.context import Context

import claudescope
from claudescope._internal import internal_errors
from claudescope.probe import hooks, is_supported
from claudescope.probe.response import MessageFacts
from claudescope.schema.record import BatchResult, CallRecord, SpanOutcome, Usage
from claudescope.sinks import Sink
from claudescope.testing import capture_calls
from tests.scripted import REQUEST, ScriptedAPI, error, events, message, stream

_SYNC = _base_client.SyncAPIClient


@pytest.fixture(autouse=True)
def _warns_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks._Active, "warned", False)


# --- hooks that an SDK lacks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "name", "lost"),
    [
        (_SYNC, "_process_response", {"attempts", "retries"}),
        (_SYNC, "_sleep_for_retry", {"retries"}),
        *([(_SYNC, "_request", set[str]())] if hooks.sdk_traces() else []),
        (_streaming.Stream, "__stream__", set[str]()),
        (jsonl.JSONLDecoder, "__decode__", set[str]()),
    ],
)
def test_without_a_hook(
    owner: Any, name: str, lost: set[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest is seen all the same, the app notices nothing, and one warning says what is not seen."""
    whole = dict[str, Any](vars(owner))[name]
    monkeypatch.setattr(hooks, "_hook_points", _without(hooks._hook_points(), owner.__name__, name))
    api = ScriptedAPI(error(429, "rate_limit_error", retry_after_ms="1"), message(), stream(), stream())
    client = api.client()
    with caplog.at_level(logging.WARNING, "claudescope"), capture_calls() as calls:
        assert client.messages.create(**REQUEST).usage.output_tokens == 20
        assert len(list(client.messages.create(**REQUEST, stream=True))) == 8
        for _ in client.messages.create(**REQUEST, stream=True):
            break
        gc.collect(1)
        claudescope.uninstrument()
        claudescope.instrument()
    assert vars(owner)[name] is whole
    assert [call.outcome for call in calls] == ["ok", "ok", "abandoned"]
    assert [call.usage for call in calls] == [Usage(110, 20, 100), Usage(110, 20, 100), Usage(110, 1, 100)]
    if not lost:
        assert [attempt.status_code for attempt in calls[0].attempts] == [429, 200]
    assert [record.message for record in caplog.records if f"{owner.__name__}.{name}" in record.message] != []
    assert len(caplog.records) == 1


def _without(points: tuple[Any, ...], class_name: str, name: str) -> Callable[[], tuple[Any, ...]]:
    """The choke points of an SDK in which a method has another name."""
    changed = tuple(
        (module, owner, f"{method}_gone" if (owner, method) == (class_name, name) else method, wrapper, sees)
        for module, owner, method, wrapper, sees in points
    )

    return lambda: changed


@pytest.mark.parametrize(
    ("version", "supported"),
    [("0.50.9", False), ("0.51.0", True), ("1.14.0", True), ("2.99.1", True), ("3.0.0", False), ("", False)],
)
def test_the_supported_range(version: str, supported: bool) -> None:
    """Both ends, and what is no version."""
    assert is_supported(version) is supported


def test_an_unsupported_version_is_said_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """One warning, and the calls are seen."""
    from claudescope import lifecycle

    monkeypatch.setattr(lifecycle._State, "warned", False)
    monkeypatch.setattr(anthropic, "__version__", "3.1.0")
    client = ScriptedAPI(message(), message()).client()
    with caplog.at_level(logging.WARNING, "claudescope"):
        for _ in range(2):
            with capture_calls() as calls:
                client.messages.create(**REQUEST)
            assert len(calls) == 1
    assert [record.getMessage().split(" is ")[0] for record in caplog.records] == ["claudescope: anthropic 3.1.0"]


# --- faults of our own ----------------------------------------------------------------------------------------------


class _Broken(Sink):
    name: ClassVar[str] = "broken"

    def started(self, start: Any) -> None:
        raise RuntimeError("ours")

    def retrying(self, start: Any, attempt: Any, span: Any, at: int) -> None:
        raise RuntimeError("ours")

    def ending(self, ending: SpanOutcome, span: Any) -> None:
        raise RuntimeError("ours")

    def finished(self, record: CallRecord, context: Context | None = None) -> None:
        raise RuntimeError("ours")

    def batch_result(self, result: BatchResult) -> None:
        raise RuntimeError("ours")


def test_a_sink_that_raises() -> None:
    """Its faults are counted under its name; the app's result and the next sink's record are whole."""
    before = internal_errors.counts().get("broken", 0)
    claudescope.instrument(sinks=[_Broken()])
    client = ScriptedAPI(error(503, "api_error", retry_after_ms="1"), message(), stream()).client()
    with capture_calls() as calls:
        assert client.messages.create(**REQUEST).id == "msg_1"
        assert len(list(client.messages.create(**REQUEST, stream=True))) == 8
    assert [call.outcome for call in calls] == ["ok", "ok"]
    assert internal_errors.counts()["broken"] - before >= 5


_ODD: list[dict[str, Any]] = [
    {"usage": None},
    {"usage": "many"},
    {"usage": {"input_tokens": math.inf, "output_tokens": 7}},
    {"usage": {"input_tokens": math.nan, "output_tokens": math.nan}},
    {"usage": {"input_tokens": -1, "output_tokens": True, "server_tool_use": [1]}},
    {"usage": {"input_tokens": 1 << 70, "output_tokens": {"a": 1}, "cache_creation": 7}},
    {"usage": {"input_tokens": 5, "output_tokens": 7, "server_tool_use": {"web_search_requests": "x"}}},
    {"model": "nobody-knows-it"},
    {"model": ["a"], "stop_reason": 7},
    {"model": "x" * 100_000},
    {"content": [{"type": "text", "text": "x" * 10_000_000}]},
    {"content": None, "type": None},
]


@pytest.mark.parametrize("changes", _ODD, ids=range(len(_ODD)))
def test_bodies_that_make_no_sense(changes: dict[str, Any]) -> None:
    """Whatever a Message says, the app gets the same, the call is one record, and nothing goes wrong in us."""
    without = repr(ScriptedAPI(message(**changes)).client().messages.create(**REQUEST))
    before = internal_errors.counts()
    with capture_calls() as calls:
        assert repr(ScriptedAPI(message(**changes)).client().messages.create(**REQUEST)) == without
    assert [(call.outcome, call.status_code) for call in calls] == [("ok", 200)]
    assert internal_errors.counts() == before


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_USAGE_FIELDS = st.sampled_from(
    ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation", "server_tool_use", "service_tier"]
)


@given(st.dictionaries(_USAGE_FIELDS, _JUNK | st.integers(0, 100)))
def test_any_usage(usage: dict[str, Any]) -> None:
    """Of any usage only plausible numbers are taken, and nothing raises."""
    facts = MessageFacts()
    facts.read_message({"usage": usage})
    read = facts.usage()
    if read is not None:
        assert 0 <= read.cache_read_tokens <= read.input_tokens
        assert read.output_tokens >= 0


_GOOD = events("a", "b")
_EVENTS = st.lists(
    st.sampled_from(_GOOD)
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["ping", "unheard_of", "message_delta", "message_start"])},
        optional={"usage": _JUNK, "message": _JUNK, "delta": _JUNK},
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_EVENTS)
def test_any_sequence_of_events(body: list[dict[str, Any]]) -> None:
    """Whatever events come in whatever order, the app sees the same, and the call ends once."""

    def seen() -> tuple[list[str], str]:
        got: list[str] = []
        try:
            opened = ScriptedAPI(stream(body)).client().messages.create(**REQUEST, stream=True)
            got.extend(repr(event) for event in opened)
        except Exception as raised:  # noqa: BLE001 - compared below
            return got, repr(raised)
        return got, ""

    without = seen()
    with capture_calls() as calls:
        assert seen() == without
    (record,) = calls
    stopped = any(event["type"] == "message_stop" for event in body)
    assert record.outcome == ("ok" if stopped and not without[1] else "error")


# --- threads, collections, exits ----------------------------------------------------------------------------


def test_many_threads() -> None:
    """64 threads at once: each call is one record, and they don't mix."""
    barrier = threading.Barrier(64)

    def call(number: int) -> int:
        api = ScriptedAPI(message(usage={"input_tokens": number, "output_tokens": 1}), stream())
        client = api.client()
        barrier.wait()
        with claudescope.workflow(f"w{number}"):
            used: int = client.messages.create(**REQUEST).usage.input_tokens
            for _ in client.messages.create(**REQUEST, stream=True):
                pass
        return used

    with capture_calls() as calls, ThreadPoolExecutor(64) as pool:
        assert sorted(pool.map(call, range(64))) == list(range(64))
    plain = [call for call in calls if not call.stream]
    assert sorted((call.workflow, call.usage and call.usage.input_tokens) for call in plain) == sorted(
        (f"w{number}", number) for number in range(64)
    )
    assert [call.outcome for call in calls] == ["ok"] * 128


def test_a_collection_while_a_lock_is_held() -> None:
    """A dropped stream in a cycle is freed by a collection that runs under OpenTelemetry's lock, and nothing waits."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
    ended_in: list[str] = []

    class Where(Sink):
        name = "where"

        def finished(self, record: CallRecord, context: Context | None = None) -> None:
            ended_in.append(threading.current_thread().name)

    claudescope.instrument(meter_provider=provider, sinks=[Where()])
    with capture_calls() as calls:
        client = ScriptedAPI(stream()).client()
        cycle: list[Any] = [client.messages.create(**REQUEST, stream=True)]
        next(iter(cycle[0]))
        cycle.append(cycle)
        del cycle
        done = threading.Event()

        def collect() -> None:
            with reader._lock:
                gc.collect()
            done.set()

        threading.Thread(target=collect, daemon=True).start()
        assert done.wait(120)
    assert [call.outcome for call in calls] == ["abandoned"]
    assert ended_in == ["claudescope-deferred-endings"]  # and not in the collection, under whatever lock that runs
    claudescope.uninstrument()
    provider.shutdown()


_EXIT = """
import sys
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from tests.scripted import REQUEST, ScriptedAPI, stream
import claudescope
from claudescope.sinks import Sink

class Print(Sink):
    name = "print"
    def finished(self, record, context=None):
        print(f"RECORD {record.outcome} {record.usage.output_tokens}", flush=True)

provider = MeterProvider([PeriodicExportingMetricReader(ConsoleMetricExporter(), export_interval_millis=1e9)])
metrics.set_meter_provider(provider)
claudescope.instrument(sinks=[Print()])
opened = ScriptedAPI(stream()).client().messages.create(**REQUEST, stream=True)
next(opened)
"""


def test_an_exit_with_a_stream_open() -> None:
    """The call ends as abandoned, once, and before the exporters flush for the last time."""
    done = subprocess.run([sys.executable, "-c", _EXIT], capture_output=True, text=True, check=True, timeout=120)  # noqa: S603
    assert done.stdout.count("RECORD") == 1
    assert "RECORD abandoned 1" in done.stdout
    exported = json.loads(done.stdout[done.stdout.index("{") :])
    names = {
        metric["name"]
        for resource in exported["resource_metrics"]
        for scope in resource["scope_metrics"]
        for metric in scope["metrics"]
    }
    assert "gen_ai.client.operation.duration" in names
    assert done.stderr == ""


def test_a_subclass_and_a_custom_transport() -> None:
    """A client of a class of the app's own is seen as any other."""

    class Ours(anthropic.Anthropic):
        pass

    with capture_calls() as calls:
        ScriptedAPI(message()).client(Ours, api_key="key").messages.create(**REQUEST)
    assert [(call.outcome, call.provider) for call in calls] == [("ok", "anthropic")]
