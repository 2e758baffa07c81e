"""Gets calls from the probe: adds breadcrumbs, and reports failures and attempts where `capture` asks for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, ClassVar

import sentry_sdk
from opentelemetry.trace import Span
from sentry_sdk.utils import current_stacktrace

from claudescope.schema.error_types import ERROR_TYPES
from claudescope.schema.record import Attempt, CallRecord, CallStart
from claudescope.sentry.capture import capture_exception
from claudescope.sentry.enrich import Failure
from claudescope.sentry.exception_registry import EXCEPTIONS
from claudescope.sentry.processor import COMPONENT, FAILURE_HINT, Processor
from claudescope.sinks import Sink

__all__ = ["MECHANISM", "SentrySink"]

MECHANISM = "claudescope"
"""The mechanism of events that are sent when a call fails, before the app can handle it."""


class SentrySink(Sink):
    """Links exceptions to the calls that they ended.

    Args:
        processor: Returns the processor of the current Sentry client; None where Sentry support is off.
    """

    name: ClassVar[str] = COMPONENT

    def __init__(self, processor: Callable[[], Processor | None]) -> None:
        self._processor = processor

    def retrying(self, start: CallStart, attempt: Attempt, span: Span | None, at: int) -> None:
        """Add a breadcrumb, and report the attempt with `capture="attempts"`."""
        processor = self._processor()
        if processor is None:
            return
        failed = attempt.error_type or "unknown_error"
        data = {"status_code": attempt.status_code, "request_id": attempt.request_id, "model": start.request_model}
        sentry_sdk.add_breadcrumb(
            {
                "category": "claude.retry",
                "level": "warning",
                "message": f"{failed}: retried after {attempt.delay:.1f} s",
                "timestamp": datetime.fromtimestamp(at / 1e9, timezone.utc),
                "data": {name: value for name, value in data.items() if value is not None},
            }
        )
        if processor.options.capture == "attempts":
            failure = Failure(ERROR_TYPES[failed], start=start, attempt=attempt)
            _capture(f"{failure.summary}: retried", failure)

    def failed(self, record: CallRecord, error: BaseException | None) -> None:
        """Remember which call `error` ended, and report it unless `capture` is `reported`."""
        processor = self._processor()
        if processor is None:
            return
        if error is not None:
            EXCEPTIONS.remember(error, record)
            processor.remember_texts([error])
        if processor.options.capture == "reported":
            return
        if error is None:
            failure = Failure(ERROR_TYPES[record.error_type or "unknown_error"], record=record)
            _capture(failure.summary, failure)
            return
        capture_exception(error, MECHANISM, handled=True, event=_callers(), hint={})


def _capture(message: str, failure: Failure) -> None:
    event: Any = {"level": "error", "message": message, **_callers()}
    sentry_sdk.capture_event(event, hint={FAILURE_HINT: failure})


def _callers() -> dict[str, Any]:
    """The stack of the caller. The exception's own traceback only has the SDK's frames at this point."""
    return {"threads": {"values": [{"current": True, "crashed": False, "stacktrace": current_stacktrace()}]}}
