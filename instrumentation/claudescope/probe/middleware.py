"""A call whose client has middleware: only the response that it returns ends it.

Middleware stands between the SDK's requests and what the app gets. It may read an answer first, discard it and ask
again, ask twice at once, answer from a cache, or return a body of its own that asks again while the app reads it, as
the SDK's `BetaRefusalFallbackMiddleware` does. So each response has an `Exchange` that collects its facts, and the
exchange of the response that the app gets continues the call. All requests are attempts of the call. Its usage is that
of the answer that the app got; answers that a middleware discarded are not added.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from claudescope._internal import internal_errors
from claudescope.probe import streams
from claudescope.probe.call import Call
from claudescope.probe.call_state import ENDED, STREAMING, enter
from claudescope.probe.deferred import DEFERRED_ENDINGS
from claudescope.probe.dispatch import NO_BILL, Bill
from claudescope.probe.guard import guarded
from claudescope.probe.response import MessageFacts, is_success, json_of
from claudescope.probe.sdk import is_stream

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from claudescope.probe.dispatch import Dispatcher
    from claudescope.schema.record import CallStart, Outcome

__all__ = ["CallWithMiddleware", "Exchange", "call_of_request", "with_middleware"]

_BY_KEY: Final[WeakValueDictionary[str, CallWithMiddleware]] = WeakValueDictionary()


def with_middleware(
    dispatcher: Dispatcher, start: CallStart, parent_context: Context, client: Any, options: Any
) -> CallWithMiddleware:
    """Make the call of a client with middleware.

    All requests of a call have its idempotency key, which the SDK makes a moment later otherwise, as it does here. So
    those can be told that a middleware makes elsewhere: on another thread, or while the app reads the body.

    Args:
        dispatcher: As for `Call`.
        start: As for `Call`.
        parent_context: As for `Call`.
        client: The SDK's client.
        options: The SDK's options of the request.
    """
    call = CallWithMiddleware(dispatcher, start, parent_context)
    if options.method.lower() != "get":
        if options.idempotency_key is None:
            options.idempotency_key = client._idempotency_key()  # noqa: SLF001 - the SDK has no public way
        _BY_KEY[options.idempotency_key] = call
    return call


def call_of_request(options: Any) -> Call | None:
    """The call that a request belongs to that was made outside of its context; None for any other request."""
    key: object = getattr(options, "idempotency_key", None)
    return _BY_KEY.get(key) if isinstance(key, str) and _BY_KEY else None


class CallWithMiddleware(Call):
    """A call until it returns. Then it has ended, or an `Exchange` carries it on."""

    def __init__(self, dispatcher: Dispatcher, start: CallStart, parent_context: Context) -> None:
        super().__init__(dispatcher, start, parent_context)
        self._seen: list[tuple[Any, Exchange]] = []  # empty when the call has returned: it must not keep a response

    def exchange(self, response: Any) -> Call:
        """What collects the facts of a response. Never raises."""
        try:
            made = Exchange(self)
            if self._state:
                self._seen.append((response, made))
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("probe")
            return self
        return made

    def answered(self, exchange: Exchange, response: Any, result: Any) -> None:
        """An exchange has the facts of its response. They are the call's, until another one answers."""
        if not self._state:
            return
        self.facts = exchange.facts
        if self.content is not None and response.is_closed and not is_stream(result):
            self.content.read(result if hasattr(result, "usage") else json_of(response))
        self.ending("ok" if response.is_closed and not is_stream(result) else "abandoned")

    def finish(self, outcome: Outcome, error_type: str | None = None, error: BaseException | None = None) -> None:
        """End the call, unless it has ended or an exchange carries it on."""
        self._seen = []
        super().finish(outcome, error_type, error)

    @guarded
    def returned(self, result: Any) -> None:
        """The call returned: it has ended, or the response that it returned carries it on."""
        if self._response is not None:  # `take` has read it: no hook sees responses
            super().returned(result)
            return
        seen, self._seen = self._seen, []
        response = getattr(result, "response", None) or getattr(result, "http_response", None)
        exchange = next((made for of, made in seen if of is response), None)
        if response is not None and (is_stream(result) or not response.is_closed):
            self._carry_on(response, exchange, seen[-1][1].facts if seen else None)
            return
        if exchange is not None:
            self.facts = exchange.facts
        elif len(seen) > 1 and self.start.operation == "chat":
            self.facts = MessageFacts()
            self._read_body(result if response is None else json_of(response))
        # Without a request, a middleware has answered: nothing was billed.
        self.finish("ok")

    def _carry_on(self, response: Any, exchange: Exchange | None, before: MessageFacts | None) -> None:
        if exchange is None:
            exchange = Exchange(self)
            exchange.before = before
        if streams.call_of(response) is not exchange:
            streams.watch_body(response, exchange)
        if not enter(self._state, ENDED):
            return
        exchange.carry_on(self)
        if self.span is not None and not self.own_span:
            streams.watch_span_end(response, exchange)


class Exchange(Call):
    """A response of a call whose client has middleware. It ends nothing until the call has returned it.

    Args:
        whole: The call.

    Attributes:
        before: The facts of the response that a middleware replaced by this one; None for a response of the API.
    """

    before: MessageFacts | None = None
    _returned: bool = False
    _end: tuple[Outcome, str | None, BaseException | None] | None = None

    def __init__(self, whole: CallWithMiddleware) -> None:
        super().__init__(whole.dispatcher, whole.start, whole.parent_context)
        self.batch = whole.batch
        self.timings = copy(whole.timings)
        self.attempts = whole.attempts
        # Not its content, which an answer that the app does not get must not change.
        self._whole = whole  # which also keeps it known to `call_of_request`

    @guarded
    def responded(self, response: Any, result: Any) -> None:
        """The SDK made `result` of the response."""
        if not is_success(response):
            self.attempts.replaced(response)
            return
        super().responded(response, result)
        self._response = None
        self._whole.answered(self, response, result)

    @guarded
    def unparsed(self, response: Any) -> None:
        """The SDK could not parse the response."""
        super().unparsed(response)
        if is_success(response):
            self._whole.answered(self, response, None)

    def carry_on(self, whole: Call) -> None:
        """The call has returned this response."""
        self.span, self.own_span, self.content = whole.span, whole.own_span, whole.content
        self.sent_as, self.protection = whole.sent_as, whole.protection
        self._returned = self.streaming = True
        enter(self._state, STREAMING)
        DEFERRED_ENDINGS.start()
        if self._end is not None:
            self.ending(*self._end[:2])
            super().finish(*self._end)
            return
        DEFERRED_ENDINGS.opened(self)

    def bill(self) -> Bill:
        """What the API billed; nothing where no request was made, as for an answer from a cache."""
        if not self.attempts:
            return NO_BILL
        if self.before is not None and self.facts.usage() is None:
            # The app has read nothing of what a middleware made of the answer.
            return self.dispatcher.bill(self.start, self.before, self.timings.began_at)
        return super().bill()

    def finish(self, outcome: Outcome, error_type: str | None = None, error: BaseException | None = None) -> None:
        """End the call, where it has returned this response."""
        if self._returned:
            super().finish(outcome, error_type, error)
        elif self._end is None:
            self._end = outcome, error_type, error

    def finalized(self) -> None:
        """The response was dropped."""
        if self._returned:
            super().finalized()
