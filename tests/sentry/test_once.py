"""One event per failure, however often it is reported, and nothing for one that the app handled."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import anthropic
import pytest
import sentry_sdk
from sentry_sdk.integrations.anthropic import AnthropicIntegration

import claudescope
from claudescope.sentry import Options
from claudescope.sentry.capture import capture_exception
from tests.scripted import REQUEST, ScriptedAPI, error, events, message, stream
from tests.sentry.conftest import Recorder, Start
from tests.sentry.failures import ERROR_TYPES, AppError, fail, rate_limit

_log = logging.getLogger("app")
_BOTH = pytest.mark.parametrize("also", [(), (AnthropicIntegration(),)], ids=["alone", "beside-sentrys-own"])


def _session(recorder: Recorder) -> dict[str, Any]:
    """How the session ended, as Sentry would have got it."""
    sentry_sdk.get_isolation_scope().end_session()
    sentry_sdk.flush()
    *_, session = recorder.items("session")
    return {"errors": 0, **session}


def _start_session() -> None:
    sentry_sdk.get_isolation_scope().start_session(session_mode="application")


@_BOTH
def test_a_rate_limit_that_the_app_handled(start: Start, also: tuple[Any, ...]) -> None:
    """The app catches a 429, asks again and gets an answer: no event, and the session is healthy."""
    recorder = start(also=also)
    claudescope.instrument()
    _start_session()
    client = ScriptedAPI(rate_limit(), message()).client(max_retries=0)
    try:
        client.messages.create(**REQUEST)
    except anthropic.RateLimitError:
        client.messages.create(**REQUEST)
    session = _session(recorder)
    assert recorder.events == []
    assert (session["status"], session["errors"]) == ("exited", 0)


def test_a_rate_limit_that_the_app_handled_without_us(start: Start) -> None:
    """What the last test guards against: Sentry's own integration calls the same app crashed."""
    recorder = start(ours=False, also=(AnthropicIntegration(),))
    _start_session()
    client = ScriptedAPI(rate_limit(), message()).client(max_retries=0)
    try:
        client.messages.create(**REQUEST)
    except anthropic.RateLimitError:
        client.messages.create(**REQUEST)
    assert _session(recorder)["status"] == "crashed"


@_BOTH
def test_a_handled_failure_that_the_app_reports(start: Start, also: tuple[Any, ...]) -> None:
    """A 429 that the app caught and reports is a handled event, and the session goes on."""
    recorder = start(also=also)
    _start_session()
    try:
        ScriptedAPI(rate_limit()).client(max_retries=0).messages.create(**REQUEST)
    except anthropic.RateLimitError as caught:
        sentry_sdk.capture_exception(caught)
    session = _session(recorder)
    assert [value["mechanism"]["handled"] for value in recorder.event["exception"]["values"]] == [True]
    assert (session["status"], session["errors"]) == ("exited", 1)


@_BOTH
@pytest.mark.parametrize("instrumented", [True, False])
def test_reported_in_every_way(start: Start, also: tuple[Any, ...], instrumented: bool) -> None:
    """Bare, wrapped, wrapped without `from`, in a group, and logged in three forms: one event."""
    recorder = start(also=also)
    if instrumented:
        claudescope.instrument()
    try:
        try:
            ScriptedAPI(rate_limit("slow down")).client(max_retries=0).messages.create(**REQUEST)
        except anthropic.RateLimitError as caught:
            sentry_sdk.capture_exception(caught)
            _log.exception("failed")
            _log.error("failed: %s", caught)
            _log.error(f"failed: {caught}")
            with contextlib.suppress(AppError):
                _raise_from(caught)
            raise AppError("without from")  # noqa: B904 - as apps do
    except AppError as caught:
        sentry_sdk.capture_exception(caught)
    assert recorder.event["tags"]["claude.error_type"] == "rate_limit_error"


def _raise_from(error: BaseException) -> None:
    try:
        raise AppError("with from") from error  # noqa: TRY301 - as apps do
    except AppError as caught:
        sentry_sdk.capture_exception(caught)
        raise


def test_logged_first(start: Start) -> None:
    """A log record that only names the error is the event, and the exception after it is a repetition."""
    recorder = start()
    error = fail(rate_limit())
    _log.error("failed: %s", error)
    sentry_sdk.capture_exception(error)
    event = recorder.event
    assert (event["fingerprint"], event["logentry"]["params"]) == (
        ["claude-api-error", "rate_limit_error"],
        ["429 rate_limit_error"],
    )


def test_a_log_record_about_something_else(start: Start) -> None:
    """What an `except` logs that neither names the error nor quotes it is an event of its own."""
    recorder = start()
    try:
        raise fail(rate_limit())
    except anthropic.RateLimitError as caught:
        _log.error("the cache is down too")
        sentry_sdk.capture_exception(caught)
    assert [event.get("fingerprint") for event in recorder.events] == [None, ["claude-api-error", "rate_limit_error"]]


