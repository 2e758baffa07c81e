"""What was sent counts, not what was tried: filters of the app, and reports that are better than others."""

from __future__ import annotations

import gc
import json
import logging
from collections.abc import Callable
from typing import Any, ClassVar

import anthropic
import pytest
import sentry_sdk
from sentry_sdk.transport import Transport

import claudescope
from claudescope.sentry import Options
from claudescope.sentry.capture import capture_exception
from claudescope.sentry.delivery import forget_last_seen
from tests.scripted import REQUEST, ScriptedAPI
from tests.sentry.conftest import DSN, Recorder, Start
from tests.sentry.failures import fail, rate_limit

_log = logging.getLogger("app")

# In parts, so that Sentry's source context of this very file does not hold it.
_NAME = "-".join(["workspace", "search"])

Event = dict[str, Any]
Hint = dict[str, Any]


def _no_log_records(event: Event, hint: Hint) -> Event | None:
    return None if "log_record" in hint else event


def _nothing_handled(event: Event, _hint: Hint) -> Event | None:
    values = event.get("exception", {}).get("values") or [{}]
    return event if (values[-1].get("mechanism") or {}).get("handled") is False else None


def _reports_itself(event: Event, hint: Hint) -> Event | None:
    if "log_record" in hint:
        sentry_sdk.capture_exception(ZeroDivisionError("in before_send"))
        return None
    return event


def _sampled(_event: Event, hint: Hint) -> float:
    return 0.0 if "log_record" in hint else 1.0


def _crash(error: BaseException) -> None:
    capture_exception(error, "framework", handled=False, event={}, hint={})


def _log_and_crash(error: BaseException) -> None:
    _log.error("failed: %s", error)
    _log.error("failed", exc_info=error)
    _crash(error)
    _crash(error)
    sentry_sdk.capture_exception(error)


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"before_send": _no_log_records},
        {"before_send": _nothing_handled},
        {"error_sampler": _sampled},
    ],
    ids=["none", "log-records", "handled", "sampler"],
)
def test_one_event_whatever_a_filter_drops(start: Start, filters: dict[str, Any]) -> None:
    """A failure that is reported five times is one event, also where a filter drops the first reports."""
    recorder = start(Options(burst=2, per_minute=1e-9), **filters)
    for _ in range(2):
        _log_and_crash(fail(rate_limit()))
    assert [event["tags"]["claude.error_type"] for event in recorder.events] == ["rate_limit_error"] * 2


def test_a_processor_of_a_scope(start: Start) -> None:
    """A scope's processor that drops the first report leaves the second."""
    recorder = start()
    error = fail(rate_limit())
    with sentry_sdk.new_scope() as scope:
        scope.add_event_processor(lambda _event, _hint: None)
        sentry_sdk.capture_exception(error)
    sentry_sdk.capture_exception(error)
    assert len(recorder.events) == 1


def test_a_report_inside_before_send(start: Start) -> None:
    """What `before_send` reports itself goes out, and does not change what is known of the first event."""
    recorder = start(before_send=_reports_itself)
    _log_and_crash(fail(rate_limit()))
    assert [event["exception"]["values"][-1]["type"] for event in recorder.events] == [
        *["ZeroDivisionError"] * 2,
        "RateLimitError",
    ]


def test_the_number_of_dropped_events_is_not_lost(start: Start) -> None:
    """An event that a filter drops takes neither a place in the limit nor the number of those before it."""
    recorder = start(Options(burst=1, per_minute=1e-9), before_send=_no_log_records)
    for _ in range(5):
        _log.error("failed: %s", fail(rate_limit()))
    sentry_sdk.capture_exception(fail(rate_limit()))
    assert len(recorder.events) == 1


