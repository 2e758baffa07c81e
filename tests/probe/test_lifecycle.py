"""Switching on and off: idempotent, thread-safe, and without a trace."""

from __future__ import annotations

import inspect
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import pytest
from anthropic import _base_client, _streaming
from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, get_current_span

import claudescope
from claudescope._internal import internal_errors
from claudescope._internal.exceptions import BadInputError
from claudescope.lifecycle import active_probe
from claudescope.schema.record import Attempt, CallRecord, CallStart, SpanOutcome
from claudescope.sinks import Sink
from claudescope.sinks.logs import LOGGER_NAME, LogsSink
from claudescope.testing import capture_calls
from tests.scripted import REQUEST, ScriptedAPI, error, message, stream

_HOOKED = [
    (owner, name)
    for owner in (_base_client.SyncAPIClient, _base_client.AsyncAPIClient)
    for name in ("request", "_request", "_process_response", "_sleep_for_retry")
] + [(_streaming.Stream, "__stream__"), (_streaming.AsyncStream, "__stream__")]


def _methods() -> list[object]:
    return [vars(owner)[name] for owner, name in _HOOKED]


def test_puts_the_sdk_back() -> None:
    """After `uninstrument` every method is the very object that it was."""
    before = _methods()
    claudescope.instrument()
    hooked = _methods()
    claudescope.uninstrument()
    assert [new is old for new, old in zip(hooked, before, strict=True)] == [False] * len(before)
    assert [new is old for new, old in zip(_methods(), before, strict=True)] == [True] * len(before)


def test_is_idempotent() -> None:
    """Twice on is once on, and once off is off."""
    before = _methods()
    claudescope.instrument()
    first = _methods()
    claudescope.instrument()
    assert _methods() == first
    claudescope.uninstrument()
    claudescope.uninstrument()
    assert (_methods(), active_probe()) == (before, None)


def test_many_threads_at_once() -> None:
    """Whoever comes first, the SDK is hooked once, and put back whole."""
    before = _methods()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: claudescope.instrument(), range(32)))
        list(pool.map(lambda _: claudescope.uninstrument(), range(32)))
    assert _methods() == before


def test_signatures_stay() -> None:
    """Whoever inspects a hooked method sees the original's name and signature."""
    before = [(inspect.signature(vars(owner)[name]), vars(owner)[name].__qualname__) for owner, name in _HOOKED]
    claudescope.instrument()
    after = [(inspect.signature(vars(owner)[name]), vars(owner)[name].__qualname__) for owner, name in _HOOKED]
    assert after == before


def test_covers_clients_made_before_and_off_again() -> None:
    """A client from before is seen while claudescope is on, and only then."""
    client = ScriptedAPI(*[message()] * 3).client()
    client.messages.create(**REQUEST)
    with capture_calls() as calls:
        client.messages.create(**REQUEST)
    client.messages.create(**REQUEST)
    assert len(calls) == 1