def test_a_crash_after_a_report(start: Start) -> None:
    """A failure that was reported as handled and then crashes is one event, and a crashed session."""
    recorder = start()
    _start_session()
    error = fail(rate_limit())
    sentry_sdk.capture_exception(error)
    _unhandled(error)
    assert _session(recorder)["status"] == "crashed"
    assert recorder.event["exception"]["values"][0]["mechanism"]["handled"] is True


def _unhandled(error: BaseException) -> None:
    """Report an error as a framework does where nobody has handled it."""
    capture_exception(error, "framework", handled=False, event={}, hint={})


def test_two_failures_are_two_events(start: Start) -> None:
    """Only the same failure is a repetition: an error like it is not, nor is one at its former address."""
    recorder = start(Options(burst=None))
    for _ in range(100):
        sentry_sdk.capture_exception(fail(rate_limit()))
    assert len(recorder.events) == 100


def test_every_failure(start: Start) -> None:
    """`capture="failures"` reports each call that failed for good, as handled, and an app's report after it is none."""
    recorder = start(Options(capture="failures"), also=(AnthropicIntegration(),))
    claudescope.instrument()
    _start_session()
    retried = ScriptedAPI(error(429, "rate_limit_error", retry_after_ms="1"), message()).client()
    retried.messages.create(**REQUEST)
    error_ = fail(ERROR_TYPES["overloaded_error"])
    sentry_sdk.capture_exception(error_)
    session = _session(recorder)
    event = recorder.event
    assert event["tags"]["claude.error_type"] == "overloaded_error"
    mechanism = event["exception"]["values"][0]["mechanism"]
    assert (mechanism["type"], mechanism["handled"]) == ("claudescope", True)
    assert (session["status"], session["errors"]) == ("exited", 1)
    callers = [frame["function"] for frame in event["threads"]["values"][0]["stacktrace"]["frames"]]
    assert "test_every_failure" in callers


def test_a_cut_stream_is_a_failure(start: Start) -> None:
    """A stream that ended before its end raises nothing, and is an event all the same where all are asked for."""
    recorder = start(Options(capture="failures"))
    claudescope.instrument()
    with contextlib.closing(
        ScriptedAPI(stream(events("a")[:3])).client().messages.create(**REQUEST, stream=True)
    ) as opened:
        list(opened)
    event = recorder.event
    assert (event["fingerprint"], event["message"]) == (
        ["claude-api-error", "stream_interrupted_error"],
        "200 stream_interrupted_error",
    )


def test_every_attempt(start: Start) -> None:
    """`capture="attempts"` reports each attempt that the SDK repeated too, in the same issue."""
    recorder = start(Options(capture="attempts"))
    claudescope.instrument()
    limited = error(429, "rate_limit_error", retry_after_ms="1")
    ScriptedAPI(limited, limited, message()).client().messages.create(**REQUEST)
    with pytest.raises(anthropic.RateLimitError):
        ScriptedAPI(*[limited] * 3).client().messages.create(**REQUEST)
    assert len(recorder.events) == 5
    assert {tuple(event["fingerprint"]) for event in recorder.events} == {("claude-api-error", "rate_limit_error")}
    assert [event["contexts"]["claude"]["request_id"] for event in recorder.events] == [
        *("req_1", "req_2"),
        *("req_1", "req_2", "req_3"),
    ]


def test_the_reach_of_sentrys_own(start: Start) -> None:
    """Beta, count_tokens and streams, which Sentry's own integration does not see, are reported all the same."""
    recorder = start(Options(capture="failures"), also=(AnthropicIntegration(),))
    claudescope.instrument()
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with contextlib.suppress(anthropic.APIError):
        ScriptedAPI(rate_limit()).client(max_retries=0).beta.messages.create(**REQUEST)
    with contextlib.suppress(anthropic.APIError):
        ScriptedAPI(rate_limit()).client(max_retries=0).messages.count_tokens(
            model=REQUEST["model"], messages=REQUEST["messages"]
        )
    with contextlib.suppress(anthropic.APIError):
        list(ScriptedAPI(stream([*events("a")[:3], overloaded])).client().messages.create(**REQUEST, stream=True))
    assert [event["tags"]["claude.error_type"] for event in recorder.events] == [
        "rate_limit_error",
        "rate_limit_error",
        "overloaded_error",
    ]


def test_async_calls(start: Start) -> None:
    """The same for async: twenty calls at once that fail, each reported twice, are twenty events."""
    recorder = start(Options(burst=None), also=(AnthropicIntegration(),))
    claudescope.instrument()

    async def call() -> None:
        try:
            await ScriptedAPI(rate_limit()).async_client(max_retries=0).messages.create(**REQUEST)
        except anthropic.RateLimitError as caught:
            sentry_sdk.capture_exception(caught)
            _log.exception("failed")

    async def calls() -> None:
        await asyncio.gather(*(call() for _ in range(20)))

    asyncio.run(calls())
    assert [event["contexts"]["claude"]["attempts"] for event in recorder.events] == [1] * 20