def test_a_transport_that_cannot_be_watched(start: Start) -> None:
    """A transport whose methods can't be replaced gets one event as well."""

    class Fixed(Transport):
        sent: ClassVar[list[Any]] = []

        def __setattr__(self, name: str, value: object) -> None:
            if name == "capture_envelope":
                raise AttributeError(name)
            super().__setattr__(name, value)

        def capture_envelope(self, envelope: Any) -> None:
            self.sent.append(envelope)

    start(dsn=DSN, transport=Fixed())
    error = fail(rate_limit())
    sentry_sdk.capture_exception(error)
    sentry_sdk.capture_exception(error)
    assert len(Fixed.sent) == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda error: _log.error("failed: %s", error),
        lambda error: _log.error(f"failed: {error}"),
        lambda error: _log.error(f"failed: {error!r}"),
        lambda error: _log.error("failed: " + str(error)[:60]),
        lambda error: _log.error("failed: " + str(error).lower().replace("\n", " ")),
        lambda error: _log.error("failed: " + error.body["error"]["message"]),
        lambda error: _log.error(f"{type(error).__name__}: no summary"),
        lambda error: sentry_sdk.capture_message(f"failed: {error}"),
    ],
)
def test_a_message_in_the_handler(start: Start, write: Callable[[Any], object]) -> None:
    """A message that quotes the error in any form has its issue and its stack trace, and the crash adds no event."""
    recorder = start(attach_stacktrace=True)
    try:
        raise fail(rate_limit("The limit of the workspace 'search' is reached:\ntry again later"))
    except anthropic.RateLimitError as caught:
        write(caught)
        _crash(caught)
    event = recorder.event
    assert event["fingerprint"] == ["claude-api-error", "rate_limit_error"]
    functions = [frame["function"] for frame in event["exception"]["values"][-1]["stacktrace"]["frames"]]
    assert "test_a_message_in_the_handler" in functions


def test_two_threads_that_report_one_failure(start: Start) -> None:
    """The second of two reports that were both on their way is dropped at the transport."""
    recorder = start()
    error = fail(rate_limit())
    again = [True]

    def meanwhile(event: Event, _hint: Hint) -> Event:
        if again.pop() if again else False:
            sentry_sdk.capture_exception(error)
        return event

    recorder = start(before_send=meanwhile)
    sentry_sdk.capture_exception(error)
    assert isinstance(recorder, Recorder)
    assert len(recorder.events) == 1


def _failed_with(number: int, *, instrumented: bool) -> anthropic.APIError:
    client = ScriptedAPI(rate_limit(" ".join(["The limit of the", _NAME, "is reached:", str(number // 2)]))).client(
        max_retries=0
    )
    with pytest.raises(anthropic.APIError) as caught:
        client.messages.create(**REQUEST)
    if not instrumented:  # then only a report makes a failure known, here one that a scope drops
        with sentry_sdk.new_scope() as scope:
            scope.add_event_processor(lambda _event, _hint: None)
            sentry_sdk.capture_exception(caught.value)
        forget_last_seen(caught.value)  # older versions of Sentry's SDK keep the last exception alive
    return caught.value


_FORMS: list[Callable[[anthropic.APIError], str]] = [
    str,
    repr,
    lambda error: str(error).lower()[:140],
    lambda error: error.message,
    lambda error: json.dumps(error.body),
]


@pytest.mark.parametrize("instrumented", [True, False])
@pytest.mark.parametrize("form", _FORMS)
@pytest.mark.parametrize("is_kept", [True, False])
def test_a_text_that_is_logged_after_the_handler(
    start: Start, form: Callable[[anthropic.APIError], str], instrumented: bool, is_kept: bool
) -> None:
    """A result carries the text out of the `except`: each failure is one event of its issue, also if logged twice."""
    recorder = start(Options(burst=None))
    if instrumented:
        claudescope.instrument()
    kept: list[BaseException] = []
    texts = []
    for number in range(4):
        error = _failed_with(number, instrumented=instrumented)
        texts.append(form(error))
        if is_kept:
            kept.append(error)
        del error
    gc.collect()
    for text in texts * 2:
        _log.error("no answer: %s", text)
        sentry_sdk.capture_message("the cache is cold")
    for kept_error in kept:
        _crash(kept_error)
    about = [event for event in recorder.events if event.get("message") != "the cache is cold"]
    assert [event["fingerprint"] for event in about] == [["claude-api-error", "rate_limit_error"]] * 4
    assert all("stacktrace" in event["exception"]["values"][-1] for event in about if is_kept)
    assert len(recorder.events) == 12
    assert all(_NAME not in json.dumps(event) for event in about)