def test_a_wrapper_over_ours_stays() -> None:
    """Somebody's wrapper over our hook survives `uninstrument`; ours below it does nothing, and works again later."""
    original = vars(_base_client.SyncAPIClient)["request"]
    seen: list[str] = []
    claudescope.instrument()
    owner: Any = _base_client.SyncAPIClient
    ours = owner.request

    def theirs(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append("theirs")
        return ours(self, *args, **kwargs)

    owner.request = theirs
    try:
        claudescope.uninstrument()
        client = ScriptedAPI(*[message()] * 2).client()
        client.messages.create(**REQUEST)
        with capture_calls() as calls:
            client.messages.create(**REQUEST)
        assert (seen, len(calls)) == (["theirs", "theirs"], 1)
    finally:
        owner.request = ours
        claudescope.instrument()
        claudescope.uninstrument()
    assert vars(_base_client.SyncAPIClient)["request"] is original


def test_a_stream_that_outlives_the_switch() -> None:
    """A stream opened while claudescope was on ends in its record after it was switched off."""
    client = ScriptedAPI(stream()).client()
    ended: list[CallRecord] = []

    class Keep(Sink):
        name = "keep"

        def finished(self, record: CallRecord, context: Context | None = None) -> None:
            ended.append(record)

    claudescope.instrument(sinks=[Keep()])
    opened = client.messages.create(**REQUEST, stream=True)
    events = iter(opened)
    next(events)
    claudescope.uninstrument()
    assert ended == []
    list(events)
    assert [record.outcome for record in ended] == ["ok"]


def test_sinks_that_fail_cost_the_app_nothing() -> None:
    """A sink that raises everywhere is counted under its name, and the next sink still gets the call."""

    class Broken(Sink):
        name = "broken"

        def started(self, start: CallStart) -> None:
            raise ZeroDivisionError

        def retrying(self, start: CallStart, attempt: Attempt, span: Span | None, at: int) -> None:
            raise ZeroDivisionError

        def ending(self, ending: SpanOutcome, span: Span) -> None:
            raise ZeroDivisionError

        def finished(self, record: CallRecord, context: Context | None = None) -> None:
            raise ZeroDivisionError

    before = internal_errors.counts().get("broken", 0)
    provider = TracerProvider()
    client = ScriptedAPI(error(500, "api_error", retry_after_ms="1"), message()).client(
        open_telemetry={"tracer_provider": provider}
    )
    claudescope.instrument(sinks=[Broken()])
    with capture_calls() as calls:
        assert client.messages.create(**REQUEST).content[0].type == "text"
    assert ([call.outcome for call in calls], internal_errors.counts()["broken"] - before) == (["ok"], 4)


@pytest.mark.parametrize("sampled", ["on", "sampled out", "off", "no provider"])
def test_metrics_do_not_depend_on_tracing(sampled: str) -> None:
    """With tracing on, sampled out, off or absent, the same calls give the same metrics."""
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

    telemetry: Any = {
        "on": {"tracer_provider": TracerProvider(sampler=ALWAYS_ON)},
        "sampled out": {"tracer_provider": TracerProvider(sampler=ALWAYS_OFF)},
        "off": False,
        "no provider": None,
    }[sampled]
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    client = ScriptedAPI(
        message(),
        error(429, "rate_limit_error", retry_after_ms="1"),
        message(),
        stream(),
        error(401, "authentication_error"),
    ).client(open_telemetry=telemetry)
    claudescope.instrument(meter_provider=provider)
    client.messages.create(**REQUEST)
    client.messages.create(**REQUEST)
    list(client.messages.create(**REQUEST, stream=True))
    with pytest.raises(anthropic.AuthenticationError):
        client.messages.create(**REQUEST)
    data = reader.get_metrics_data()
    assert data is not None
    counted = {
        metric.name: sum(getattr(point, "count", getattr(point, "value", 0)) for point in metric.data.data_points)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    expected = {
        "gen_ai.client.operation.duration": 4,
        "gen_ai.client.operation.time_to_first_chunk": 1,
        "gen_ai.client.token.usage": 6,
        "claude.client.retries": 1,
        "claude.client.responses": 3,
        "claude.client.active_calls": 0,
        "claude.client.cost.usd": pytest.approx(3 * 0.00046),
    }
    assert {name: counted[name] for name in expected} == expected


def test_what_is_recorded_of_a_call_points_to_its_span(
    tracer_provider: TracerProvider, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    """Exemplars carry the span of their call, of a stream too, and a handler of its log record runs inside it."""
    reader, logged = InMemoryMetricReader(), list[int]()

    class Where(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.append(get_current_span().get_span_context().span_id)

    handler = Where()
    caplog.set_level(logging.INFO, LOGGER_NAME)
    logging.getLogger(LOGGER_NAME).addHandler(handler)
    claudescope.instrument(meter_provider=MeterProvider([reader]), sinks=[LogsSink()])
    client = ScriptedAPI(message(), stream()).client(open_telemetry={"tracer_provider": tracer_provider})
    try:
        client.messages.create(**REQUEST)
        list(client.messages.create(**REQUEST, stream=True))
    finally:
        logging.getLogger(LOGGER_NAME).removeHandler(handler)
    data = reader.get_metrics_data()
    assert data is not None
    pointed = {
        exemplar.span_id
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "gen_ai.client.operation.time_to_first_chunk" or metric.name.endswith("duration")
        for point in metric.data.data_points
        for exemplar in getattr(point, "exemplars", ())
    }
    ids = [span.context.span_id for span in spans.get_finished_spans() if span.context is not None]
    assert len(ids) == 2
    assert logged == ids
    assert ids[1] in pointed  # the stream's is the last in its bucket
    assert pointed <= set(ids)


def test_own_spans_where_the_sdk_makes_none(tracer_provider: TracerProvider, spans: InMemorySpanExporter) -> None:
    """With `spans="own"` a client whose tracing is off has our span, with the SDK's names."""
    claudescope.instrument(spans="own", tracer_provider=tracer_provider)
    client = ScriptedAPI(message(), stream(), error(404, "not_found_error")).client(open_telemetry=False)
    client.messages.create(**REQUEST)
    list(client.messages.create(**REQUEST, stream=True))
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(**REQUEST)
    finished = spans.get_finished_spans()
    assert [(span.name, span.kind) for span in finished] == [("anthropic.messages.create", SpanKind.CLIENT)] * 3
    attributes = dict(finished[0].attributes or {})
    assert attributes.pop("claude.cost.usd") == 0.00046
    assert attributes == {
        "anthropic.message.stop_reason": "end_turn",
        "anthropic.request.id": "req_1",
        "claude.outcome": "ok",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-opus-5-5",
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.response.model": "claude-opus-5-5",
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.usage.cache_write.input_tokens": 0,
        "gen_ai.usage.input_tokens": 110,
        "gen_ai.usage.output_tokens": 20,
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "api.anthropic.com",
        "server.port": 443,
    }
    assert (finished[1].attributes or {})["gen_ai.request.stream"] is True
    assert [span.status.status_code for span in finished] == [StatusCode.OK, StatusCode.OK, StatusCode.ERROR]
    assert isinstance(finished[0].status, Status)


@pytest.mark.parametrize("spans_mode", ["auto", "off"])
def test_no_span_where_the_user_wants_none(
    spans_mode: Any, tracer_provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    """Where the SDK's tracing was switched off, we make no span unless asked to."""
    claudescope.instrument(spans=spans_mode, tracer_provider=tracer_provider)
    ScriptedAPI(message()).client(open_telemetry=False).messages.create(**REQUEST)
    assert spans.get_finished_spans() == ()


def test_suppressed_calls_are_not_seen() -> None:
    """Code that suppresses instrumentation is left alone, as OpenTelemetry's own instrumentations do."""
    client = ScriptedAPI(message()).client()
    with capture_calls() as calls:
        token = context.attach(context.set_value("suppress_instrumentation", True))
        try:
            client.messages.create(**REQUEST)
        finally:
            context.detach(token)
    assert calls == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"spans": "always"}, "spans='always': expected one of 'auto', 'own', 'off'"),
        ({"max_workflows": 0}, "max_workflows=0: expected a whole number of at least 1"),
    ],
)
def test_refuses_what_it_can_not_do(options: dict[str, Any], expected: str) -> None:
    """An option that can't be is refused before anything is hooked."""
    before = _methods()
    with pytest.raises(BadInputError, match=expected):
        claudescope.instrument(**options)
    assert _methods() == before


def test_says_how_to_install_the_sdk() -> None:
    """Without the SDK there is one clear message."""
    code = "import sys; sys.modules['anthropic'] = None\nimport claudescope\nclaudescope.instrument()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.stderr.splitlines()[-1].endswith(
        "instrument() needs the package 'anthropic'. Install it with: pip install 'claudescope[instruments]'"
    )


