"""Faults of our own, and of what claudescope is wired to: the app's calls go on, and what can be known is recorded."""

# pyright: reportPrivateUsage=false
# the private seams are where the faults are put

from __future__ import annotations

import gc
import io
import json
import logging
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any, ClassVar

import anthropic
import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    InMemoryMetricReader,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from rich.console import Console

import claudescope
from claudescope._internal import internal_errors
from claudescope.pricing import price_book
from claudescope.probe import (
    attempts,
    batches,
    body_parser,
    call,
    deferred,
    fallback_span,
    flush,
    probe,
    response,
    streams,
)
from claudescope.schema.record import CallRecord
from claudescope.sinks import Sink
from claudescope.testing import capture_calls
from tests.scripted import REQUEST, ScriptedAPI, error, message, stream, traced

_PATIENCE = 30
"""Seconds after which a thread that should have gone on counts as stuck."""


def _use(**options: Any) -> list[str]:
    """What an app sees of a call of each sort."""
    api = ScriptedAPI(
        error(429, "rate_limit_error", retry_after_ms="1"), message(), stream(), stream(), error(401, "no"), message()
    )
    client = api.client(**options)
    seen = [repr(client.messages.create(**REQUEST)), repr(list(client.messages.create(**REQUEST, stream=True)))]
    for event in client.messages.create(**REQUEST, stream=True):
        seen.append(repr(event))
        break
    gc.collect(1)
    with pytest.raises(anthropic.AuthenticationError) as raised:
        client.messages.create(**REQUEST)
    with client.messages.with_streaming_response.create(**REQUEST) as raw:
        seen.append(repr(raw.read()))
    return [*seen, repr(raised.value), repr(api.requests), str(api.closed)]


_OUTCOMES = ["abandoned", "error", "ok", "ok", "ok"]


# --- exporters ------------------------------------------------------------------------------------------------------


class _Hang:
    """Holds whoever comes by until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.let_go = threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.let_go.wait(_PATIENCE * 2)


class _Raise:
    """Raises at whoever comes by."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.let_go = threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        raise OSError("the collector is gone")


class _Metrics(MetricExporter):
    def __init__(self, fault: Callable[[], None]) -> None:
        super().__init__()
        self._fault = fault

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        self._fault()
        return MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Nothing."""


class _Spans(SpanExporter):
    def __init__(self, fault: Callable[[], None]) -> None:
        self._fault = fault

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._fault()
        return SpanExportResult.FAILURE


@pytest.fixture
def _quiet() -> Generator[None, None, None]:
    """OpenTelemetry logs what its exporters raise."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("opentelemetry").setLevel(logging.NOTSET)


@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("fault", [_Hang, _Raise])
def test_an_exporter_that_fails(fault: type[_Hang] | type[_Raise]) -> None:
    """While the exporters of metrics and spans hang, or raise each time, the app's calls go on, and are counted."""
    metrics_fault, spans_fault = fault(), fault()
    other = InMemoryMetricReader()
    reader = PeriodicExportingMetricReader(_Metrics(metrics_fault), export_interval_millis=20)
    meters = MeterProvider([reader, other], shutdown_on_exit=False)
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(_Spans(spans_fault), schedule_delay_millis=20))
    claudescope.instrument(meter_provider=meters, tracer_provider=tracers)
    try:
        with capture_calls() as calls:
            ScriptedAPI(message()).client(**traced(tracers)).messages.create(**REQUEST)
            assert metrics_fault.entered.wait(_PATIENCE)
            assert spans_fault.entered.wait(_PATIENCE)
            without_us = _use()
            assert _use(**traced(tracers)) == without_us
        assert sorted(record.outcome for record in calls) == sorted(["ok", *_OUTCOMES, *_OUTCOMES])
        assert other.get_metrics_data() is not None
        claudescope.uninstrument()
    finally:
        metrics_fault.let_go.set()
        spans_fault.let_go.set()
        meters.shutdown()
        tracers.shutdown()


# --- sinks ----------------------------------------------------------------------------------------------------------


class _Stuck(Sink):
    """Hangs in the calls of one workflow."""

    name: ClassVar[str] = "stuck"

    def __init__(self) -> None:
        self.hang = _Hang()

    def finished(self, record: CallRecord, context: Context | None = None) -> None:
        if record.workflow == "stuck":
            self.hang()


