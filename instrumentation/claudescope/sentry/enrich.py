"""Adds the facts of a failed call to an event: fingerprint, level, tags, context and trace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

import sentry_sdk

from claudescope.probe.headers import NO_HEADERS, HeaderFacts, read_headers
from claudescope.schema.catalogue import REJECTED_REASON, TARGET, WORKFLOW
from claudescope.schema.classify import classify
from claudescope.schema.error_types import ERROR_TYPES, ErrorType
from claudescope.schema.record import Attempt, CallRecord, CallStart
from claudescope.sentry.exception_registry import EXCEPTIONS, Entry
from claudescope.sentry.options import Options
from claudescope.sentry.payload import as_dict, as_list
from claudescope.sentry.tags import ERROR_TYPE_TAG, FINGERPRINT, MODEL_TAG, RETRYABLE_TAG
from claudescope.workflows import current_workflow

__all__ = ["Failure", "enrich"]

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")

_NOT_SENT: Final[Mapping[str, str]] = {
    "budget": "A budget of the policy is spent, or the call may cost more than its limit. Find out which workload "
    "spent it, or raise it in the policy.",
    "deadline": "The policy's deadline passed before a request was sent. Compare it with the p99 latency and the waits "
    "of the queue.",
    "queue_timeout": "The call waited too long for its turn under the policy. Lower the load, or raise concurrency.",
    "throttled": "The policy's throttle rejected the call, as a rate limit is used up. Lower concurrency, or spread "
    "the load.",
    "invalid": "A check of the policy rejected the request. The exception's message says which; mend the request.",
}
"""The advice for calls that a policy did not send, by the reason. Others have that of their error type."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What is known of a failed call, or of a failed attempt.

    Attributes:
        error_type: The error type.
        error: The exception; None where there is none.
        record: The finished call; None where the probe did not see it, or the call is retried.
        start: The call that is retried after a failed attempt.
        attempt: The failed attempt of a call that is retried.
    """

    error_type: ErrorType
    error: BaseException | None = None
    record: CallRecord | None = None
    start: CallStart | None = None
    attempt: Attempt | None = None

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Collect what is known of the call that `error` ended."""
        record = EXCEPTIONS.record_of(error)
        known = None if record is None or record.error_type is None else ERROR_TYPES.get(record.error_type)
        return cls(known or classify(error), error, record)

    @classmethod
    def of_entry(cls, entry: Entry) -> Failure:
        """Collect what is known of a call whose exception is freed."""
        return cls(ERROR_TYPES[entry.error_type or "unknown_error"], None, entry.record)

    @property
    def call(self) -> CallRecord | CallStart | None:
        """The call, finished or not."""
        return self.record or self.start

    @property
    def model(self) -> str | None:
        """The response model, else the request model."""
        answered = None if self.record is None else self.record.response_model
        return answered or (None if self.call is None else self.call.request_model)

    @property
    def workflow(self) -> str | None:
        """The workflow that the call was made in."""
        return current_workflow() if self.call is None else self.call.workflow

    @property
    def target(self) -> str | None:
        """The target of a policy that was asked last."""
        protection = None if self.record is None else self.record.protection
        return None if protection is None else protection.target

    @property
    def rejected(self) -> str | None:
        """Why a policy sent nothing, a value of `claude.rejected.reason`; None where something was sent."""
        reason: object = getattr(self.error, "reason", None)
        if getattr(self.error, "claudescope_not_sent", False) and isinstance(reason, str):
            return reason
        protection = None if self.record is None else self.record.protection
        return None if protection is None else protection.rejected

    @property
    def status(self) -> int | None:
        """HTTP status of the last attempt. The error of a call that was not sent has one, but no API has given it."""
        if self.rejected is not None:
            return None
        for source in (self.attempt, self.record, self.error):
            status: object = getattr(source, "status_code", None)
            if isinstance(status, int):
                return status
        return None

    @property
    def summary(self) -> str:
        """Status and error type, or why nothing was sent. Replaces the message."""
        if self.rejected is not None:
            return f"{self.error_type.name}: not sent ({self.rejected})"
        return self.error_type.name if self.status is None else f"{self.status} {self.error_type.name}"


def enrich(event: dict[str, Any], failure: Failure, options: Options, *, alone: bool, events_dropped: int) -> None:
    """Add the facts of a failed call to an event. Values that the app has set are kept.

    Args:
        event: The event.
        failure: The failed call.
        options: The options.
        alone: Whether the event is about nothing else. Fingerprint and level are set only then.
        events_dropped: Events of the same error type that rate limiting dropped since the last one sent.
    """
    error_type = failure.error_type
    if alone:
        if not event.get("fingerprint"):
            split = {"model": failure.model, "workflow": failure.workflow, "target": failure.target}
            event["fingerprint"] = [FINGERPRINT, error_type.name, *(split[name] or "none" for name in options.group_by)]
        if error_type.retryable and event.get("level") in {None, "error"}:
            event["level"] = "warning"
    tags = {
        ERROR_TYPE_TAG: error_type.name,
        MODEL_TAG: failure.model,
        WORKFLOW.name: failure.workflow,
        RETRYABLE_TAG: "yes" if error_type.retryable else "no",
        TARGET.name: failure.target,
        REJECTED_REASON.name: failure.rejected,
    }
    _add_tags(event, {name: value for name, value in tags.items() if value is not None})
    contexts: dict[str, Any] = event.setdefault("contexts", {})
    context = _context(failure)
    if events_dropped:
        context["events_dropped"] = events_dropped
    if options.link_trace is not False:
        _link_trace(contexts, context, failure, always=options.link_trace is True)
    contexts["claude"] = {**context, **contexts.get("claude", {})}


