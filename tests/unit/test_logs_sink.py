"""One structured record per call, through stdlib logging and through OpenTelemetry's logs, and never both into one."""

from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import Generator
from io import StringIO
from typing import Any

import pytest
from opentelemetry.instrumentation.logging.handler import (  # pyright: ignore[reportMissingTypeStubs]
    LoggingHandler,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import claudescope
from claudescope import BadInputError
from claudescope._internal import internal_errors
from claudescope.probe import flush
from claudescope.sinks.logs import EVENT_NAME, LOGGER_NAME, LogsSink
from tests.records import make_record
from tests.scripted import REQUEST, ScriptedAPI, error, message, stream, traced


@pytest.fixture
def exported() -> InMemoryLogRecordExporter:
    """Where the records of `logger_provider` end up."""
    return InMemoryLogRecordExporter()  # type: ignore[no-untyped-call] # the library's


@pytest.fixture
def logger_provider(exported: InMemoryLogRecordExporter) -> Generator[LoggerProvider, None, None]:
    """A provider of the test's own; the global one is never set."""
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exported))
    yield provider
    provider.shutdown()


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> Generator[list[logging.LogRecord], None, None]:
    """The records that a handler of the app's gets."""
    records: list[logging.LogRecord] = []

    class _Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    logger = logging.getLogger(LOGGER_NAME)
    monkeypatch.setattr(logger, "handlers", [_Handler()])
    logger.setLevel(logging.INFO)
    yield records
    logger.setLevel(logging.NOTSET)


def test_every_field(handled: list[logging.LogRecord]) -> None:
    """A record has the facts of the call under the names of spans and metrics, and a line for people."""
    LogsSink().finished(make_record())
    (record,) = handled
    assert record.getMessage() == "chat claude-opus-5-5 ok 4.00s 1000+200 tokens $0.0125 1 retried"
    assert (record.name, record.levelname) == (LOGGER_NAME, "INFO")
    assert {name: value for name, value in vars(record).items() if "." in name or name.endswith("_id")} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-opus-5-5",
        "gen_ai.response.model": "claude-opus-5-5",
        "gen_ai.request.stream": True,
        "server.address": "api.anthropic.com",
        "claude.workflow": "summarise",
        "claude.outcome": "ok",
        "http.response.status_code": 200,
        "anthropic.request.id": "req_2",
        "claude.started_at": "2026-11-21T12:00:00+00:00",
        "claude.duration": 4.0,
        "gen_ai.response.time_to_first_chunk": 0.5,
        "gen_ai.response.finish_reasons": ("end_turn",),
        "claude.attempts": 2,
        "claude.retry.delay": 1.25,
        "claude.cost.usd": 0.0125,
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 200,
        "gen_ai.usage.cache_read.input_tokens": 600,
        "gen_ai.usage.cache_write.input_tokens": 150,
        "gen_ai.usage.reasoning.output_tokens": 20,
        "trace_id": "0" * 31 + "1",
        "span_id": "0" * 15 + "2",
    }


@pytest.mark.parametrize(
    ("outcome", "error_type", "level"),
    [("ok", None, "INFO"), ("cancelled", None, "INFO"), ("abandoned", None, "INFO"), ("error", "api_error", "WARNING")],
)
def test_the_level(handled: list[logging.LogRecord], outcome: str, error_type: str | None, level: str) -> None:
    """Only a failed call is a warning, and none is an error: that is for the app to say."""
    LogsSink().finished(make_record(outcome=outcome, error_type=error_type))
    (record,) = handled
    assert (record.levelname, getattr(record, "error.type", None)) == (level, error_type)


def test_off_unless_asked(handled: list[logging.LogRecord]) -> None:
    """The app's log stays as it was."""
    claudescope.instrument()
    ScriptedAPI(message()).client().messages.create(**REQUEST)
    assert handled == []


def test_every_ending(handled: list[logging.LogRecord], tracer_provider: TracerProvider) -> None:
    """Success, failure, a stream read and one dropped: one record each, with the ids of the call's own span."""
    claudescope.instrument(logs=True, tracer_provider=tracer_provider)
    api = ScriptedAPI(message(), error(400, "invalid_request_error", "secret"), stream(), stream())
    client = api.client(**traced(tracer_provider), max_retries=0)
    client.messages.create(**REQUEST)
    with pytest.raises(Exception, match="secret"):
        client.messages.create(**REQUEST)
    list(client.messages.create(**REQUEST, stream=True))
    next(iter(client.messages.create(**REQUEST, stream=True)))
    flush()
    assert [getattr(record, "claude.outcome") for record in handled] == ["ok", "error", "ok", "abandoned"]
    assert [getattr(record, "anthropic.request.id") for record in handled] == [f"req_{n}" for n in (1, 2, 3, 4)]
    assert len({record.__dict__["span_id"] for record in handled}) == 4
    assert not any("secret" in str(vars(record)) for record in handled)


