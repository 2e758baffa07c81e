"""A call while it runs: gathers facts from the hooks, and turns into exactly one `CallRecord`.

A call never refers to its response or its stream: either would form a cycle, and a dropped stream would then wait
for the garbage collector to give its connection back.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import ref

from opentelemetry import trace
from opentelemetry.context import Context

from claudescope._internal import internal_errors
from claudescope.probe import batches, body_parser, streams
from claudescope.probe.attempts import Attempts, error_type_of
from claudescope.probe.deferred import DEFERRED_ENDINGS
from claudescope.probe.fallback_span import end_span
from claudescope.probe.guard import bare_record, guarded
from claudescope.probe.response import MessageFacts, field_of, is_content, json_of
from claudescope.probe.sdk import is_stream
from claudescope.probe.timings import CallTimings
from claudescope.schema.classify import classify_response
from claudescope.schema.record import CallRecord, CallStart, Outcome, SpanOutcome, Usage, draft_of

if TYPE_CHECKING:
    from claudescope.content.capture import Captured
    from claudescope.probe.probe import Probe

__all__ = ["Call"]

_DraftRecord: Final = draft_of(CallRecord)
_Events = TypeVar("_Events")


class Call:
    """One invocation of an SDK method, until its end.

    Attributes:
        start: What was known when it started.
        probe: Whose call it is.
        batch: The id of the batch whose results it fetches; empty for any other call.
        content: Gathers its prompt and answer; None unless they were asked for.
        span: The call's own span, the SDK's or ours; None where it has none.
        own_span: Whether `span` is ours to end.
        clock: When it began, and when its events came.
        facts: What the response said so far.
        parsing: A `Stream` of the SDK parses the body, so its events decide how the call ends.
    """

    # On the class, as most stay as they are in most calls.
    batch: str = ""
    content: Captured | None = None
    span: trace.Span | None = None
    own_span: bool = False
    parsing: bool = False
    streaming: bool = False
    _body: body_parser.BodyReader | None = None
    _error_event: str | None = None
    _response: Any = None  # only until `request` returns
    _priced: tuple[Usage | None, Decimal | None] = (None, None)
    _told: SpanOutcome | None = None
    _dropped: bool = False
    _events: Callable[[], object] = type(None)

    def __init__(self, probe: Probe, start: CallStart, around: Context) -> None:
        self.start = start
        self.probe = probe
        self.clock = CallTimings()
        self.facts = MessageFacts()
        self._around = around
        self._attempts = Attempts()
        # Whoever pops it ends the call: atomic, so that two threads can't both.
        self._open = [True]

    # --- what the hooks tell ------------------------------------------------------------------------------------

    @guarded
    def retried(self, response: Any, error: BaseException | None, delay: float, at: int) -> None:
        """An attempt failed, and the SDK slept before the next one.

        Args:
            response: The response of the failed attempt; None where an exception failed it.
            error: The exception then.
            delay: Seconds slept.
            at: When the attempt had failed, in nanoseconds since the epoch.
        """
        attempt = self._attempts.retried(response, error, delay)
        span = self.span if self.span is not None and self.span.is_recording() else None
        self.probe.retrying(self.start, attempt, span, at)

    @guarded
    def gave_up(self, response: Any, error: BaseException | None) -> None:
        """The call is being stopped while it waits to try again, after the attempt of `response` or `error`."""
        self._attempts.gave_up(response, error)

    @guarded
    def responding(self, response: Any) -> None:
        """A response came. The SDK is about to make something of it, and before 1.14 begins its stream right there."""
        if not response.is_closed and _succeeded(response):
            streams.watch_body(response, self)

    @guarded
    def responded(self, response: Any, result: Any) -> None:
        """The SDK made `result` of a response: a parsed body, a stream, or a raw response."""
        if not _succeeded(response):
            return  # a middleware is looking at a failure, which a retry or the error will tell
        self._attempts.succeeded(response)
        if response.is_closed:
            if not is_stream(result):
                if self.start.operation == "chat":
                    self._read_body(result if hasattr(result, "usage") else json_of(response))
                self.ending("ok")
                return
            streams.watch_body(response, self)
        self.streaming = True
        self._response = response
        DEFERRED_ENDINGS.start()
        self.ending("abandoned")  # what it is if the app never reads it

    @guarded
    def unparsed(self, response: Any) -> None:
        """The SDK, or the caller's own schema, could make nothing of a response that the API may have billed."""
        if not _succeeded(response):
            return
        self._attempts.succeeded(response)
        if response.is_closed and self.start.operation == "chat":
            self._read_body(json_of(response))

    def _read_body(self, message: object) -> None:
        if message is not None:
            self.facts.read_message(message)
            if self.content is not None:
                self.content.read(message)

    @guarded
    def failing(self, error: BaseException) -> None:
        """The call is raising `error`, and the SDK has yet to end its span."""
        self.ending(*self._verdict(error))

    def failed(self, error: BaseException) -> None:
        """The call raised `error`, or reading its stream did."""
        self.failing(error)
        self.finish(*self._verdict(error), error)

    @guarded
    def returned(self, result: Any = None) -> None:
        """The call returned: it has ended, or its stream is now the app's to read.

        Args:
            result: What it returned, where no hook has seen the response.
        """
        if result is not None:
            self._take_result(result)
        response, self._response = self._response, None
        # Where the response could not be watched nobody will tell how it is read: the call ends here.
        if not self.streaming or streams.call_of(response) is not self:
            self.finish("ok")
            return
        DEFERRED_ENDINGS.opened(self)
        if self.span is not None and not self.own_span:
            streams.watch_span_end(response, self)

    @guarded
    def _take_result(self, result: Any) -> None:
        response = getattr(result, "response", None) or getattr(result, "http_response", None)
        if response is not None:
            self.responding(response)
            self.responded(response, result)
        elif self.start.operation == "chat":
            self._read_body(result)

    def _verdict(self, error: BaseException) -> tuple[Outcome, str | None]:
        # Anything but an Exception, such as a CancelledError, is the app stopping the call.
        if isinstance(error, Exception):
            return "error", error_type_of(error, streaming=self.streaming)
        return "cancelled", None

    # --- the events of a stream ---------------------------------------------------------------------------------

    def watched(self, events: _Events) -> _Events:
        """Give `events`, the generator that watches this call, to the app to read."""
        self._events = ref(events)  # weakly: it refers to its call
        return events

    @property
    def reading(self) -> bool:
        """Whether the SDK is at work inside the stream: a close of the body now is its doing, and not the app's."""
        events = self._events()
        return self._dropped or getattr(events, "gi_running", False) or getattr(events, "ag_running", False)

    def see(self, event: Any) -> None:
        """Take one decoded event of a stream at the moment its bytes pass. Never raises."""
        if self.content is not None:
            self.content.see(event)
        has_content = is_content(event)
        self.clock.event(content=has_content)
        if not has_content:
            self.look(event)

    @guarded
    def look(self, event: Any) -> None:
        """Look into an event of a stream, a model or decoded, that does more than carry some of the answer."""
        kind = field_of(event, "type")
        if kind == "message_start":
            self.facts.read_message(field_of(event, "message"))
            self.ending("abandoned")  # what it is if nothing else comes, now with its cost so far
        elif kind == "message_delta":
            self.facts.read_delta(event)
            if self.facts.complete:
                self.ending("ok")
        elif kind == "message_stop":
            self.facts.stopped = True
        elif kind == "error":
            # Only who reads the bytes sees this one: the SDK raises it.
            self._error_event = classify_response(200, event).name

    @guarded
    def begin_body(self, body: body_parser.BodyType) -> None:
        """The app begins to read a body itself: it is read along, as nobody parses it."""
        if self._body is not None:
            return
        if self.batch:
            self._body = body.reader("lines", see=partial(batches.see_result, self), read=self._read_body)
        elif self.start.operation == "chat" and (form := body.form()) is not None:
            self._body = body.reader(form, see=self.see, read=self._read_body)

    @guarded
    def see_chunk(self, chunk: bytes) -> None:
        """Take a chunk of a body that the app reads itself."""
        if self._body is not None:
            self._body.feed(chunk)

    @property
    def cut(self) -> bool:
        """Whether a body that ends now would end before its `message_stop`, which raises nothing in the SDK."""
        has_events = self.parsing or (self._body is not None and self._body.is_stream)
        return has_events and self.start.operation == "chat" and not self.facts.stopped

    # --- endings ------------------------------------------------------------------------------------------------

    def read_to_end(self) -> None:
        """The body of the stream ended by itself."""
        self._end_body()
        self.reaching_end()
        self.finish(*self._end())

    def _end(self) -> tuple[Outcome, str | None]:
        """How a call ends whose body ends by itself."""
        if self._error_event is not None:
            return "error", self._error_event
        return ("error", "stream_interrupted_error") if self.cut else ("ok", None)

    @guarded
    def _end_body(self) -> None:
        if self._body is not None and not self.parsing:
            self._body.end()
            if self.batch and self._body.whole:
                batches.SEEN.complete(self.batch)

    @guarded
    def reaching_end(self) -> None:
        """The body has ended and the SDK is about to end its span: tell it where the end came too early."""
        self.ending(*self._end())

    def left(self) -> None:
        """The app closed the stream."""
        if self._error_event is not None:
            self.finish("error", self._error_event)
        else:
            self.finish("ok" if self.facts.complete else "abandoned")

    def disown(self) -> None:
        """Leave the call to the process that began it: this one is a fork of that."""
        self._open.clear()

    def dropped(self) -> None:
        """The app let go of the stream. May run in a finaliser, so it takes no lock: it notes the time and queues."""
        if self._open and not self._dropped:
            self._dropped = True
            self.clock.stop()
            DEFERRED_ENDINGS.later(self.left)

    def closing(self) -> None:
        """The SDK is about to end the span of a stream. Not where the stream was dropped: that may be a finaliser."""
        if self.content is not None and self.span is not None and not self._dropped:
            self.content.write(self.span)

    def ending(self, outcome: Outcome, error_type: str | None = None) -> None:
        """Tell the sinks how the call is about to end, while its span can be written to.

        The SDK may end its span at any time after. Of our own they are told when we end it.
        """
        if self.span is None or self.own_span or not self.span.is_recording():
            return
        facts = self.facts
        ending = SpanOutcome(outcome, error_type, facts.finish_reason, self._cost(facts.usage()), self.start.workflow)
        # Once is enough where nothing that a span shows has changed since.
        if ending != self._told:
            self._told = ending
            self._tell_ending(ending)

    def _tell_ending(self, ending: SpanOutcome) -> None:
        if self.span is not None and self.span.is_recording():
            self.probe.ending(ending, self.span)
            if self.content is not None:
                self.content.write(self.span)

    def finish(
        self,
        outcome: Outcome,
        error_type: str | None = None,
        error: BaseException | None = None,
    ) -> None:
        """End the call, unless it has ended. Never raises."""
        try:
            self._open.pop()
        except IndexError:
            return
        self._response = None
        if self.streaming:
            DEFERRED_ENDINGS.closed(self)
        try:
            record = self.record(outcome, error_type, error)
        except Exception:  # noqa: BLE001 - see below
            internal_errors.record("probe")
            record = bare_record(self.start, outcome, error_type)
        try:
            if self.span is not None and self.own_span:
                self._tell_ending(
                    SpanOutcome(outcome, error_type, record.finish_reason, record.cost_usd, record.workflow)
                )
                end_span(self.span, record)
            if outcome == "error":
                self.probe.failed(record, error)
            self.probe.finished(record, self.span, self._around)
            if self.content is not None:
                self.content.emit(record)
        except Exception:  # noqa: BLE001 - our fault is not the app's
            internal_errors.record("probe")

    def record(self, outcome: Outcome, error_type: str | None, error: BaseException | None) -> CallRecord:
        """The facts of the call as they stand, ending in `outcome` now or when it was dropped."""
        attempts = self._attempts.ended(error_type, error, streaming=self.streaming)
        last = attempts[-1] if attempts else None
        start, clock, facts, limits = self.start, self.clock, self.facts, self._attempts.rate_limits
        usage = facts.usage()
        # The span around the call is looked for only where it has none of its own.
        span = trace.get_current_span(self._around) if self.span is None else self.span
        context = span.get_span_context()
        is_valid = context.is_valid
        # In the order of the fields: to name them here would cost as much again as all the rest.
        record = _DraftRecord(
            start.operation,
            start.provider,
            start.request_model,
            facts.model,
            start.stream,
            outcome,
            error_type,
            last.status_code if last else None,
            last.request_id if last else None,
            start.workflow,
            start.server_address,
            clock.began_at,
            clock.duration,
            clock.time_to_first_content,
            clock.stall,
            clock.content_seconds,
            attempts,
            usage,
            self._cost(usage),
            facts.finish_reason,
            {} if limits is None else limits,
            context.trace_id.to_bytes(16, "big").hex() if is_valid else None,
            context.span_id.to_bytes(8, "big").hex() if is_valid else None,
        )
        record.__class__ = CallRecord
        return record

    def _cost(self, usage: Usage | None) -> Decimal | None:
        if usage is None:
            return None
        # Of a stream it is asked for at its start, its end and in between, and the usage changes only once.
        if usage is not self._priced[0]:
            self._priced = (usage, self.probe.cost(self.start, self.facts.model, usage, self.clock.began_at))
        return self._priced[1]


def _succeeded(response: Any) -> bool:
    """As httpx' `is_success`, which takes several calls for it."""
    status: int = response.status_code
    return 200 <= status < 300
