"""Keeps a fault of our own away from the app, and from taking a call's record with it."""

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
    """Count what goes wrong in `method` instead of raising it: our fault is not the app's."""

    @wraps(method)
    def never_raises(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except Exception:  # noqa: BLE001 - see above
            internal_errors.record("probe")

    return never_raises


def bare_record(start: CallStart, outcome: Outcome, error_type: str | None) -> CallRecord:
    """The record of a call whose facts could not be put together: that it was made, and how it ended, is known."""
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
