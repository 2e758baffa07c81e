"""What a real Sentry-compatible server makes of the events: how many issues, of what, and on which trace."""

from __future__ import annotations

import json
import logging
from collections import Counter
from pathlib import Path
from typing import Any

import anthropic
import pytest
import sentry_sdk
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sentry_sdk.integrations.anthropic import AnthropicIntegration
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from typer.testing import CliRunner

import claudescope
import claudescope.web
from claudescope.cli import app as cli
from claudescope.schema.attributes import REQUEST_ID, TRACE_ID
from claudescope.sentry import Options
from claudescope.sinks.json_formatter import formatter
from tests.scripted import REQUEST, Answer, ScriptedAPI, error
from tests.sentry.bugsink import Project
from tests.sentry.conftest import Start
from tests.sentry.failures import CALL_SITES, ERROR_TYPES, REPORTS, rate_limit

pytestmark = pytest.mark.timeout(300)  # the server's environment is made on first use

_ALL = Options(burst=None)
_TEAMS = ("search", "billing", "support", "legal", "sales", "mobile", "growth", "risk", "data", "finance")
_LIMITS = ("input tokens", "output tokens", "requests", "cache reads", "batches")
_QUEUE: dict[str, Any] = {"transport_queue_size": 1000}


def _clients(*answers: Answer) -> list[anthropic.Anthropic]:
    return [ScriptedAPI(answer).client(max_retries=0) for answer in answers]


def _fifty_rate_limits() -> None:
    """Fifty rate limits with different messages, from ten call sites, reported in three ways."""
    texts = [f"The limit of {limit} of the workspace {team} is reached" for limit in _LIMITS for team in _TEAMS]
    for number, client in enumerate(_clients(*map(rate_limit, texts))):
        site, report = CALL_SITES[number % 10], REPORTS[number % 3]
        report(lambda site=site, client=client: site(client))  # type: ignore[misc] # bound at once


def _one_hundred_and_thirty() -> None:
    """130 failures of nine kinds, the same three ways."""
    answers = [answer for _ in range(15) for answer in ERROR_TYPES.values()][:130]
    for number, client in enumerate(_clients(*answers)):
        site, report = CALL_SITES[number % 10], REPORTS[number % 3]
        report(lambda site=site, client=client: site(client))  # type: ignore[misc] # bound at once


def _counts(project: Project) -> list[int]:
    sentry_sdk.flush(60)
    return sorted(issue["digested_event_count"] for issue in project.issues())


@pytest.mark.parametrize("also", [(), (AnthropicIntegration(),)], ids=["alone", "beside-sentrys-own"])
def test_fifty_rate_limits_are_one_issue(project: Project, start: Start, also: tuple[Any, ...]) -> None:
    """Whatever the call site, the message and the wrapping: one issue, with an event per failure."""
    start(_ALL, dsn=project.dsn, also=also, **_QUEUE)
    claudescope.instrument()
    _fifty_rate_limits()
    assert _counts(project) == [50]


@pytest.mark.release
def test_fifty_rate_limits_without_us(project: Project, start: Start) -> None:
    """The same app with Sentry's own integration alone: what the issue of the last test is to be compared with."""
    start(ours=False, dsn=project.dsn, also=(AnthropicIntegration(),), **_QUEUE)
    _fifty_rate_limits()
    counts = _counts(project)
    # 67 and 67 when this was written: each wrapped failure twice, and an issue for each text.
    assert len(counts) > 50
    assert sum(counts) > 50


def test_nine_kinds_are_nine_issues(project: Project, start: Start) -> None:
    """One issue per kind, and none beside."""
    start(_ALL, dsn=project.dsn, **_QUEUE)
    claudescope.instrument()
    _one_hundred_and_thirty()
    assert _counts(project) == [14] * 5 + [15] * 4
    expected = Counter([kind for _ in range(15) for kind in ERROR_TYPES][:130])
    assert Counter(event["tags"]["claude.error_type"] for event in project.events()) == expected


@pytest.mark.release
def test_nine_kinds_without_us(project: Project, start: Start) -> None:
    """The same app with Sentry's own integration alone."""
    start(ours=False, dsn=project.dsn, also=(AnthropicIntegration(),), **_QUEUE)
    _one_hundred_and_thirty()
    counts = _counts(project)
    # 12 and 173 when this was written: the same texts over and over, which the server does put together.
    assert len(counts) > 9
    assert sum(counts) > 130


def test_an_issue_opens_the_trace(
    project: Project, start: Start, tracer_provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    """The trace and span of a stored event are those of the call's span."""
    start(_ALL, dsn=project.dsn)
    claudescope.instrument(tracer_provider=tracer_provider, spans="own")
    for answer in ERROR_TYPES.values():
        client = ScriptedAPI(answer).client(max_retries=0, open_telemetry=False)
        REPORTS[0](lambda client=client: CALL_SITES[0](client))  # type: ignore[misc] # bound at once
    sentry_sdk.flush(60)
    stored = [event["contexts"]["trace"] for event in project.events()]
    finished = [span.get_span_context() for span in spans.get_finished_spans()]
    assert [(trace["trace_id"], trace["span_id"]) for trace in stored] == [
        (f"{span.trace_id:032x}", f"{span.span_id:016x}") for span in finished if span is not None
    ]
    assert len(stored) == 9


def test_one_id_leads_everywhere(project: Project, start: Start, tmp_path: Path) -> None:
    """The id that a consumer quotes finds the issue, the trace and the API's request id, and each finds it again."""
    start(_ALL, dsn=project.dsn, **_QUEUE)
    log = tmp_path / "calls.jsonl"
    handler = logging.FileHandler(log)
    handler.setFormatter(formatter())
    calls = logging.getLogger("claudescope.calls")
    calls.addHandler(handler)
    before, calls.level = calls.level, logging.INFO
    claudescope.instrument(logs=True)
    script = ScriptedAPI(*(error(500, "api_error", request_id=f"req_{number}") for number in range(2)))

    async def ask(_: Request) -> PlainTextResponse:
        with TracerProvider().get_tracer("app").start_as_current_span("ask"):
            await script.async_client(max_retries=0).messages.create(**REQUEST)
        return PlainTextResponse("never")

    app = Starlette(routes=[Route("/ask", ask)])
    claudescope.web.install(app)
    try:
        problems = [TestClient(app).get("/ask", headers={"X-Request-ID": f"order-{n}"}).json() for n in range(2)]
    finally:
        claudescope.uninstrument()
        calls.removeHandler(handler)
        calls.setLevel(before)
        handler.close()
    sentry_sdk.flush(60)
    events = project.events()
    assert len(project.issues()) == 1
    assert [problem["correlation_id"] for problem in problems] == ["order-0", "order-1"]
    tagged = {event["tags"]["correlation_id"]: event for event in events}
    assert sorted(tagged) == ["order-0", "order-1"]
    for number in range(2):
        found = CliRunner().invoke(cli, ["find", f"order-{number}", str(log), "--json"])
        (line,) = map(json.loads, found.stdout.splitlines())
        assert line[REQUEST_ID.name] == f"req_{number}"
        for other in (line[TRACE_ID.name], f"req_{number}"):
            again = CliRunner().invoke(cli, ["find", other, str(log), "--json"])
            assert [json.loads(text) for text in again.stdout.splitlines()] == [line]