def test_opentelemetrys_logs(
    logger_provider: LoggerProvider, exported: InMemoryLogRecordExporter, tracer_provider: TracerProvider,
    spans: InMemorySpanExporter,
) -> None:  # fmt: skip
    """Where a provider is set it gets the record as an event, tied to the call's span, also for a dropped stream."""
    claudescope.instrument(logs=True, logger_provider=logger_provider, tracer_provider=tracer_provider)
    client = ScriptedAPI(message(), stream()).client(**traced(tracer_provider))
    client.messages.create(**REQUEST)
    next(iter(client.messages.create(**REQUEST, stream=True)))
    flush()
    records = [data.log_record for data in exported.get_finished_logs()]
    assert [record.event_name for record in records] == [EVENT_NAME] * 2
    assert [record.severity_text for record in records] == ["INFO"] * 2
    made = [span.context for span in spans.get_finished_spans() if span.context is not None]
    assert {(record.trace_id, record.span_id) for record in records} == {(c.trace_id, c.span_id) for c in made}
    assert all("trace_id" not in (record.attributes or {}) for record in records)


@pytest.mark.parametrize("where", [LOGGER_NAME, "claudescope", ""])
def test_no_record_twice(
    where: str,
    logger_provider: LoggerProvider,
    exported: InMemoryLogRecordExporter,
    handled: list[logging.LogRecord],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a handler of OpenTelemetry's already takes the records of stdlib, we send none beside it."""
    sink, logger = LogsSink(logger_provider), logging.getLogger(where)
    monkeypatch.setattr(logger, "handlers", [*logger.handlers, LoggingHandler(logger_provider=logger_provider)])
    sink.finished(make_record())
    (data,) = exported.get_finished_logs()
    assert data.log_record.attributes is not None
    assert data.log_record.attributes["gen_ai.usage.input_tokens"] == 1000
    assert len(handled) == 1


def test_opentelemetry_alone(
    logger_provider: LoggerProvider, exported: InMemoryLogRecordExporter, handled: list[logging.LogRecord]
) -> None:
    """The ways in without code leave the app's own log alone."""
    claudescope.instrument(logs="opentelemetry", logger_provider=logger_provider)
    ScriptedAPI(message()).client().messages.create(**REQUEST)
    assert (handled, len(exported.get_finished_logs())) == ([], 1)


def test_a_place_that_is_none() -> None:
    """A wrong option says what was expected."""
    with pytest.raises(BadInputError, match="logs='json': expected True, False or 'opentelemetry'"):
        claudescope.instrument(logs="json")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_a_level_that_keeps_it_out(
    logger_provider: LoggerProvider, exported: InMemoryLogRecordExporter, handled: list[logging.LogRecord]
) -> None:
    """The app's level decides for what goes through stdlib; a provider gets all."""
    logging.getLogger(LOGGER_NAME).setLevel(logging.WARNING)
    LogsSink(logger_provider).finished(make_record())
    assert (handled, len(exported.get_finished_logs())) == ([], 1)


def test_a_name_that_the_apps_factory_uses(handled: list[logging.LogRecord]) -> None:
    """An app whose records have a `trace_id` of their own keeps it, and its log goes on."""
    before = logging.getLogRecordFactory()

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = before(*args, **kwargs)
        record.__dict__["trace_id"] = "the app's"
        return record

    logging.setLogRecordFactory(factory)
    try:
        LogsSink().finished(make_record())
    finally:
        logging.setLogRecordFactory(before)
    assert [record.__dict__["trace_id"] for record in handled] == ["the app's"]


def test_a_handler_that_calls_claude(handled: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that asks Claude about a record starts no endless chain."""
    sink = LogsSink()

    class _Asks(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            sink.finished(make_record(request_model="inner"))

    logger = logging.getLogger(LOGGER_NAME)
    monkeypatch.setattr(logger, "handlers", [*logger.handlers, _Asks()])
    sink.finished(make_record())
    assert [getattr(record, "gen_ai.request.model") for record in handled] == ["claude-opus-5-5"]


@pytest.mark.usefixtures("handled")
def test_a_handler_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a handler raises does not reach the app's call, and is counted."""

    class _Broken(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise RuntimeError("broken")

    monkeypatch.setattr(logging.getLogger(LOGGER_NAME), "handlers", [_Broken()])
    before = internal_errors.counts().get("logs", 0)
    claudescope.instrument(logs=True)
    assert ScriptedAPI(message()).client().messages.create(**REQUEST).id == "msg_1"
    assert internal_errors.counts()["logs"] == before + 1


def test_no_handler(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that has set up no logging finds nothing on its standard error."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    LogsSink().finished(make_record(outcome="error", error_type="api_error"))
    assert capfd.readouterr() == ("", "")


def test_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """The formatter writes one JSON object a line, with every field, as set up by a logging configuration."""
    out = StringIO()
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": "claudescope.sinks.json_formatter.formatter"}},
            "handlers": {"out": {"class": "logging.StreamHandler", "stream": out, "formatter": "json"}},
            "loggers": {LOGGER_NAME: {"handlers": ["out"], "level": "INFO", "propagate": False}},
        }
    )
    try:
        LogsSink().finished(make_record())
    finally:
        logger = logging.getLogger(LOGGER_NAME)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    line = json.loads(out.getvalue())
    assert (line["level"], line["logger"], line["message"]) == (
        "INFO",
        LOGGER_NAME,
        "chat claude-opus-5-5 ok 4.00s 1000+200 tokens $0.0125 1 retried",
    )
    assert (line["claude.cost.usd"], line["gen_ai.response.finish_reasons"]) == (0.0125, ["end_turn"])
    assert line["time"][:4].isdigit()