def test_imports_nothing_heavy_before_it_is_used() -> None:
    """Switching on imports the probe and the sinks, and of other packages nothing that the SDKs have not."""
    code = (
        "import sys, anthropic, opentelemetry.sdk.metrics, opentelemetry.sdk.trace; before = set(sys.modules); "
        "import claudescope; claudescope.instrument(); print(*set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    imported = done.stdout.split()
    assert "claudescope.lifecycle" in imported
    assert {name.partition(".")[0] for name in imported} <= {"claudescope", "queue", "_queue"}
    own = {name.split(".")[1] for name in imported if name.startswith("claudescope.")}
    assert not own & {
        *("cli", "demo", "doctor", "report_data", "report_table", "run", "sentry", "settings", "simulator"),
        *("testing", "yaml_model"),
    }
    late = {"claudescope.content.capture", "claudescope.export.telemetry", "claudescope.sinks.logs"}
    assert not late & set(imported)


def test_has_the_report_s_class_where_it_is_asked_for() -> None:
    """A class that is imported late is a name of the package like the others."""
    from claudescope.reporting.model import Report

    assert claudescope.Report is Report
    with pytest.raises(AttributeError, match="module 'claudescope' has no attribute 'Rapport'"):
        getattr(claudescope, "Rapport")  # noqa: B009 - a type checker would see it
