"""A call while it runs: gathers facts from the hooks, and turns into exactly one `CallRecord`.

A call never refers to its response or its stream: either would form a cycle, and a dropped stream would then wait
for the garbage collector to give its connection back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime, timezone
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec

from opentelemetry import trace

from claudescope import faults
from claudescope.errors import classify, classify_response
from claudescope.probe import streams
from claudescope.probe.facts import HeaderFacts, MessageFacts, read_headers
from claudescope.probe.finisher import FINISHER
from claudescope.probe.own_span import end_span
from claudescope.probe.sdk import is_stream
from claudescope.record import Attempt, CallRecord, CallStart, Outcome, RateLimit, RateLimitType

if TYPE_CHECKING:
    from claudescope.probe.probe import Probe

__all__ = ["Call"]

_NO_SPAN: Final = nullcontext()
_BROKEN: Final = frozenset({"connection_error", "stream_interrupted_error"})
_P = ParamSpec("_P")


def guarded(method: Callable[_P, None]) -> Callable[_P, None]:
    """Count what goes wrong in `method` instead of raising it: our fault is not the app's."""

    @wraps(method)
    def never_raises(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except Exception:  # noqa: BLE001 - see above
            faults.note("probe")

    return never_raises


class Call:
    """One invocation of an SDK method, until its end.

    Attributes:
        start: What was known when it started.
        span: The call's own span, the SDK's or ours; None where it has none.
        own_span: Whether `span` is ours to end.
        facts: What the response said so far.
        parsing: A `Stream` of the SDK parses the body, so its events decide how the call ends.
        reading: The SDK is at work inside the stream: a close of the body now is the SDK's doing, not the app's.
    """

    __slots__ = (
        "__weakref__",
        "_answered",
        "_attempts",
        "_ended_clock",
        "_first_event",
        "_last_content",
        "_last_event",
        "_longest_gap",
        "_open",
        "_parent",
        "_probe",
        "_rate_limits",
        "_responded",
        "_response",
        "_started_at",
        "_started_clock",
        "facts",
        "own_span",
        "parsing",
        "reading",
        "span",
        "start",
        "streaming",
    )

    def __init__(self, probe: Probe, start: CallStart) -> None:
        self.start = start
        self.span: trace.Span | None = None
        self.own_span = False
        self.facts = MessageFacts()
        self.parsing = False
        self.reading = False
        self.streaming = False
        self._response: Any = None  # only until `request` returns
        self._answered: CallRecord | None = None
        self._probe = probe
        self._parent = trace.get_current_span().get_span_context()
        self._attempts: list[Attempt] = []
        self._responded = False
        self._rate_limits: Mapping[RateLimitType, RateLimit] = {}
        self._first_event: float | None = None
        self._last_event: float | None = None
        self._last_content: float | None = None
        self._longest_gap: float | None = None
        self._ended_clock: float | None = None
        # Whoever pops it ends the call: atomic, so that two threads can't both.
        self._open = [True]
        self._started_at = time.time()
        self._started_clock = time.perf_counter()

    # --- what the hooks tell ------------------------------------------------------------------------------------

    def current_span(self) -> AbstractContextManager[object]:
        """Has our own span current while the SDK works, as the SDK has its own."""
        if self.span is None or not self.own_span:
            return _NO_SPAN
        return trace.use_span(self.span, end_on_exit=False, record_exception=False, set_status_on_exception=False)

    def adopt_span(self, sdk_call: Any) -> None:
        """Take the span that the SDK started for this call, from the `ApiCall` that it keeps it in."""
        span = getattr(sdk_call, "span", None)
        if isinstance(span, trace.Span):
            self.span = span

    @guarded
    def retried(self, response: Any, error: BaseException | None, delay: float, at: int) -> None:
        """An attempt failed, and the SDK slept before the next one.

        Args:
            response: The response of the failed attempt; None where an exception failed it.
            error: The exception then.
            delay: Seconds slept.
            at: When the attempt had failed, in nanoseconds since the epoch.
        """
        attempt = self._failed_attempt(response, error if response is None else None, delay)
        self._attempts.append(attempt)
        span = self.span if self.span is not None and self.span.is_recording() else None
        self._probe.retrying(self.start, attempt, span, at)

    @guarded
    def responding(self, response: Any) -> None:
        """A response came. The SDK is about to make something of it, and before 1.14 begins its stream right there."""
        if response.is_success and not response.is_closed:
            streams.watch_body(response, self)

    @guarded
    def responded(self, response: Any, result: Any) -> None:
        """The SDK made `result` of a response: a parsed body, a stream, or a raw response."""
        if not response.is_success:
            return  # a middleware is looking at a failure, which a retry or the error will tell
        self._note_success(response)
        if response.is_closed:
            if not is_stream(result):
                if self.start.operation == "chat":
                    self.facts.read_message(result if hasattr(result, "usage") else response.json())
                self._answered = self.record("ok", None, None)
                self._tell_ending(self._answered)
                return
            streams.watch_body(response, self)
        self.streaming = True
        self._response = response
        FINISHER.start()
        self.ending("abandoned")  # what it is if the app never reads it

    @guarded
    def unparsed(self, response: Any) -> None:
        """The SDK, or the caller's own schema, could make nothing of a response that the API may have billed."""
        if not response.is_success:
            return
        self._note_success(response)
        if response.is_closed and self.start.operation == "chat":
            body = _json(response)
            if body is not None:
                self.facts.read_message(body)

    @guarded
    def failing(self, error: BaseException) -> None:
        """The call is raising `error`, and the SDK has yet to end its span."""
        self.ending(*self._verdict(error), error)

    def failed(self, error: BaseException) -> None:
        """The call raised `error`, or reading its stream did."""
        self.finish(*self._verdict(error), error)

    def returned(self) -> None:
        """The call returned: it has ended, or its stream is now the app's to read."""
        response, self._response = self._response, None
        if not self.streaming:
            self.finish("ok", record=self._answered)
        elif self.span is not None and not self.own_span:
            streams.watch_span_end(response, self)

    def _verdict(self, error: BaseException) -> tuple[Outcome, str | None]:
        # Anything but an Exception, such as a CancelledError, is the app stopping the call.
        return ("error", self.kind_of(error)) if isinstance(error, Exception) else ("cancelled", None)

    def kind_of(self, error: BaseException) -> str:
        """The kind of `error`: a connection that broke while its stream was read is not one that was never made."""
        kind = classify(error).kind
        if kind in _BROKEN:
            return "stream_interrupted_error" if self.streaming else "connection_error"
        return kind

    def _note_success(self, response: Any) -> None:
        headers = self._read_headers(response)
        self._attempts.append(Attempt(status_code=response.status_code, request_id=headers.request_id))
        self._responded = True

    def _failed_attempt(self, response: Any, error: BaseException | None, delay: float = 0.0) -> Attempt:
        if response is None:
            return Attempt("unknown_error" if error is None else self.kind_of(error), delay=delay)
        headers = self._read_headers(response)
        if error is not None:
            kind = self.kind_of(error)
        else:
            kind = classify_response(response.status_code, _read_body(response)).kind
        return Attempt(kind, response.status_code, headers.retry_after, delay, headers.request_id)

    def _read_headers(self, response: Any) -> HeaderFacts:
        headers = read_headers(response.headers.raw)
        if headers.rate_limits:
            self._rate_limits = headers.rate_limits
        return headers

    # --- the events of a stream ---------------------------------------------------------------------------------

    @guarded
    def see(self, event: Any) -> None:
        """Take one event of a stream, at the moment the SDK yields it. Never raises."""
        now = time.perf_counter()
        last = self._last_event
        self._last_event = now
        if last is not None and (self._longest_gap is None or now - last > self._longest_gap):
            self._longest_gap = now - last
        kind = event.type
        if kind == "content_block_delta":
            if self._first_event is None:
                self._first_event = now
            self._last_content = now
        elif kind == "message_start":
            self.facts.read_message(event.message)
            self.ending("abandoned")  # what it is if nothing else comes, now with its cost so far
        elif kind == "message_delta":
            self.facts.read_delta(event)
            if self.complete:
                self.ending("ok")
        elif kind == "message_stop":
            self.facts.stopped = True

    @property
    def complete(self) -> bool:
        """The model has said why it stopped: an app that leaves the stream now has missed nothing."""
        return self.facts.stopped or self.facts.finish_reason is not None

    @property
    def cut(self) -> bool:
        """Whether a body that ends now would end before its `message_stop`, which raises nothing in the SDK."""
        return self.parsing and self.start.operation == "chat" and not self.facts.stopped

    # --- endings ------------------------------------------------------------------------------------------------

    def read_to_end(self) -> None:
        """The body of the stream ended by itself."""
        if self.cut:
            self.finish("error", "stream_interrupted_error")
        else:
            self.finish("ok")

    @guarded
    def reaching_end(self) -> None:
        """The body has ended and the SDK is about to end its span: tell it where the end came too early."""
        if self.cut:
            self.ending("error", "stream_interrupted_error")

    def left(self) -> None:
        """The app closed the stream."""
        self.finish("ok" if self.complete else "abandoned")

    def dropped(self) -> None:
        """The app let go of the stream. May run in a finaliser, so it takes no lock: it notes the time and queues."""
        if self._open and self._ended_clock is None:
            self._ended_clock = time.perf_counter()
            FINISHER.later(self.left)

    def ending(self, outcome: Outcome, error_type: str | None = None, error: BaseException | None = None) -> None:
        """Tell the sinks how the call is about to end, while its span can be written to."""
        if self.span is not None and self.span.is_recording():
            self._tell_ending(self.record(outcome, error_type, error))

    def _tell_ending(self, record: CallRecord) -> None:
        if self.span is not None and self.span.is_recording():
            self._probe.ending(record, self.span)

    def finish(
        self,
        outcome: Outcome,
        error_type: str | None = None,
        error: BaseException | None = None,
        record: CallRecord | None = None,
    ) -> None:
        """End the call, unless it has ended. Never raises."""
        try:
            self._open.pop()
        except IndexError:
            return
        self._response = None
        try:
            record = record or self.record(outcome, error_type, error)
            if self.span is not None and self.own_span:
                self._tell_ending(record)
                end_span(self.span, record)
            self._probe.finished(record, self.span)
        except Exception:  # noqa: BLE001 - our fault is not the app's
            faults.note("probe")

    def record(self, outcome: Outcome, error_type: str | None, error: BaseException | None) -> CallRecord:
        """The facts of the call as they stand, ending in `outcome` now or when it was dropped."""
        ended = self._ended_clock or time.perf_counter()
        attempts = self._all_attempts(error_type, error)
        last = attempts[-1] if attempts else None
        usage = self.facts.usage()
        start = self.start
        started_at = datetime.fromtimestamp(self._started_at, timezone.utc)
        context = self._parent if self.span is None else self.span.get_span_context()
        first, content = self._first_event, self._last_content
        return CallRecord(
            operation=start.operation,
            provider=start.provider,
            request_model=start.request_model,
            response_model=self.facts.model,
            stream=start.stream,
            outcome=outcome,
            error_type=error_type,
            status_code=last.status_code if last else None,
            request_id=last.request_id if last else None,
            workflow=start.workflow,
            server_address=start.server_address,
            started_at=started_at,
            duration=ended - self._started_clock,
            time_to_first_chunk=None if first is None else first - self._started_clock,
            longest_stall=self._longest_gap,
            stream_seconds=content - first if first is not None and content is not None and content > first else None,
            attempts=attempts,
            usage=usage,
            cost_usd=self._probe.cost(start, self.facts.model, usage, started_at),
            finish_reason=self.facts.finish_reason,
            rate_limits=self._rate_limits,
            trace_id=f"{context.trace_id:032x}" if context.is_valid else None,
            span_id=f"{context.span_id:016x}" if context.is_valid else None,
        )

    def _all_attempts(self, error_type: str | None, error: BaseException | None) -> tuple[Attempt, ...]:
        """The attempts, with the one that `error` ended where no hook has seen it."""
        if self._responded and error_type is not None and self.streaming:
            return (*self._attempts[:-1], replace(self._attempts[-1], error_type=error_type))
        if self._responded or error is None:
            return tuple(self._attempts)
        response = _attribute(error, "response")
        if response is not None:
            return (*self._attempts, self._failed_attempt(response, error))
        if not isinstance(error, Exception):
            return (*self._attempts, Attempt())
        if _attribute(error, "request") is None:
            return tuple(self._attempts)  # it failed before a request was sent, such as for a missing key
        return (*self._attempts, self._failed_attempt(None, error))


def _attribute(error: BaseException, name: str) -> Any:
    """An attribute of an exception; None where it is missing or, as httpx does for `request`, refuses to be read."""
    try:
        return getattr(error, name, None)
    except Exception:  # noqa: BLE001 - an attribute of a stranger's exception
        return None


def _read_body(response: Any) -> object:
    """The body of a failed response, where the SDK has read it; None where it was closed unread."""
    try:
        return response.content
    except Exception:  # noqa: BLE001 - httpx raises ResponseNotRead, a stand-in raises anything
        return None


def _json(response: Any) -> object:
    """The decoded body of a response; None where it is broken, which may be why nobody could parse it."""
    try:
        return response.json()
    except ValueError:
        return None
