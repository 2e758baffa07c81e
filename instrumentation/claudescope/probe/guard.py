"""Keeps internal errors away from the app, and keeps the record of a call when they happen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from functools import wraps
from typing import ParamSpec

from claudescope._internal import internal_errors
from claudescope.schema.record import CallRecord, CallStart, Outcome

__all__ = ["bare_record", "guarded"]

_P = ParamSpec("_P")


def guarded(method: Callable[_P, None]) -> Callable[_P, None]:
    """Make a method that counts an internal error instead of raising it into the app."""

    @wraps(method)
    def never_raises(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("probe")

    return never_raises


def bare_record(start: CallStart, outcome: Outcome, error_type: str | None) -> CallRecord:
    """The record of a call whose facts could not be read: it says that the call was made, and how it ended."""
    return CallRecord(
        operation=start.operation,
        provider=start.provider,
        request_model=start.request_model,
        response_model=None,
        stream=start.stream,
        outcome=outcome,
        error_type=error_type,
        status_code=None,
        request_id=None,
        workflow=start.workflow,
        server_address=start.server_address,
        started_at=datetime.now(timezone.utc),
        duration=0.0,
        time_to_first_chunk=None,
        longest_stall=None,
        stream_seconds=None,
        attempts=(),
        usage=None,
        cost_usd=None,
        finish_reason=None,
        rate_limits={},
        trace_id=None,
        span_id=None,
    )
