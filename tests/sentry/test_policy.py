"""What a policy raises is grouped as a failed call: one issue per error type, with the reason, and no crash of ours."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import anthropic
import pytest
import sentry_sdk

import claudescope
from claudescope.resilience.errors import (
    BudgetError,
    CircuitOpenError,
    DeadlineError,
    InvalidRequestError,
    QueueTimeoutError,
    StreamTruncatedError,
    ThrottledError,
)
from claudescope.sentry import Options
from tests.scripted import REQUEST, ScriptedAPI, error, events, stream
from tests.sentry.conftest import Recorder, Start
from tests.sentry.failures import AppError

_log = logging.getLogger("app")
# In parts, so that Sentry's source context of this very file does not hold it.
_SECRET = "-".join(["hunter2", "correct", "horse"])

_ERRORS: list[tuple[type[Any], str, str, str]] = [
    (CircuitOpenError, "circuit_open_error", "circuit_open", "error"),
    (ThrottledError, "rate_limit_error", "throttled", "warning"),
    (DeadlineError, "client_timeout_error", "deadline", "warning"),
    (QueueTimeoutError, "pool_timeout_error", "queue_timeout", "error"),
    (BudgetError, "spend_limit_error", "budget", "error"),
    (InvalidRequestError, "invalid_request_error", "invalid", "error"),
]


def _wrapped(caught: Exception) -> None:
    try:
        raise AppError(f"no summary: {caught}") from caught  # noqa: TRY301 - as apps do
    except AppError as wrapped:
        sentry_sdk.capture_exception(wrapped)


def _logged(caught: Exception) -> None:
    _log.error("no summary: %r", caught)


_REPORTS: list[Callable[[Exception], Any]] = [sentry_sdk.capture_exception, _wrapped, _logged]


@pytest.mark.parametrize(
    ("cls", "error_type", "reason", "level"), _ERRORS, ids=lambda one: getattr(one, "__name__", "")
)
def test_a_refusal(start: Start, cls: type[Any], error_type: str, reason: str, level: str) -> None:
    """However it is reported: one event in the issue of its error type, with the reason and no HTTP status."""
    for report in _REPORTS:
        recorder = start(Options(burst=None))
        try:
            raise cls(f"refused: {_SECRET}", retry_after=3.0)
        except anthropic.APIError as caught:
            report(caught)
            sentry_sdk.capture_exception(caught)
        event = recorder.event
        assert (event["fingerprint"], event["level"]) == (["claude-api-error", error_type], level)
        assert event["tags"]["claude.rejected.reason"] == reason
        context = event["contexts"]["claude"]
        assert (context["not_sent"], context["retry_after_seconds"]) == (reason, 3.0)
        assert "status_code" not in context
        assert event["exception"]["values"][0]["value"] == f"{error_type}: not sent ({reason})"
        assert all(_SECRET.encode() not in envelope for envelope in recorder.sent)


def test_a_truncated_stream(start: Start) -> None:
    """The error of a stream that a policy found cut is that of the interruption: something was sent."""
    recorder = start()
    sentry_sdk.capture_exception(StreamTruncatedError())
    event = recorder.event
    assert event["fingerprint"] == ["claude-api-error", "stream_interrupted_error"]
    assert "claude.rejected.reason" not in event["tags"]


@pytest.fixture
def protect(tmp_path: Path) -> Generator[Callable[[str], None]]:
    """Set a policy by the text of its file."""

    def set_policy(text: str) -> None:
        path = tmp_path / "policy.yaml"
        path.write_text("version: 1\n" + text)
        claudescope.protect(path)

    yield set_policy
    claudescope.unprotect()


def _crash(client: Any, **changes: Any) -> None:
    """Make a call that fails, and report it as an app does that handles nothing."""
    with pytest.raises(anthropic.APIError) as caught:
        for _ in client.messages.create(**{**REQUEST, **changes}):
            pass
    sentry_sdk.capture_exception(caught.value)


def _frames_of_ours(recorder: Recorder) -> list[bool]:
    return [
        frame["in_app"]
        for event in recorder.events
        for value in event["exception"]["values"]
        for frame in value["stacktrace"]["frames"]
        if str(frame["module"]).startswith("claudescope.")
    ]


def test_a_spent_budget(start: Start, protect: Callable[[str], None]) -> None:
    """Under a real policy the first call spends it all; the later ones are one issue, in no frame of ours."""
    recorder = start(Options(burst=None))
    claudescope.instrument()
    protect("budgets: [{usd_per_day: 0.0001, then: block}]\n")
    for _ in range(3):
        _crash(ScriptedAPI().client(max_retries=0))
    assert [(event["fingerprint"], event["tags"]["claude.rejected.reason"]) for event in recorder.events] == [
        (["claude-api-error", "spend_limit_error"], "budget")
    ] * 3
    assert set(_frames_of_ours(recorder)) == {False}


def test_an_open_circuit_by_target(start: Start, protect: Callable[[str], None]) -> None:
    """The failures before a circuit opens are the issue of their error type, and may be split by target."""
    recorder = start(Options(burst=None, group_by=["target"]))
    claudescope.instrument()
    protect("error_types: {overloaded_error: {retries: 0}}\n")
    _crash(ScriptedAPI(error(529, "overloaded_error")).client(max_retries=0))
    event = recorder.event
    target = event["tags"]["claude.target"]
    assert event["contexts"]["claude"]["target"] == target
    assert event["fingerprint"] == ["claude-api-error", "overloaded_error", target]


def test_a_cut_stream_under_a_policy(start: Start, protect: Callable[[str], None]) -> None:
    """A stream without its end raises under a policy, and is one event."""
    recorder = start()
    claudescope.instrument()
    protect("error_types: {stream_interrupted_error: {retries: 0}}\n")
    _crash(ScriptedAPI(stream(events("a")[:3])).client(max_retries=0), stream=True)
    assert recorder.event["fingerprint"] == ["claude-api-error", "stream_interrupted_error"]
    assert set(_frames_of_ours(recorder)) == {False}
