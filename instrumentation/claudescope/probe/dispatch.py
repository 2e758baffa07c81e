"""Hands the facts of calls to the sinks, and prices calls."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from opentelemetry import trace

from claudescope._internal import internal_errors
from claudescope.schema.record import Attempt, BatchResult, CallRecord, CallStart, Hop, ModelUsage, SpanOutcome, Usage
from claudescope.sinks import Sink

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from claudescope.pricing.price_book import PriceBook
    from claudescope.probe.response import MessageFacts

__all__ = ["NO_BILL", "Bill", "Dispatcher", "with_earlier"]

_Handlers = tuple[tuple[str, Callable[..., None]], ...]


class Bill(NamedTuple):
    """What the API billed for an answer.

    Attributes:
        usage: The answer's own usage; None where nothing is known.
        extra: What was billed beside it.
        cost_usd: The price of all in US dollars; None where a part has no known price.
    """

    usage: Usage | None
    extra: tuple[ModelUsage, ...]
    cost_usd: Decimal | None


NO_BILL: Final = Bill(None, (), None)
# Independent of the precision and traps that the app may have set.
_EXACT: Final = decimal.Context(prec=100, traps=[])


def _total(costs: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for cost in costs:
        if cost is None:
            return None
        total = _EXACT.add(total, cost)
    return total


def with_earlier(bill: Bill, earlier: tuple[ModelUsage, ...]) -> Bill:
    """A bill with what was billed before in the same call. Where nothing was since, the last part is the answer's."""
    usage, own = bill.usage, bill.cost_usd
    if usage is None:
        earlier, last = earlier[:-1], earlier[-1]
        usage, own = last.usage, last.cost_usd
    return Bill(usage, (*earlier, *bill.extra), _total((own, *(part.cost_usd for part in earlier))))


class Dispatcher:
    """The sinks and the prices of a probe.

    An exception in a sink is counted as an internal error of that sink; the other sinks still get the call.

    Args:
        sinks: Who gets the calls, in order.
        prices: What calls cost.
    """

    def __init__(self, sinks: Sequence[Sink], prices: PriceBook) -> None:
        self._prices = prices
        self._set_sinks(tuple(sinks))

    def add(self, sink: Sink) -> None:
        """Hand all calls from now on to `sink` too."""
        self._set_sinks((*self._sinks, sink))

    def discard(self, sink: Sink) -> None:
        """Hand no more calls to `sink`."""
        self._set_sinks(tuple(other for other in self._sinks if other is not sink))

    def _set_sinks(self, sinks: tuple[Sink, ...]) -> None:
        # Only sinks that override a method are called for it. Tuples are swapped whole: a call sees the old or the new.
        def handlers(method: str) -> _Handlers:
            return tuple(
                (sink.name, getattr(sink, method))
                for sink in sinks
                if getattr(type(sink), method) is not getattr(Sink, method)
            )

        self._sinks = sinks
        self._on_start = handlers("started")
        self._on_retry = handlers("retrying")
        self._on_hop = handlers("hopping")
        self._on_ending = handlers("ending")
        self._on_failure = handlers("failed")
        self._on_finish = handlers("finished")
        self._on_batch_result = handlers("batch_result")

    def bill(self, start: CallStart, facts: MessageFacts, at: datetime) -> Bill:
        """What the API billed, priced.

        Args:
            start: The call.
            facts: What its answer said.
            at: When the call was made.
        """
        usage, extra = facts.usage(), facts.extra()
        if usage is None:
            return NO_BILL
        cost = self._cost(start, facts.model, usage, at)
        if cost is None and not facts.fell_back:
            cost = self._cost(start, None, usage, at)  # by the name that was asked for, which may be better known
        if not extra:
            return Bill(usage, (), cost)
        parts = tuple(
            ModelUsage(kind, model or start.request_model, part, self._cost(start, model, part, at))
            for kind, model, part in extra
        )
        return Bill(usage, parts, _total((cost, *(part.cost_usd for part in parts))))

    def _cost(self, start: CallStart, model: str | None, usage: Usage, at: datetime) -> Decimal | None:
        name = model or start.request_model
        if name is None:
            return None
        return self._prices.cost(usage, model=name, provider=start.provider, at=at, region=start.region)

    def started(self, start: CallStart) -> None:
        """Tell the sinks that a call has started."""
        _dispatch(self._on_start, start)

    def retrying(self, start: CallStart, attempt: Attempt, span: trace.Span | None, at: int) -> None:
        """Tell the sinks of a retry. `at` is nanoseconds since the epoch."""
        _dispatch(self._on_retry, start, attempt, span, at)

    def hopping(self, start: CallStart, hop: Hop, span: trace.Span | None, at: int) -> None:
        """Tell the sinks that a call goes on to another target or model. `at` is nanoseconds since the epoch."""
        _dispatch(self._on_hop, start, hop, span, at)

    def ending(self, ending: SpanOutcome, span: trace.Span) -> None:
        """Let the sinks write to the span of a call that is about to end."""
        _dispatch(self._on_ending, ending, span)

    def failed(self, record: CallRecord, error: BaseException | None) -> None:
        """Tell the sinks of a call that has failed, and of the exception that the app is about to see."""
        _dispatch(self._on_failure, record, error)

    def batch_result(self, result: BatchResult) -> None:
        """Hand the sinks a result of a message batch."""
        _dispatch(self._on_batch_result, result)

    def finished(self, record: CallRecord, span: trace.Span | None, parent_context: Context) -> None:
        """Hand the sinks the record of a call that has ended.

        Args:
            record: The call.
            span: Its span, for exemplars and logs to point to; None where it has none of its own.
            parent_context: The context that the call was made in.
        """
        context = parent_context if span is None else trace.set_span_in_context(span, parent_context)
        _dispatch(self._on_finish, record, context)


def _dispatch(handlers: _Handlers, *facts: object) -> None:
    for name, handle in handlers:
        try:
            handle(*facts)
        except Exception:  # noqa: BLE001, PERF203 - a sink that raises affects neither the app nor the next sink
            internal_errors.record(name)
