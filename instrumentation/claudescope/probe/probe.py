"""Begins calls, and hands what they tell to the sinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from opentelemetry import context, trace

from claudescope._internal import internal_errors
from claudescope.pricing.price_book import PriceBook
from claudescope.probe.call import Call
from claudescope.probe.fallback_span import start_span
from claudescope.probe.sdk import batch_of, operation_of, provider_of, request_model, server_of
from claudescope.schema.record import Attempt, BatchResult, CallRecord, CallStart, SpanOutcome, Usage, draft_of
from claudescope.sinks import Sink
from claudescope.workflows import current_workflow

if TYPE_CHECKING:
    from claudescope.content.capture import Capture

__all__ = ["CURRENT_CALL", "Probe", "SpanMode"]

SpanMode = Literal["auto", "own", "off"]
"""Who makes a call's span: the SDK and, where it can't, we (`auto`); we wherever the SDK doesn't (`own`); never we."""

_DraftStart: Final = draft_of(CallStart)
_Handlers = tuple[tuple[str, Callable[..., None]], ...]

CURRENT_CALL: Final[ContextVar[Call | None]] = ContextVar("claudescope_call", default=None)
"""The call that this code runs in, so that the inner hooks find the one that the outer hook began."""

_SUPPRESS: Final = "suppress_instrumentation"
"""The context key of `opentelemetry.instrumentation.utils.suppress_instrumentation`."""


class Probe:
    """Stands between the hooks and the sinks: knows who gets a call, who makes its span, and what it costs.

    `begin` and what hands out to sinks never raise.

    Args:
        sinks: Who gets the calls, in order.
        prices: What calls cost.
        spans: Who makes a call's span.
        tracer: Makes our own spans.
        sdk_traces: Whether the installed SDK can trace itself.
        content: Gathers prompts and answers; None unless they were asked for.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        prices: PriceBook,
        *,
        spans: SpanMode,
        tracer: trace.Tracer,
        sdk_traces: bool,
        content: Capture | None = None,
    ) -> None:
        self._content = content
        self._prices = prices
        self._tracer = tracer
        self._sdk_traces = sdk_traces
        self._spans = spans
        self._sinks: tuple[Sink, ...] = ()
        for sink in sinks:
            self.add(sink)

    def add(self, sink: Sink) -> None:
        """Have `sink` get the calls from now on."""
        self._set_sinks((*self._sinks, sink))

    def discard(self, sink: Sink) -> None:
        """Have `sink` get no more calls."""
        self._set_sinks(tuple(other for other in self._sinks if other is not sink))

    def _set_sinks(self, sinks: tuple[Sink, ...]) -> None:
        # Only those that override a method pay for it. Tuples are swapped whole: a call sees the old or the new.
        def handlers(method: str) -> _Handlers:
            return tuple(
                (sink.name, getattr(sink, method))
                for sink in sinks
                if getattr(type(sink), method) is not getattr(Sink, method)
            )

        self._sinks = sinks
        self._on_start = handlers("started")
        self._on_retry = handlers("retrying")
        self._on_ending = handlers("ending")
        self._on_failure = handlers("failed")
        self._on_finish = handlers("finished")
        self._on_batch_result = handlers("batch_result")

    def begin(self, client: Any, options: Any, *, stream: bool) -> Call | None:
        """A call begins; None where it can't be or must not be seen."""
        try:
            around = context.get_current()
            if around.get(_SUPPRESS):
                return None
            address, port = server_of(client)
            start = _DraftStart(
                operation_of(options.method, options.url),
                provider_of(client),
                request_model(options),
                stream,
                address,
                current_workflow(),
            )
            start.__class__ = CallStart
            batch = batch_of(options.url) if start.operation == "batches.results" else ""
            if start.request_model is not None or batch:
                self._prices.warm()
            call = Call(self, start, around)
            if batch:
                call.batch = batch
            if self._content is not None and start.operation == "chat":
                call.content = self._content.begin(client, options.json_data)
            if self._makes_span(client, options):
                call.span = start_span(self._tracer, start, options, port)
                call.own_span = True
            _tell(self._on_start, start)
        except Exception:  # noqa: BLE001 - the app's call goes on unseen
            internal_errors.record("probe")
            return None
        return call

    def _makes_span(self, client: Any, options: Any) -> bool:
        if self._spans == "off":
            return False
        if getattr(client, "_tracer", None) is not None:
            # The SDK makes one for its own methods, and for no other request, such as one of `client.post`.
            return not getattr(options, "span_name", None)
        return self._spans == "own" or not self._sdk_traces

    def cost(self, start: CallStart, model: str | None, usage: Usage | None, at: datetime) -> Decimal | None:
        """The price of a call in US dollars; None without usage or a known price."""
        name = model or start.request_model
        if usage is None or name is None:
            return None
        price = self._prices.cost(usage, model=name, provider=start.provider, at=at)
        if price is None and start.request_model is not None and start.request_model != name:
            return self._prices.cost(usage, model=start.request_model, provider=start.provider, at=at)
        return price

    def retrying(self, start: CallStart, attempt: Attempt, span: trace.Span | None, at: int) -> None:
        """Tell the sinks of a retry. `at` is nanoseconds since the epoch."""
        _tell(self._on_retry, start, attempt, span, at)

    def ending(self, ending: SpanOutcome, span: trace.Span) -> None:
        """Let the sinks write to the span of a call that is about to end."""
        _tell(self._on_ending, ending, span)

    def failed(self, record: CallRecord, error: BaseException | None) -> None:
        """Tell the sinks of a call that has failed, and what the app is about to see of it."""
        _tell(self._on_failure, record, error)

    def batch_result(self, result: BatchResult) -> None:
        """Hand the sinks a result of a message batch."""
        _tell(self._on_batch_result, result)

    def finished(self, record: CallRecord, span: trace.Span | None, around: context.Context) -> None:
        """Hand the sinks the record of a call that has ended.

        Args:
            record: The call.
            span: Its span, for exemplars and logs to point to; None where it has none of its own.
            around: The context that it was made in.
        """
        inside = around if span is None else trace.set_span_in_context(span, around)
        _tell(self._on_finish, record, inside)


def _tell(handlers: _Handlers, *what: object) -> None:
    for name, handle in handlers:
        try:
            handle(*what)
        except Exception:  # noqa: BLE001, PERF203 - a sink's fault is neither the app's nor the next sink's
            internal_errors.record(name)
