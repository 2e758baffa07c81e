"""A call while it runs: collects facts from the hooks, and ends in exactly one `CallRecord`.

A call never refers to its response or its stream: that would form a cycle, and a dropped stream would keep its
connection until the garbage collector runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import ref

from opentelemetry import trace
from opentelemetry.context import Context

from claudescope._internal import internal_errors
from claudescope.probe import batches, body_parser, streams
from claudescope.probe.attempts import Attempts, error_type_of
from claudescope.probe.call_state import ENDED, FINALIZED, REQUESTING, STREAMING, enter
from claudescope.probe.deferred import DEFERRED_ENDINGS
from claudescope.probe.dispatch import NO_BILL, Bill, with_earlier
from claudescope.probe.fallback_span import end_span
from claudescope.probe.guard import guarded
from claudescope.probe.records import bare_record, record_of
from claudescope.probe.response import MessageFacts, field_of, is_content, is_success, json_of
from claudescope.probe.sdk import is_stream
from claudescope.probe.timings import CallTimings
from claudescope.schema.classify import classify_response
from claudescope.schema.record import CallStart, ModelUsage, Outcome, Protection, SpanOutcome

if TYPE_CHECKING:
    from claudescope.probe.dispatch import Dispatcher
    from claudescope.probe.interfaces import CapturedContent

__all__ = ["Call"]

_Events = TypeVar("_Events")


class Call:
    """One invocation of an SDK method, until its end.

    Args:
        dispatcher: Hands its facts to the sinks, and prices it.
        start: What was known when it started.
        parent_context: The OpenTelemetry context that it was made in.

    Attributes:
        attempts: Its HTTP requests so far.
        batch: The id of the batch whose results it fetches; empty for any other call.
        content: Captures its prompt and answer; None unless the app asked for them.
        span: The call's own span, the SDK's or claudescope's; None where it has none.
        own_span: Whether claudescope made `span`, and has to end it.
        timings: When it began, and when its events came.
        facts: What the response said so far.
        parsing: Whether a `Stream` of the SDK parses the body, so that its events decide how the call ends.
        streaming: Whether the app got a response to read.
        sent_as: The call as a policy sent it to the last target; None where nothing differs from `start`.
        protection: What a policy did for it so far; None without a policy.
    """

    # On the class, as most stay as they are in most calls.
    batch: str = ""
    content: CapturedContent | None = None
    span: trace.Span | None = None
    own_span: bool = False
    parsing: bool = False
    streaming: bool = False
    sent_as: CallStart | None = None
    protection: Protection | None = None
    _dropped: bool = False
    _body: body_parser.BodyReader | None = None
    _error_event: str | None = None
    _response: Any = None  # until `request` returns
    _failure: tuple[BaseException, Outcome, str | None] | None = None  # likewise, or until the call ends
    _bill: Bill = NO_BILL
    _written: SpanOutcome | None = None
    _earlier: tuple[ModelUsage, ...] = ()
    _events: Callable[[], object] = type(None)

    def __init__(self, dispatcher: Dispatcher, start: CallStart, parent_context: Context) -> None:
        self.start = start
        self.dispatcher = dispatcher
        self.timings = CallTimings()
        self.facts = MessageFacts()
        self.parent_context = parent_context
        self.attempts = Attempts()
        self._state = [REQUESTING]  # empty when the call has ended

    # --- called by the hooks ------------------------------------------------------------------------------------

    @guarded
    def retried(self, response: Any, error: BaseException | None, delay: float, at: int) -> None:
        """An attempt failed, and the SDK slept before the next one.

        Args:
            response: The response of the failed attempt; None where an exception failed it.
            error: The exception then.
            delay: Seconds slept.
            at: When the attempt had failed, in nanoseconds since the epoch.
        """
        attempt = self.attempts.retried(response, error, delay)
        span = self.span if self.span is not None and self.span.is_recording() else None
        self.dispatcher.retrying(self.start, attempt, span, at)

    @guarded
    def gave_up(self, response: Any, error: BaseException | None) -> None:
        """The app stops the call while it waits to try again, after the attempt of `response` or `error`."""
        self.attempts.gave_up(response, error)

    @guarded
    def responding(self, response: Any) -> None:
        """A response came, and the SDK is about to parse it. Before 1.14 the SDK begins to read its stream here."""
        if not response.is_closed and is_success(response):
            streams.watch_body(response, self)

    @guarded
    def responded(self, response: Any, result: Any) -> None:
        """The SDK made `result` of a response: a parsed body, a stream, or a raw response."""
        if not is_success(response):
            return  # a middleware reads a failed response; a retry or an exception follows
        self.attempts.succeeded(response)
        if response.is_closed:
            if not is_stream(result):
                if self.start.operation == "chat":
                    self._read_body(result if hasattr(result, "usage") else json_of(response))
                self.ending("ok")
                return
            streams.watch_body(response, self)
        self.streaming = True
        enter(self._state, STREAMING)
        self._response = response
        DEFERRED_ENDINGS.start()
        self.ending("abandoned")  # the outcome if the app never reads it

    @guarded
    def unparsed(self, response: Any) -> None:
        """The SDK, or the caller's own schema, could not parse a response, which the API may have billed."""
        if not is_success(response):
            return
        self.attempts.succeeded(response)
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
        if self._state:
            self.ending(*self._outcome_of(error))

    def failed(self, error: BaseException) -> None:
        """The call raised `error`, or reading its stream did."""
        if self._state:
            self.failing(error)
            self.finish(*self._outcome_of(error), error)

    def _outcome_of(self, error: BaseException) -> tuple[Outcome, str | None]:
        """The outcome and the error type of a call that raises `error`, which is classified once."""
        known = self._failure
        if known is not None and known[0] is error:
            return known[1], known[2]
        # Anything but an Exception, such as a CancelledError, is the app stopping the call.
        is_error = isinstance(error, Exception)
        error_type = error_type_of(error, streaming=self.streaming) if is_error else None
        outcome: Outcome = "error" if is_error else "cancelled"
        self._failure = error, outcome, error_type
        return outcome, error_type

    def exchange(self, response: Any) -> Call:
        """What collects the facts of a response: this call, unless its client has middleware."""
        return self

    @guarded
    def returned(self, result: Any) -> None:
        """The call returned `result`: it has ended, or the app now reads its stream."""
        self._failure = None  # a middleware handled it
        response, self._response = self._response, None
        # A response that can't be watched reports no end: the call ends here.
        if not self.streaming or streams.call_of(response) is not self:
            self.finish("ok")
            return
        DEFERRED_ENDINGS.opened(self)
        if self.span is not None and not self.own_span:
            streams.watch_span_end(response, self)

    def returned_again(self) -> None:
        """The stream that the app reads goes on with another response, whose hooks have run."""
        self._response = None

    @guarded
    def begin_again(self, kind: str, *, told: bool) -> None:
        """Another answer follows in the same call: what was billed for the one before is kept.

        Args:
            kind: What the billed tokens are called in `ModelUsage`.
            told: Whether a driver tells what is billed for the new answer, and its events do not.
        """
        bill = self._bill
        if bill.usage is not None:
            parts = [part.cost_usd for part in bill.extra]
            own = None if bill.cost_usd is None or None in parts else bill.cost_usd - sum(filter(None, parts))
            self._earlier += (ModelUsage(kind, self.facts.model, bill.usage, own), *bill.extra)
        self.facts = MessageFacts()
        self.facts.told = told
        self._bill = NO_BILL

    @guarded
    def take(self, result: Any) -> None:
        """Read the facts of what the call is about to return, where no hook has seen the response."""
        response = getattr(result, "response", None) or getattr(result, "http_response", None)
        if response is not None:
            self.responding(response)
            self.responded(response, result)
        elif self.start.operation == "chat":
            self._read_body(result)

    # --- the events of a stream ---------------------------------------------------------------------------------

    def watched(self, events: _Events) -> _Events:
        """Return `events`, the generator that watches this call, for the app to read."""
        if not self.parsing:  # else a policy goes on with another response, whose stream the app does not read
            self._events = ref(events)  # weakly: it refers to its call
        return events

    @property
    def reading(self) -> bool:
        """Whether the SDK runs inside the stream now, so that it is the SDK that closes the body, and not the app."""
        events = self._events()
        return self._dropped or getattr(events, "gi_running", False) or getattr(events, "ag_running", False)

    def on_event(self, event: Any) -> None:
        """Take one decoded event of a stream when its bytes arrive. Never raises."""
        if self.content is not None:
            self.content.on_event(event)
        has_content = is_content(event)
        self.timings.event(content=has_content)
        if not has_content:
            self.on_control_event(event)

    @guarded
    def on_control_event(self, event: Any) -> None:
        """Read an event of a stream, a model or decoded, that carries more than a piece of the answer."""
        event_type = field_of(event, "type")
        if event_type == "message_start":
            self.facts.read_message(field_of(event, "message"))
            self.ending("abandoned")  # the outcome if nothing else comes, now with the cost so far
        elif event_type == "message_delta":
            self.facts.read_delta(event)
            if self.facts.complete:
                self.ending("ok")
        elif event_type == "content_block_start":
            self.facts.read_block(field_of(event, "content_block"))
        elif event_type == "message_stop":
            self.facts.stopped = True
        elif event_type == "error":
            # Seen only where the app reads the bytes: the SDK raises it as an exception.
            self._error_event = classify_response(200, event).name

    @guarded
    def begin_body(self, body: body_parser.BodyType) -> None:
        """The app begins to read a body itself, which no `Stream` parses: read the facts off its bytes."""
        if self._body is not None:
            return
        if self.batch:
            self._body = body.reader("lines", on_value=partial(batches.count_result, self), on_body=self._read_body)
        elif self.start.operation == "chat" and (form := body.form()) is not None:
            self._body = body.reader(form, on_value=self.on_event, on_body=self._read_body)

    @guarded
    def on_chunk(self, chunk: bytes) -> None:
        """Take a chunk of a body that the app reads itself."""
        if self._body is not None:
            self._body.feed(chunk)

    @property
    def is_truncated(self) -> bool:
        """Whether a body that ends now ends before its `message_stop`. The SDK raises nothing then."""
        has_events = self.parsing or (self._body is not None and self._body.is_stream)
        return has_events and self.start.operation == "chat" and not self.facts.stopped

    # --- endings ------------------------------------------------------------------------------------------------

    def read_to_end(self) -> None:
        """The body of the stream ended by itself."""
        if self._body is not None and not self.parsing:
            self._end_body(self._body)
        self.reaching_end()
        self.finish(*self._outcome_at_end())

    def _outcome_at_end(self) -> tuple[Outcome, str | None]:
        """The outcome and the error type of a call whose body ends by itself."""
        if self._error_event is not None:
            return "error", self._error_event
        return ("error", "stream_interrupted_error") if self.is_truncated else ("ok", None)

    @guarded
    def _end_body(self, body: body_parser.BodyReader) -> None:
        body.end()
        if self.batch and body.whole:
            batches.SEEN.complete(self.batch)

    @guarded
    def reaching_end(self) -> None:
        """The body has ended and the SDK is about to end its span: write to it whether the end came too early."""
        self.ending(*self._outcome_at_end())

    def closed_early(self) -> None:
        """The app closed the stream."""
        if self._error_event is not None:
            self.finish("error", self._error_event)
        else:
            self.finish("ok" if self.facts.complete else "abandoned")

    def finalized(self) -> None:
        """The app dropped the stream. May run in a finaliser, so it takes no lock: it notes the time and queues."""
        if enter(self._state, FINALIZED):
            self._dropped = True
            self.timings.stop()
            DEFERRED_ENDINGS.later(self.closed_early)

    def detach_after_fork(self) -> None:
        """Leave the call to the process that began it: this process is a forked child. It gets no record here."""
        enter(self._state, ENDED)

    def closing(self) -> None:
        """The SDK is about to end the span of a stream: write the content to it, unless a finaliser may run this."""
        if self.content is not None and self.span is not None and not self._dropped:
            self.content.write(self.span)

    def ending(self, outcome: Outcome, error_type: str | None = None) -> None:
        """Let the sinks write to the SDK's span how the call is about to end.

        The SDK may end its span at any time after. To a span of claudescope's own they write in `finish`.
        """
        if self.span is None or self.own_span or not self.span.is_recording():
            return
        reason, bill, workflow = self.facts.finish_reason, self.bill(), self.start.workflow
        ending = SpanOutcome(outcome, error_type, reason, bill.cost_usd, workflow, bill.extra, self.protection)
        if ending != self._written:
            self._written = ending
            self._write_ending(ending)

    def _write_ending(self, ending: SpanOutcome) -> None:
        if self.span is not None and self.span.is_recording():
            self.dispatcher.ending(ending, self.span)
            if self.content is not None:
                self.content.write(self.span)

    def finish(self, outcome: Outcome, error_type: str | None = None, error: BaseException | None = None) -> None:
        """End the call, unless it has ended. Never raises."""
        if not enter(self._state, ENDED):
            return
        self._response = self._failure = None
        if self.streaming:
            DEFERRED_ENDINGS.closed(self)
        try:
            record = record_of(self, outcome, error_type, error)
        except Exception:  # noqa: BLE001 - see below
            internal_errors.record("probe")
            record = bare_record(self.start, outcome, error_type)
        try:
            if self.span is not None and self.own_span:
                facts = record.finish_reason, record.cost_usd, record.workflow, record.extra_usage, record.protection
                self._write_ending(SpanOutcome(outcome, error_type, *facts))
                end_span(self.span, record)
            if outcome == "error":
                self.dispatcher.failed(record, error)
            self.dispatcher.finished(record, self.span, self.parent_context)
            if self.content is not None:
                self.content.emit(record)
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("probe")

    def bill(self) -> Bill:
        """What the API billed so far, priced."""
        # A stream asks several times, and its usage changes once.
        if self.facts.usage() is not self._bill.usage:
            self._bill = self.dispatcher.bill(self.sent_as or self.start, self.facts, self.timings.began_at)
        return self._bill if not self._earlier else with_earlier(self._bill, self._earlier)
