"""What one event tells of a failed call, and how that composes with what the app tells itself."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest
import sentry_sdk
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import claudescope
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.sentry import Options, install
from tests.scripted import REQUEST, Answer, ScriptedAPI, error, events, http, stream
from tests.sentry.conftest import Start
from tests.sentry.failures import AppError, fail, rate_limit

_LIMITED: dict[str, str] = {
    "retry_after_ms": "1",
    "retry_after": "7",
    "anthropic_ratelimit_requests_limit": "50",
    "anthropic_ratelimit_requests_remaining": "0",
    "anthropic_ratelimit_requests_reset": "2026-11-21T12:01:00Z",
}


def _limited() -> Answer:
    return error(429, "rate_limit_error", **_LIMITED)


def test_all_that_is_known_of_the_call(start: Start) -> None:
    """Fingerprint, level, tags and context of a call that failed after two retries."""
    recorder = start()
    claudescope.instrument()
    with claudescope.workflow("summarise"), pytest.raises(anthropic.RateLimitError) as raised:
        ScriptedAPI(*[_limited()] * 3).client().messages.create(**REQUEST)
    sentry_sdk.capture_exception(raised.value)
    event = recorder.event
    assert event["fingerprint"] == ["claude-api-error", "rate_limit_error"]
    assert event["level"] == "warning"
    assert event["tags"] == {
        "claude.error_type": "rate_limit_error",
        "claude.model": "claude-opus-5-5",
        "claude.workflow": "summarise",
        "claude.retryable": "yes",
    }
    context = event["contexts"]["claude"]
    assert context.pop("duration_seconds") >= 0
    assert context == {
        "error_type": "rate_limit_error",
        "owner": "quota",
        "retry": "retry_after",
        "advice": ERROR_TYPES["rate_limit_error"].advice,
        "operation": "chat",
        "provider": "anthropic",
        "server_address": "api.anthropic.com",
        "stream": False,
        "model": "claude-opus-5-5",
        "status_code": 429,
        "request_id": "req_3",
        "retry_after_seconds": 0.001,
        "rate_limits": {"requests": {"limit": 50, "remaining": 0, "reset": "2026-11-21T12:01:00Z"}},
        "attempts": 3,
        "attempt_errors": ["rate_limit_error"] * 3,
    }
    (value,) = event["exception"]["values"]
    assert (value["type"], value["value"], value["mechanism"]["handled"]) == (
        "RateLimitError",
        "429 rate_limit_error",
        True,
    )


def test_retries_are_breadcrumbs(start: Start) -> None:
    """Each retry of a call is a breadcrumb of whatever fails later."""
    recorder = start()
    claudescope.instrument()
    ScriptedAPI(_limited(), error(529, "overloaded_error", retry_after_ms="1"), stream()).client().messages.create(
        **REQUEST, stream=True
    ).close()
    sentry_sdk.capture_exception(ZeroDivisionError())
    crumbs = [crumb for crumb in recorder.event["breadcrumbs"]["values"] if crumb["category"] == "claude.retry"]
    assert [(crumb["level"], crumb["message"].partition(":")[0], crumb["data"]) for crumb in crumbs] == [
        ("warning", "rate_limit_error", {"status_code": 429, "request_id": "req_1", "model": "claude-opus-5-5"}),
        ("warning", "overloaded_error", {"status_code": 529, "request_id": "req_2", "model": "claude-opus-5-5"}),
    ]


def test_tokens_of_a_stream_that_failed(start: Start) -> None:
    """What the API billed before a stream broke is told, with its price."""
    recorder = start()
    claudescope.instrument()
    broken = stream(events("a")[:3], breaks=http.ReadError("reset"))
    with pytest.raises(http.ReadError) as raised:
        list(ScriptedAPI(broken).client().messages.create(**REQUEST, stream=True))
    sentry_sdk.capture_exception(raised.value)
    event = recorder.event
    context = event["contexts"]["claude"]
    assert event["fingerprint"] == ["claude-api-error", "stream_interrupted_error"]
    assert (context["input_tokens"], context["output_tokens"], context["stream"]) == (110, 1, True)
    assert context["cost_usd"] == "0.00008"


def test_without_instrumentation(start: Start) -> None:
    """Where claudescope sees no calls, the exception itself tells kind, status, request and limits."""
    recorder = start()
    sentry_sdk.capture_exception(fail(rate_limit()))
    event = recorder.event
    context = event["contexts"]["claude"]
    assert event["fingerprint"] == ["claude-api-error", "rate_limit_error"]
    assert event["tags"] == {"claude.error_type": "rate_limit_error", "claude.retryable": "yes"}
    assert (context["status_code"], context["request_id"], context["retry_after_seconds"]) == (429, "req_1", 7.0)
    assert context["rate_limits"] == {"requests": {"limit": 50, "remaining": None, "reset": None}}


def _sentrys_trace() -> str:
    return (sentry_sdk.get_traceparent() or "").partition("-")[0]


def test_the_trace_is_the_calls(start: Start, tracer_provider: TracerProvider, spans: InMemorySpanExporter) -> None:
    """An event's trace and span are those of the call, and Sentry's own trace is kept beside."""
    recorder = start()
    claudescope.instrument(tracer_provider=tracer_provider, spans="own")
    sentrys = _sentrys_trace()
    client = ScriptedAPI(rate_limit()).client(max_retries=0, open_telemetry=False)
    with pytest.raises(anthropic.RateLimitError) as raised:
        client.messages.create(**REQUEST)
    sentry_sdk.capture_exception(raised.value)
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    contexts = recorder.event["contexts"]
    assert contexts["trace"] == {"trace_id": f"{span.context.trace_id:032x}", "span_id": f"{span.context.span_id:016x}"}
    assert contexts["claude"]["sentry_trace_id"] == sentrys


def test_the_trace_of_the_request(start: Start, tracer_provider: TracerProvider, spans: InMemorySpanExporter) -> None:
    """Without instrumentation, the header that the SDK sent links the event to the SDK's own span."""
    recorder = start()
    client = ScriptedAPI(rate_limit()).client(
        max_retries=0, open_telemetry={"tracer_provider": tracer_provider, "propagate": True}
    )
    with pytest.raises(anthropic.RateLimitError) as raised:
        client.messages.create(**REQUEST)
    sentry_sdk.capture_exception(raised.value)
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert recorder.event["contexts"]["trace"]["trace_id"] == f"{span.context.trace_id:032x}"