def test_a_sink_that_hangs() -> None:
    """It holds the call that it was told of, and nothing else: neither other threads, nor an export, nor the switch."""
    sink, reader = _Stuck(), InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    claudescope.instrument(meter_provider=meters, sinks=[sink])
    got: list[str] = []

    def call_stuck() -> None:
        with claudescope.workflow("stuck"):
            got.append(ScriptedAPI(message()).client().messages.create(**REQUEST).id)

    held = threading.Thread(target=call_stuck, daemon=True)
    held.start()
    try:
        assert sink.hang.entered.wait(_PATIENCE)
        with capture_calls() as calls:
            _use()
        assert sorted(record.outcome for record in calls) == _OUTCOMES
        assert reader.get_metrics_data() is not None
        claudescope.report()
        claudescope.uninstrument()
        assert got == []
    finally:
        sink.hang.let_go.set()
        held.join(_PATIENCE)
    assert got == ["msg_1"]
    meters.shutdown()


def test_a_sink_that_hangs_in_our_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropped streams wait in a queue that is bounded; the app goes on, and what was lost is counted after."""
    monkeypatch.setattr(deferred, "MAX_QUEUED", 5)
    monkeypatch.setattr(deferred, "FLUSH_TIMEOUT", 0.01)
    sink = _Stuck()
    claudescope.instrument(sinks=[sink])
    before = internal_errors.counts().get("deferred_endings", 0)

    def drop() -> None:
        for _ in ScriptedAPI(stream()).client().messages.create(**REQUEST, stream=True):
            break
        gc.collect(1)

    try:
        with claudescope.workflow("stuck"):
            drop()
        assert sink.hang.entered.wait(_PATIENCE)
        for _ in range(20):
            drop()
        assert ScriptedAPI(message()).client().messages.create(**REQUEST).id == "msg_1"
        assert deferred.DEFERRED_ENDINGS._queue.qsize() <= 5
    finally:
        sink.hang.let_go.set()
    monkeypatch.setattr(deferred, "FLUSH_TIMEOUT", _PATIENCE)
    flush()
    drop()
    flush()
    assert internal_errors.counts()["deferred_endings"] - before >= 15


# --- every seam of the probe ----------------------------------------------------------------------------------------

_BEGINNING = [
    (probe, "operation_of"),
    (probe, "server_of"),
    (probe, "provider_of"),
    (probe, "request_model"),
    (probe, "current_workflow"),
]
"""Without these a call can't be begun, and goes unseen."""

_SEAMS = [
    (attempts.Attempts, "retried"),
    (attempts.Attempts, "succeeded"),
    (attempts.Attempts, "ended"),
    (attempts, "classify"),
    (attempts, "classify_response"),
    (attempts, "read_headers"),
    (response.MessageFacts, "read_message"),
    (response.MessageFacts, "read_delta"),
    (response.MessageFacts, "usage"),
    (price_book.PriceBook, "cost"),
    (streams, "watch_body"),
    (streams, "watch_span_end"),
    (call, "record_of"),
    (body_parser.BodyType, "form"),
]


def _raises(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("ours")


def _garbage(*args: Any, **kwargs: Any) -> Any:
    return object()


@pytest.mark.parametrize("fault", [_raises, _garbage])
@pytest.mark.parametrize(("owner", "name"), [*_BEGINNING, *_SEAMS], ids=lambda part: getattr(part, "__name__", part))
def test_any_seam_that_fails(
    owner: Any, name: str, fault: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tracer_provider: TracerProvider
) -> None:
    """The app sees what it sees without us, the fault is counted, and calls that began end in a record."""
    telemetry = traced(tracer_provider)
    without = _use(**telemetry)
    monkeypatch.setattr(owner, name, fault)
    before = sum(internal_errors.counts().values())
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    claudescope.uninstrument()
    claudescope.instrument(meter_provider=meters, tracer_provider=tracer_provider)
    with capture_calls() as calls:
        assert _use(**telemetry) == without
    meters.shutdown()
    counted = sum(internal_errors.counts().values()) - before
    if fault is _raises:
        assert counted > 0
        assert len(calls) == (0 if (owner, name) in _BEGINNING else 5)
    report = claudescope.report()
    report.print(Console(file=io.StringIO()))
    json.dumps(report.to_dict())


def test_a_fault_while_results_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result that can't be counted still reaches the app."""
    from tests.matrix.surfaces import BATCH, json_answer
    from tests.scripted import Answer

    monkeypatch.setattr(batches, "_read", _raises)
    monkeypatch.setattr(fallback_span, "start_span", _raises)
    before = internal_errors.counts().get("probe", 0)
    api = ScriptedAPI(
        json_answer(BATCH), Answer(body=b'{"custom_id": "a"}\n', headers={"content-type": "application/x-jsonl"})
    )
    with capture_calls() as calls:
        assert [result.custom_id for result in api.client().messages.batches.results("msgbatch_1")] == ["a"]
    assert [record.outcome for record in calls] == ["ok", "ok"]
    assert internal_errors.counts()["probe"] - before == 1