def _add_tags(event: dict[str, Any], ours: Mapping[str, str]) -> None:
    tags: object = event.get("tags")
    # Sentry also accepts pairs.
    event["tags"] = {**ours, **(as_dict(tags) or dict(as_list(tags)))}


def _context(failure: Failure) -> dict[str, Any]:
    """Return the known facts of a failed call."""
    error_type, record, call = failure.error_type, failure.record, failure.call
    headers = _headers(failure.error) if record is None else NO_HEADERS
    last = failure.attempt or (record.attempts[-1] if record is not None and record.attempts else None)
    limits = headers.rate_limits if record is None else record.rate_limits
    facts: dict[str, Any] = {
        "error_type": error_type.name,
        "owner": error_type.owner,
        "retry": error_type.retry,
        "advice": _NOT_SENT.get(failure.rejected or "", error_type.advice),
        "model": failure.model,
        "status_code": failure.status,
        "request_id": headers.request_id if last is None else last.request_id,
        "retry_after_seconds": _retry_after(failure, headers) if last is None else last.retry_after,
        "rate_limits": {name: asdict(limit) for name, limit in (limits or {}).items()} or None,
    }
    if call is not None:
        facts |= {"operation": call.operation, "provider": call.provider, "stream": call.stream}
        facts |= {"server_address": call.server_address}
    facts |= {"target": failure.target, "not_sent": failure.rejected}
    if record is not None:
        facts |= {
            "attempts": len(record.attempts),
            "attempt_errors": [attempt.error_type for attempt in record.attempts if attempt.error_type is not None],
            "duration_seconds": round(record.duration, 3),
            "cost_usd": None if record.cost_usd is None else f"{record.cost_usd.normalize():f}",
        }
        if record.usage is not None:
            facts |= {"input_tokens": record.usage.input_tokens, "output_tokens": record.usage.output_tokens}
        if record.extra_usage:
            facts |= {
                "extra_input_tokens": sum(part.usage.input_tokens for part in record.extra_usage),
                "extra_output_tokens": sum(part.usage.output_tokens for part in record.extra_usage),
            }
    return {name: value for name, value in facts.items() if value is not None}


def _retry_after(failure: Failure, headers: HeaderFacts) -> float | None:
    if failure.rejected is None:
        return headers.retry_after
    seconds: object = getattr(failure.error, "retry_after", None)
    return seconds if isinstance(seconds, float) else None


def _headers(error: BaseException | None) -> HeaderFacts:
    raw: object = getattr(getattr(getattr(error, "response", None), "headers", None), "raw", None)
    return NO_HEADERS if raw is None else read_headers(cast("list[tuple[bytes, bytes]]", raw))


def _link_trace(contexts: dict[str, Any], context: dict[str, Any], failure: Failure, *, always: bool) -> None:
    """Set the event's trace to that of the call's span. The trace id that the event does not get is in the context."""
    ids = _trace_ids(failure)
    if ids is None:
        return
    before = as_dict(contexts.get("trace"))
    trace: dict[str, Any] = {"trace_id": ids[0], "span_id": ids[1]}
    if before.get("trace_id") == ids[0]:
        # Sentry's sampling decision for this trace. One for another trace would be wrong here.
        trace |= {name: before[name] for name in ("dynamic_sampling_context",) if name in before}
    elif not always and before.get("trace_id") and _has_only_own_traces():
        context |= {"trace_id": ids[0], "span_id": ids[1]}
        return
    elif before.get("trace_id"):
        context["sentry_trace_id"] = before["trace_id"]
    contexts["trace"] = trace


def _has_only_own_traces() -> bool:
    """Whether Sentry's tracing is on, and OpenTelemetry's spans are not sent to Sentry."""
    client = sentry_sdk.get_client()
    options: Any = client.options
    is_on = options.get("traces_sample_rate") is not None or options.get("traces_sampler") is not None
    return is_on and options.get("instrumenter") != "otel" and client.get_integration("otlp") is None


def _trace_ids(failure: Failure) -> tuple[str, str] | None:
    record = failure.record
    if record is not None and record.trace_id is not None and record.span_id is not None:
        return record.trace_id, record.span_id
    try:
        headers: Any = cast("Any", failure.error).request.headers
        match = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    except Exception:  # noqa: BLE001 - httpx raises for an error without a request
        return None
    return None if match is None else (match[1], match[2])