@pytest.mark.parametrize("always", [False, True])
def test_sentrys_tracing_beside_another_backend(
    start: Start, tracer_provider: TracerProvider, spans: InMemorySpanExporter, always: bool
) -> None:
    """With Sentry's tracing the issue opens a trace that Sentry has, unless the app asks for the call's."""
    recorder = start(Options(link_trace=True) if always else None, traces_sample_rate=1.0)
    claudescope.instrument(tracer_provider=tracer_provider, spans="own")
    with sentry_sdk.start_span(name="request"):
        sentrys = _sentrys_trace()
        with pytest.raises(anthropic.RateLimitError) as raised:
            ScriptedAPI(rate_limit()).client(max_retries=0, open_telemetry=False).messages.create(**REQUEST)
        sentry_sdk.capture_exception(raised.value)
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    calls = f"{span.context.trace_id:032x}"
    contexts = recorder.event["contexts"]
    assert contexts["trace"]["trace_id"] == (calls if always else sentrys)
    other = contexts["claude"]["sentry_trace_id" if always else "trace_id"]
    assert other == (sentrys if always else calls)


def test_the_trace_stays_sentrys(start: Start, tracer_provider: TracerProvider) -> None:
    """`link_trace=False` leaves an event in Sentry's own trace."""
    recorder = start(Options(link_trace=False))
    claudescope.instrument(tracer_provider=tracer_provider, spans="own")
    sentrys = _sentrys_trace()
    sentry_sdk.capture_exception(fail(rate_limit()))
    assert recorder.event["contexts"]["trace"]["trace_id"] == sentrys


@pytest.mark.parametrize(
    ("group_by", "rest"),
    [
        (["model"], ["claude-opus-5-5"]),
        (["workflow"], ["summarise"]),
        (["workflow", "model"], ["summarise", "claude-opus-5-5"]),
    ],
)
def test_issues_may_be_split(start: Start, group_by: Any, rest: list[str]) -> None:
    """Model and workflow are part of the fingerprint where that was asked for."""
    recorder = start(Options(group_by=group_by))
    claudescope.instrument()
    with claudescope.workflow("summarise"):
        sentry_sdk.capture_exception(fail(rate_limit()))
    assert recorder.event["fingerprint"] == ["claude-api-error", "rate_limit_error", *rest]


