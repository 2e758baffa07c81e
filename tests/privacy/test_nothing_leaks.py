"""A secret that was planted everywhere in a request, or came back in an answer, is in nothing that claudescope makes.

Sentry's events have the same test of their own in `tests/sentry/test_scrubbing.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
from collections.abc import Callable, Generator
from typing import Any, ClassVar

import anthropic
import pydantic
import pytest
from opentelemetry.context import Context
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest
from rich.console import Console

import claudescope
from claudescope import CallRecord, Content, Sink
from claudescope._internal import internal_errors
from claudescope._internal.counters import INTERNAL_ERRORS
from claudescope.content.options import ENVIRONMENT
from claudescope.probe import flush
from tests.scripted import Answer, ScriptedAPI, error, events, http, message, server_sent, stream, traced

SECRET = "hunter2-correct-horse"
# The path of a base URL is no place for a secret: the SDK writes it to its span.
_BASE_URL = f"https://user:{SECRET}@api.anthropic.com/?key={SECRET}"


class _Spy(Sink):
    """Keeps the records, as a user's own sink would, and fails with the secret in its message."""

    name: ClassVar[str] = "spy"

    def __init__(self) -> None:
        self.records: list[CallRecord] = []

    def finished(self, record: CallRecord, context: Context | None = None) -> None:
        self.records.append(record)
        raise RuntimeError(SECRET)


