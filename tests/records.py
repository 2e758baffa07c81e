"""Records to feed to sinks, full of facts unless a test says otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from claudescope.schema.record import Attempt, CallRecord, RateLimit, Usage

__all__ = ["make_record"]

_FULL = CallRecord(
    operation="chat",
    provider="anthropic",
    request_model="claude-opus-5-5",
    response_model="claude-opus-5-5",
    stream=True,
    outcome="ok",
    error_type=None,
    status_code=200,
    request_id="req_2",
    workflow="summarise",
    server_address="api.anthropic.com",
    started_at=datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc),
    duration=4.0,
    time_to_first_chunk=0.5,
    longest_stall=0.25,
    stream_seconds=2.0,
    attempts=(
        Attempt("rate_limit_error", 429, 1.0, 1.25, "req_1"),
        Attempt(None, 200, None, 0.0, "req_2"),
    ),
    usage=Usage(
        input_tokens=1000,
        output_tokens=200,
        cache_read_tokens=600,
        cache_write_5m_tokens=100,
        cache_write_1h_tokens=50,
        reasoning_tokens=20,
        server_tools={"web_search": 2},
        service_tier="standard",
    ),
    cost_usd=Decimal("0.0125"),
    finish_reason="end_turn",
    rate_limits={"requests": RateLimit(50, 49, "2026-11-21T12:01:00Z")},
    trace_id="0" * 31 + "1",
    span_id="0" * 15 + "2",
)


def make_record(**changes: Any) -> CallRecord:
    """A record with something in every field, but for `changes`."""
    return replace(_FULL, **changes)