@pytest.mark.parametrize("kind", ["authentication_error", "invalid_request_error"])
def test_what_a_retry_would_not_mend_stays_an_error(start: Start, kind: str) -> None:
    """Only kinds that go away by themselves are warnings."""
    recorder = start()
    sentry_sdk.capture_exception(fail(error({"authentication_error": 401}.get(kind, 400), kind)))
    assert (recorder.event["level"], recorder.event["tags"]["claude.retryable"]) == ("error", "no")


def _add_logger(event: Any, hint: Any) -> Any:
    return {**event, "logger": event["contexts"]["claude"]["error_type"]}


def test_what_the_app_sets_stays(start: Start) -> None:
    """Fingerprint, level, tags, contexts and processors of the app have the last word, and `before_send` runs."""
    seen: list[Any] = []

    def before_send(event: Any, hint: Any) -> Any:
        seen.append((event["tags"]["claude.error_type"], type(hint["exc_info"][1])))
        event["tags"]["by"] = "before_send"
        return event

    recorder = start(before_send=before_send)
    with sentry_sdk.new_scope() as scope:
        scope.fingerprint = ["mine"]
        scope.set_level("fatal")
        scope.set_tag("claude.model", "house-model")
        scope.set_context("claude", {"advice": "Ask Ada"})
        scope.add_event_processor(_add_logger)
        sentry_sdk.capture_exception(fail(rate_limit()))
    event = recorder.event
    assert seen == [("rate_limit_error", anthropic.RateLimitError)]
    assert (event["fingerprint"], event["level"], event["logger"]) == (["mine"], "fatal", "rate_limit_error")
    assert (event["tags"]["claude.model"], event["tags"]["by"]) == ("house-model", "before_send")
    assert event["contexts"]["claude"]["advice"] == "Ask Ada"


def test_before_send_may_drop(start: Start) -> None:
    """An event that the app drops is dropped, and the next failure is another."""
    dropped: list[Any] = []

    def before_send(event: Any, hint: Any) -> Any:
        dropped.append(event)
        return event if len(dropped) > 1 else None

    recorder = start(before_send=before_send)
    for _ in range(2):
        sentry_sdk.capture_exception(fail(rate_limit()))
    assert (len(dropped), len(recorder.events)) == (2, 1)


def _report_others() -> None:
    sentry_sdk.set_tag("mine", "yes")
    try:
        json.loads("{")
    except ValueError as caught:
        sentry_sdk.capture_exception(caught)
    sentry_sdk.capture_message("hello")


def test_other_errors_are_left_alone(start: Start) -> None:
    """An event that is about no call is what it is without us, but for its id, time and trace."""

    def capture(*, ours: bool) -> list[str]:
        recorder = start(ours=ours, attach_stacktrace=False)
        _report_others()
        left = recorder.events
        for event in left:
            for changing in ("event_id", "timestamp", "sdk"):
                del event[changing]
            del event["contexts"]["trace"]
        return json.dumps(left, indent=1, sort_keys=True).splitlines()

    assert capture(ours=True) == capture(ours=False)


def test_installed_beside_init(start: Start) -> None:
    """`install()` does the same for who calls `sentry_sdk.init` elsewhere, before or after."""
    install(Options(group_by=["workflow"]))
    recorder = start(ours=False)
    sentry_sdk.capture_exception(fail(rate_limit()))
    install()
    sentry_sdk.capture_exception(fail(rate_limit()))
    assert [event["fingerprint"][2:] for event in recorder.events] == [["none"], []]


def test_tags_as_pairs(start: Start) -> None:
    """The other form of tags that Sentry takes, in a ready-made event, gets ours too."""
    recorder = start()
    error = fail(rate_limit())
    ready: Any = {"level": "error", "tags": [["mine", "yes"]]}
    sentry_sdk.capture_event(ready, hint={"exc_info": (type(error), error, None)})
    assert recorder.event["tags"]["mine"] == "yes"
    assert recorder.event["tags"]["claude.error_type"] == "rate_limit_error"


def test_an_unknown_wrapper(start: Start) -> None:
    """An error of the app's own that was raised from a call's error keeps its type and its words."""
    recorder = start()
    try:
        raise AppError("no summary") from fail(rate_limit())  # noqa: TRY301 - as apps do
    except AppError as caught:
        sentry_sdk.capture_exception(caught)
    assert [(value["type"], value["value"]) for value in recorder.event["exception"]["values"]] == [
        ("RateLimitError", "429 rate_limit_error"),
        ("AppError", "no summary"),
    ]