class Everything:
    """All that claudescope makes of calls, as it would leave the process."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.events = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call] # the library's
        self.logger_provider = LoggerProvider()
        self.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self.events))
        self.reader = InMemoryMetricReader()
        self.registry = CollectorRegistry()
        scraped = PrometheusMetricReader(disable_target_info=True)
        self.registry.register(scraped._collector)
        self.meter_provider = MeterProvider(metric_readers=[self.reader, scraped])
        self.spy = _Spy()
        self.log: list[logging.LogRecord] = []

    def instrument(self, content: Any = None) -> None:
        """Switch everything on that there is."""
        claudescope.instrument(
            tracer_provider=self.tracer_provider,
            meter_provider=self.meter_provider,
            logger_provider=self.logger_provider,
            logs=True,
            content=content,
            sinks=[self.spy],
        )

    def texts(self) -> dict[str, str]:
        """Every signal as text, by its name."""
        flush()
        report, out = claudescope.report(), io.StringIO()
        report.print(Console(file=out, width=300))
        metrics = self.reader.get_metrics_data()
        formatter = logging.Formatter()
        return {
            "spans": "".join(span.to_json() for span in self.spans.get_finished_spans()),
            "events": "".join(data.to_json() for data in self.events.get_finished_logs()),
            "metrics": "" if metrics is None else metrics.to_json(),
            "prometheus": generate_latest(self.registry).decode(),
            "report": out.getvalue() + json.dumps(report.to_dict(), default=str),
            "log": "".join(formatter.format(record) + str(vars(record)) for record in self.log),
            "records": str(self.spy.records),
            "faults": str(internal_errors.counts()),
        }


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> Generator[Everything, None, None]:
    """Every sink switched on, and the loggers of claudescope at debug."""
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.setattr(INTERNAL_ERRORS, "_counts", {})  # so that the first fault of each part is logged again
    made = Everything()

    class _Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            made.log.append(record)

    logger, keep = logging.getLogger("claudescope"), _Keep()
    logger.addHandler(keep)
    logger.setLevel(logging.DEBUG)
    yield made
    logger.removeHandler(keep)
    logger.setLevel(logging.NOTSET)
    for provider in (made.tracer_provider, made.meter_provider, made.logger_provider):
        provider.shutdown()


def _request(**changes: Any) -> dict[str, Any]:
    """A request with the secret wherever a caller can put one."""
    schema = {"type": "object", "properties": {SECRET: {"type": "string", "description": SECRET}}}
    return {
        "model": "claude-opus-5-5",
        "max_tokens": 100,
        "system": [{"type": "text", "text": f"You know {SECRET}"}],
        "messages": [
            {"role": "user", "content": f"What is {SECRET}?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "t", "input": {"q": SECRET}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": SECRET}]},
        ],
        "tools": [{"name": "tool", "description": SECRET, "input_schema": schema}],
        "stop_sequences": [SECRET],
        "metadata": {"user_id": SECRET},
        "extra_headers": {"x-tenant": SECRET, "cookie": SECRET},
        "extra_query": {"key": SECRET},
        "extra_body": {"note": SECRET},
        **changes,
    }


Call = Callable[[Everything], object]


def _client(all_of_it: Everything, *answers: Answer, **options: Any) -> Any:
    options = {"max_retries": 1, "base_url": _BASE_URL, "default_headers": {"x-own": SECRET}, **options}
    return ScriptedAPI(*answers).client(api_key=SECRET, **traced(all_of_it.tracer_provider), **options)


_SAID = message(content=[{"type": "text", "text": SECRET}], stop_sequence=SECRET)
_ECHO = error(400, "invalid_request_error", f"messages.0.content: {SECRET} is not allowed", x_own=SECRET)
_BUSY = error(429, "rate_limit_error", f"{SECRET} is too fast", retry_after_ms="1")
_ERROR_EVENT: dict[str, Any] = {"type": "error", "error": {"type": "overloaded_error", "message": SECRET}}


class _Sky(pydantic.BaseModel):
    colour: int


def _once(*answers: Answer) -> Call:
    return lambda it: _client(it, *answers).messages.create(**_request())


def _streamed(answer: Answer) -> Call:
    return lambda it: list(_client(it, answer).messages.create(**_request(), stream=True))


def _helper(it: Everything) -> object:
    with _client(it, stream(events(SECRET, SECRET))).messages.stream(**_request()) as opened:
        return opened.get_final_message()


def _left(it: Everything) -> object:
    with _client(it, stream(events(SECRET, SECRET))).messages.create(**_request(), stream=True) as opened:
        for event in opened:
            if event.type == "content_block_delta":
                return event
    return None


def _dropped(it: Everything) -> object:
    return next(iter(_client(it, stream(events(SECRET))).messages.create(**_request(), stream=True)))


def _raw(it: Everything) -> object:
    with _client(it, stream(events(SECRET))).messages.with_streaming_response.create(
        **_request(), stream=True
    ) as response:
        return response.read()


def _refused(it: Everything) -> object:
    answer = message(content=[{"type": "text", "text": json.dumps({"colour": SECRET})}])
    return _client(it, answer).messages.parse(**_request(), output_format=_Sky)


def _broken_json(it: Everything) -> object:
    answer = Answer(body=f'{{"id": "{SECRET}'.encode(), headers={"content-type": "application/json"})
    return _client(it, answer).messages.create(**_request())


def _counted(it: Everything) -> object:
    request = _request()
    for name in ("max_tokens", "stop_sequences", "metadata"):
        del request[name]
    return _client(it, message(input_tokens=3)).messages.count_tokens(**request)


def _batched(it: Everything) -> object:
    params = {name: value for name, value in _request().items() if not name.startswith("extra_")}
    return _client(it, message(id="msgbatch_1")).messages.batches.create(
        requests=[{"custom_id": SECRET, "params": params}]
    )


def _posted(it: Everything) -> object:
    return _client(it, message()).post(f"/v1/{SECRET}?key={SECRET}", body={"note": SECRET}, cast_to=object)


def _async(it: Everything) -> object:
    async def call() -> object:
        client = ScriptedAPI(_SAID).async_client(api_key=SECRET, base_url=_BASE_URL, **traced(it.tracer_provider))
        return await client.messages.create(**_request())

    return asyncio.run(call())


_CALLS: dict[str, Call] = {
    "success": _once(_SAID),
    "async": _async,
    "retried": _once(_BUSY, _SAID),
    "echoed": _once(_ECHO),
    "gateway": _once(Answer(502, f"<html>{SECRET}</html>".encode(), {"x-should-retry": "false"})),
    "refused-connection": _once(*[Answer(fails=http.ConnectError(f"no route to {SECRET}"))] * 2),
    "stream": _streamed(stream(events(SECRET, SECRET))),
    "stream-helper": _helper,
    "stream-left": _left,
    "stream-dropped": _dropped,
    "stream-bytes": _raw,
    "stream-cut": _streamed(stream(events(SECRET)[:3])),
    "stream-broken": _streamed(stream(events(SECRET)[:3], breaks=http.ReadError(SECRET))),
    "stream-error": _streamed(Answer(body=[server_sent(_ERROR_EVENT)], headers={"content-type": "text/event-stream"})),
    "schema": _refused,
    "broken-json": _broken_json,
    "count-tokens": _counted,
    "batch": _batched,
    "post": _posted,
}


def _run(call: Call, it: Everything) -> None:
    with contextlib.suppress(anthropic.AnthropicError, pydantic.ValidationError, http.HTTPError, ValueError):
        call(it)


@pytest.mark.parametrize("name", _CALLS)
def test_a_secret_is_in_no_signal(everything: Everything, name: str) -> None:
    """Whatever a call is and however it ends, by default nothing of its content, keys, headers or URL leaves."""
    everything.instrument()
    with claudescope.workflow("privacy"):
        _run(_CALLS[name], everything)
    texts = everything.texts()
    assert {
        signal: text[max(text.find(SECRET) - 200, 0) :][:300] for signal, text in texts.items() if SECRET in text
    } == {}
    assert len(everything.spy.records) == 1
    assert {signal for signal, text in texts.items() if not text} <= {"spans"}  # a request of `post` may have none


def test_a_redaction_that_fails_with_what_it_saw(everything: Everything) -> None:
    """What a redaction raises may quote the prompt: its message is in no debug log."""

    def redact(role: str, part: dict[str, Any]) -> Any:
        raise KeyError(part["content"])

    everything.instrument(Content("SPAN_AND_EVENT", redact=redact))
    _run(_once(message(content=[{"type": "text", "text": SECRET}])), everything)
    assert [signal for signal, text in everything.texts().items() if SECRET in text] == []


def test_where_content_was_asked_for(everything: Everything) -> None:
    """What the tests above guard against: asked for, the secret is where it was asked for, and nowhere else."""
    everything.instrument("SPAN_AND_EVENT")
    _run(_once(_SAID), everything)
    assert {signal for signal, text in everything.texts().items() if SECRET in text} == {"spans", "events"}
