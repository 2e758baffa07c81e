"""Attributes are declared once, and what is emitted is what is declared."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import claudescope
from claudescope._internal.correlation import CURRENT
from claudescope.content import Content
from claudescope.content.capture import Capture
from claudescope.probe.fallback_span import end_span, start_span
from claudescope.schema.attributes import ATTRIBUTES, EVENTS, Place
from claudescope.schema.record import Attempt, CallStart, Hop, ModelUsage, Protection, SpanOutcome, Usage
from claudescope.sinks.events import Events
from claudescope.sinks.logs import LOGGER_NAME, LogsSink
from claudescope.sinks.spans import SpansSink
from tests.records import make_record

_ROOT = Path(claudescope.__file__).parent
_MODULES = sorted(
    path for package in ("content", "probe", "sinks") for path in (_ROOT / package).rglob("*.py") if path.stem != "init"
)
_START = CallStart("chat", "anthropic", "claude-opus-5-5", True, "api.anthropic.com", "summarise")
_RECORD = make_record(
    stream=True,
    workflow="summarise",
    outcome="error",
    error_type="api_error",
    status_code=500,
    request_id="req_1",
    time_to_first_chunk=0.5,
    extra_usage=(ModelUsage("compaction", "claude-opus-5-5", Usage(5, 1), None),),
    attempts=(Attempt("api_error", 500, delay=0.5, request_id="req_0"), Attempt("api_error", 500, request_id="req_1")),
    usage=Usage(100, 20, 30, 4, 5, reasoning_tokens=6),
    finish_reason="end_turn",
    trace_id="0" * 31 + "1",
    span_id="0" * 15 + "1",
)
_HOP = Hop("api_error", "first", "second", "claude-haiku-5-5")
_PROTECTED = replace(
    _RECORD, protection=Protection(_START, "second", (_HOP,), degraded_by="model", rejected="circuit_open")
)
_BODY = {"system": "Be brief.", "messages": [{"role": "user", "content": "Hello. " * 100}]}


def _literals(tree: ast.AST) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


@pytest.mark.parametrize("module", _MODULES, ids=lambda path: str(path.relative_to(_ROOT)))
def test_no_module_spells_an_attribute(module: Path) -> None:
    """The names are in the schema alone."""
    declared = {each.name for each in (*ATTRIBUTES, *EVENTS)}
    found = set(_literals(ast.parse(module.read_text(encoding="utf-8"))))
    assert declared & found == set()


def _capture(logs: LoggerProvider) -> Any:
    captured = Capture(Content(max_bytes=200), "SPAN_AND_EVENT", Events(logs)).begin(SimpleNamespace(), _BODY)
    assert captured is not None
    captured.read({"content": [{"type": "text", "text": "Hi."}]})
    return captured


class _Handler(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.fields: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.fields |= {name for name in record.__dict__ if "." in name or name in {"trace_id", "span_id"}}


def _emitted() -> Mapping[Place, set[str]]:
    """The names of everything that the modules above emit for a call that has every fact."""
    spans = InMemorySpanExporter()
    logs = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call] # untyped
    tracers, loggers = TracerProvider(), LoggerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
    span = start_span(tracers.get_tracer("test"), _START, SimpleNamespace(method="post"), 443)
    sink, captured = SpansSink(), _capture(loggers)
    sink.retrying(_START, _RECORD.attempts[0], span, 0)
    sink.hopping(_START, _HOP, span, 0)
    sink.ending(
        SpanOutcome(
            "error", "api_error", _RECORD.finish_reason, _RECORD.cost_usd, _RECORD.workflow, _RECORD.extra_usage
        ),
        span,
    )
    captured.write(span)
    end_span(span, _RECORD)
    captured.emit(_RECORD)
    handler, logger = _Handler(), logging.getLogger(LOGGER_NAME)
    logger.addHandler(handler)
    try:
        LogsSink(loggers).finished(_PROTECTED)
    finally:
        logger.removeHandler(handler)
    (ended,) = spans.get_finished_spans()
    records = {each.log_record.event_name: set(each.log_record.attributes or {}) for each in logs.get_finished_logs()}
    tracers.shutdown()
    loggers.shutdown()
    events = {each.name: each.emitted_on for each in EVENTS}
    assert {each.name for each in ended.events} | set(records) == set(events)
    by_place = {events[str(name)]: attributes for name, attributes in records.items()}
    return {
        "span": set(ended.attributes or {}),
        "span event": {name for event in ended.events for name in event.attributes or {}},
        "log record": by_place["log record"] | handler.fields,
        "event": by_place["event"],
    }


def test_emits_what_is_declared() -> None:
    """Each place has the attributes that are declared for it, and no other."""
    declared = {
        place: {each.name for each in ATTRIBUTES if place in each.emitted_on}
        for place in ("span", "span event", "log record", "event")
    }
    token = CURRENT.set("order-17")
    try:
        assert _emitted() == declared
    finally:
        CURRENT.reset(token)


def test_is_declared_once() -> None:
    """No two attributes have one name, and each says something."""
    assert len({each.name for each in ATTRIBUTES}) == len(ATTRIBUTES)
    assert all(each.description.endswith(".") and each.emitted_on for each in (*ATTRIBUTES, *EVENTS))
