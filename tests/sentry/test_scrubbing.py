"""A secret that was planted everywhere in a request, or came back in an answer, is in nothing that leaves."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import anthropic
import pydantic
import pytest
import sentry_sdk
from sentry_sdk.integrations.anthropic import AnthropicIntegration

import claudescope
from claudescope.sentry import Options, scrubbing, task
from tests.scripted import Answer, ScriptedAPI, error, events, http, message, stream
from tests.sentry.conftest import Recorder, Start
from tests.sentry.failures import REPORTS, AppError, fail

# In two parts, so that Sentry's source context of this very file does not hold it.
SECRET = "-".join(["hunter2", "correct", "horse"])
_log = logging.getLogger("app")

# Spans of Sentry's SDK 3 pass by every event processor, and hold prompts by default: docs/sentry.md says what to set.
_NEXT_MAJOR: dict[str, Any] = (
    {"data_collection": {"gen_ai": {"inputs": False, "outputs": False}}} if sentry_sdk.VERSION.startswith("3.") else {}
)

_ECHO = error(400, "invalid_request_error", f"messages.0.content: {SECRET} is not allowed")


def _request() -> dict[str, Any]:
    """A request with the secret wherever a caller can put one."""
    schema = {"type": "object", "properties": {SECRET: {"type": "string", "description": SECRET}}}
    return {
        "model": "claude-opus-5-5",
        "max_tokens": 100,
        "system": f"You know {SECRET}",
        "messages": [{"role": "user", "content": f"What is {SECRET}?"}],
        "tools": [{"name": "tool", "description": SECRET, "input_schema": schema}],
        "metadata": {"user_id": SECRET},
        "extra_headers": {"x-tenant": SECRET, "cookie": SECRET},
        "extra_query": {"key": SECRET},
        "extra_body": {"note": SECRET},
    }


def _client(*answers: Answer) -> anthropic.Anthropic:
    client: anthropic.Anthropic = ScriptedAPI(*answers).client(max_retries=1, default_headers={"x-own": SECRET})
    client.api_key = SECRET
    return client


def _create(answer: Answer) -> Callable[[], object]:
    client, request = _client(answer, answer), _request()
    return lambda: client.messages.create(**request)


def _broken_stream() -> object:
    opened = _client(stream(events(SECRET)[:3], breaks=http.ReadError("reset"))).messages.create(
        **_request(), stream=True
    )
    return list(opened)


class _Sky(pydantic.BaseModel):
    colour: str


def _refused_answer() -> object:
    answer = message(content=[{"type": "text", "text": json.dumps({"secret": SECRET})}])
    return _client(answer).messages.parse(**_request(), output_format=_Sky)


def _bug_in_a_tool() -> object:
    """An error of the app's own that leaves through the SDK's frames."""

    def middleware(request: Any, call_next: Any) -> Any:
        raise KeyError("a bug")

    client = ScriptedAPI().client(max_retries=0, middleware=[middleware], default_headers={"x-own": SECRET})
    return client.messages.create(**_request())


_FAILURES = {
    "echoed": _create(_ECHO),
    "rate-limit": _create(error(429, "rate_limit_error", f"{SECRET} is too fast", retry_after_ms="1")),
    "gateway": _create(Answer(502, f"<html>{SECRET}</html>".encode(), {"x-should-retry": "false"})),
    "refused": _create(Answer(fails=http.ConnectError("refused"))),
    "stream": _broken_stream,
    "schema": _refused_answer,
    "bug-in-a-middleware": _bug_in_a_tool,
}


def _report(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception as caught:  # noqa: BLE001 - whatever it is, it is reported
        sentry_sdk.capture_exception(caught)
        _log.exception("failed: %s", caught)
        try:
            raise AppError(f"no summary: {caught}") from caught  # noqa: TRY301 - as apps do
        except AppError as wrapped:
            sentry_sdk.capture_exception(wrapped)


def _holds_no_secret(recorder: Recorder) -> None:
    assert recorder.sent
    for envelope in recorder.sent:
        where = envelope.find(SECRET.encode())
        assert where < 0, envelope[max(where - 300, 0) : where + 100].decode(errors="replace")


@pytest.mark.parametrize("capture", ["reported", "attempts"])
@pytest.mark.parametrize("also", [(), (AnthropicIntegration(),)], ids=["alone", "beside-sentrys-own"])
@pytest.mark.parametrize("failure", _FAILURES)
def test_a_secret_is_in_no_envelope(start: Start, failure: str, also: tuple[Any, ...], capture: Any) -> None:
    """Events, transactions and sessions, with every logger at debug and Sentry's tracing on."""
    loggers = [logging.getLogger(name) for name in ("anthropic", "httpx", "httpx2", "httpcore", "httpcore2")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        recorder = start(
            Options(capture=capture), also=also, breadcrumbs_from=logging.DEBUG, traces_sample_rate=1.0, **_NEXT_MAJOR
        )
        claudescope.instrument(logs=True)
        with sentry_sdk.start_span(name="request"):
            _report(_FAILURES[failure])
            sentry_sdk.capture_exception(ZeroDivisionError("a bug elsewhere"))
        assert len(recorder.events) >= 2
        sentry_sdk.flush()
        _holds_no_secret(recorder)
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def test_a_secret_leaves_without_us(start: Start) -> None:
    """What the last test guards against: without us the secret is in the envelopes of the same app."""
    recorder = start(ours=False, also=(AnthropicIntegration(),))
    _report(_FAILURES["echoed"])
    assert any(SECRET.encode() in envelope for envelope in recorder.sent)


def test_in_background_work(start: Start) -> None:
    """`task` reports no local variable either."""
    recorder = start()

    def work(prompt: str) -> None:
        assert prompt
        _create(_ECHO)()

    with pytest.raises(anthropic.BadRequestError):
        task(work)(SECRET)
    assert recorder.event["tags"]["claude.error_type"] == "invalid_request_error"
    _holds_no_secret(recorder)


def test_messages_by_option(start: Start) -> None:
    """`include_messages` sends the API's own words."""
    recorder = start(Options(include_messages=True))
    REPORTS[1](_create(_ECHO))
    values = [value["value"] for value in recorder.event["exception"]["values"]]
    assert all("is not allowed" in value for value in values)


def test_local_variables_by_option(start: Start) -> None:
    """`include_local_variables` sends those of the app's frames, and never those of the SDK's."""
    recorder = start(Options(include_local_variables=True))
    prompt = "why is the sky blue"
    try:
        _create(_ECHO)()
    except anthropic.APIError as caught:
        sentry_sdk.capture_exception(caught)
    frames = recorder.event["exception"]["values"][0]["stacktrace"]["frames"]
    assert frames[0]["vars"]["prompt"] == repr(prompt)
    assert {frame["module"].partition(".")[0] for frame in frames if "vars" in frame} == {"tests"}


def test_the_connection_is_told(start: Start) -> None:
    """What the HTTP library says of a connection stays: it never quotes a body."""
    recorder = start()
    sentry_sdk.capture_exception(fail(Answer(fails=http.ConnectError("Name or service not known"))))
    assert [value["value"] for value in recorder.event["exception"]["values"]] == [
        "Name or service not known",
        "connection_error",
    ]


def test_other_requests_keep_their_query(start: Start) -> None:
    """Breadcrumbs of requests to other hosts are the app's."""
    recorder = start()
    for url in ("https://shop.example/items?page=2", "https://api.anthropic.com/v1/messages?key=k"):
        sentry_sdk.add_breadcrumb(
            {
                "type": "http",
                "category": "httplib",
                "data": {"url": url, "http.query": "page=2"},
                "message": f"GET {url}",
            }
        )
    sentry_sdk.capture_exception(fail(_ECHO))
    crumbs = recorder.event["breadcrumbs"]["values"]
    assert [(crumb["message"], crumb["data"]) for crumb in crumbs] == [
        ("GET https://shop.example/items?page=2", {"url": "https://shop.example/items?page=2", "http.query": "page=2"}),
        ("GET https://api.anthropic.com/v1/messages", {"url": "https://api.anthropic.com/v1/messages"}),
    ]


def test_a_fault_of_our_own(start: Start, monkeypatch: pytest.MonkeyPatch, expected_faults: Counter[str]) -> None:
    """If we fail, the error still arrives, with its types and nothing that may be private, and the fault is counted."""
    recorder = start()

    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(scrubbing, "scrub_carried", broken)
    sentry_sdk.add_breadcrumb({"message": SECRET})
    expected_faults["sentry"] = 1
    try:
        _create(_ECHO)()
    except anthropic.APIError as caught:
        sentry_sdk.capture_exception(caught)
    (value,) = recorder.event["exception"]["values"]
    assert (value["type"], value["value"]) == ("BadRequestError", "")
    _holds_no_secret(recorder)


def test_what_was_logged_of_a_failure(start: Start) -> None:
    """A failure that the app handled and logged leaves its text in no later event either."""
    recorder = start()
    claudescope.instrument()
    try:
        _create(_ECHO)()
    except anthropic.APIError as caught:
        _log.warning("handled: %s", caught)
    sentry_sdk.capture_exception(ZeroDivisionError("a bug elsewhere"))
    logged = [crumb["message"] for crumb in recorder.event["breadcrumbs"]["values"] if crumb["category"] == "app"]
    assert logged == ["handled: 400 invalid_request_error"]


def test_an_endless_message(start: Start) -> None:
    """A message too long to be kept is cut where it begins."""
    recorder = start()
    claudescope.instrument()
    try:
        _create(error(400, "invalid_request_error", "x" * 20_000 + SECRET))()
    except anthropic.APIError as caught:
        _log.warning("handled: %s", caught)
    sentry_sdk.capture_exception(ZeroDivisionError("a bug elsewhere"))
    assert len(recorder.events) == 1
    _holds_no_secret(recorder)


def test_no_integration_lookup(start: Start, monkeypatch: pytest.MonkeyPatch, expected_faults: Counter[str]) -> None:
    """Whatever a Sentry SDK to come does, the app's event goes out."""
    recorder = start()

    def broken(*_args: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("claudescope.sentry.integration._processor", broken)
    expected_faults["sentry"] = 1
    sentry_sdk.capture_exception(ZeroDivisionError("a bug"))
    assert len(recorder.events) == 1
