"""What the driver of a policy reports of the call that it drives, so that all its attempts make one record.

The driver runs beneath the probe's hooks. It switches the SDK's own retries off, and so reports here what the probe
learns from the SDK's retries otherwise.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span

from claudescope._internal import internal_errors
from claudescope.probe import streams
from claudescope.probe.attempts import Place
from claudescope.probe.guard import guarded
from claudescope.probe.probe import CURRENT_CALL
from claudescope.schema.record import Hop, Protection, QueueName, Transition

if TYPE_CHECKING:
    from claudescope.probe.call import Call
    from claudescope.schema.record import CallStart

__all__ = ["DrivenCall"]


class DrivenCall:
    """A call that a driver carries out. No method raises.

    Args:
        call: The call.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    @classmethod
    def current(cls, sdk_call: Any) -> DrivenCall | None:
        """The call that the SDK makes now; None where no probe sees it.

        Args:
            sdk_call: The SDK's `ApiCall`, which has its span; None where the SDK makes none.
        """
        call = CURRENT_CALL.get()
        if call is None:
            return None
        span = getattr(sdk_call, "span", None)
        if isinstance(span, Span):
            call.span = span
        return cls(call)

    @property
    def start(self) -> CallStart:
        """The call as the app made it."""
        return self._call.start

    @property
    def cost_usd(self) -> Decimal | None:
        """What the API billed so far in US dollars; None where that is not known."""
        try:
            return self._call.bill().cost_usd
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("probe")
            return None

    @contextmanager
    def hidden(self) -> Generator[None]:
        """Keep the probe's hooks from taking what the block does for an attempt of the call."""
        outer = CURRENT_CALL.get()
        CURRENT_CALL.set(None)
        try:
            yield
        finally:
            CURRENT_CALL.set(outer)

    @guarded
    def ended_unsent(self) -> None:
        """The app gets an answer of no target: end the SDK's span, which ends only with a response of the API."""
        call = self._call
        call.ending("ok")
        if call.span is not None and not call.own_span:
            call.span.end()

    @guarded
    def sending(self, place: Place, region: str | None) -> None:
        """An attempt is sent to `place`, whose prices depend on `region`."""
        call, start = self._call, self._call.start
        call.attempts.place = place
        sent_as = replace(
            start,
            provider=place.provider,
            request_model=place.model,
            server_address=place.server_address,
            region=region,
        )
        call.sent_as = None if sent_as == start else sent_as
        if call.protection is None or call.protection.target != place.target:
            self.note(target=place.target)

    @guarded
    def note(self, **changes: Any) -> None:
        """Note fields of `Protection`."""
        call = self._call
        known = call.protection
        call.protection = Protection(call.start, **changes) if known is None else replace(known, **changes)

    @guarded
    def hopped(self, hop: Hop, at: int) -> None:
        """The call goes on to another target or model. `at` is nanoseconds since the epoch."""
        call = self._call
        known = () if call.protection is None else call.protection.hops
        self.note(hops=(*known, hop))
        call.dispatcher.hopping(call.start, hop, _recording(call), at)

    @guarded
    def circuit(self, transition: Transition) -> None:
        """A circuit went to another state."""
        known = () if self._call.protection is None else self._call.protection.transitions
        self.note(transitions=(*known, transition))

    @guarded
    def queued(self, kind: QueueName, seconds: float) -> None:
        """The call waited before it was sent."""
        known: Mapping[QueueName, float] = {} if self._call.protection is None else self._call.protection.queued
        self.note(queued={**known, kind: known.get(kind, 0.0) + seconds})

    def retried(self, response: Any, error: BaseException, delay: float, at: int) -> None:
        """Another attempt follows the one that failed. See `Call.retried`."""
        self._call.retried(response, error, delay, at)

    def gave_up(self, response: Any, error: BaseException) -> None:
        """No attempt follows the one that failed, and the call does not raise its error."""
        self._call.gave_up(response, error)

    def failing(self, error: BaseException) -> None:
        """The call is raising `error`, and the SDK has yet to end its span."""
        self._call.failing(error)

    @guarded
    def reopened(self, error_type: str, delay: float, at: int) -> None:
        """The stream failed, and another attempt follows.

        Args:
            error_type: Why it failed.
            delay: Seconds slept since.
            at: When it failed, in nanoseconds since the epoch.
        """
        call = self._call
        call.bill()  # at the prices of the target that answered until here
        attempt = call.attempts.reopened(error_type, delay)
        call.dispatcher.retrying(call.start, attempt, _recording(call), at)

    @guarded
    def next_answer(self) -> None:
        """More is asked for: the answer that came is billed, and another one follows."""
        self._call.bill()
        self._call.begin_again("continuation", told=False)

    @guarded
    def broke(self, error_type: str) -> None:
        """The stream failed, and no other attempt follows, though the call may not end in its error."""
        self._call.attempts.reopened(error_type, 0.0)

    @guarded
    def billed(self, fact: object, *, whole: bool) -> None:
        """What the API bills for an answer whose events the app gets as those of an earlier one.

        Args:
            fact: The message that it begins, or the `usage` of its end.
            whole: Whether it is the message.
        """
        if whole:
            self._call.facts.read_message(fact)
        else:
            self._call.facts.read_usage(fact)

    @contextmanager
    def resumed(self) -> Generator[None]:
        """Let the probe's hooks see what the block does as a part of this call."""
        outer = CURRENT_CALL.get()
        CURRENT_CALL.set(self._call)
        try:
            yield
        finally:
            CURRENT_CALL.set(outer)

    def resumed_with(self, response: Any, *, spliced: bool = False) -> None:
        """The stream goes on with the body of another response.

        Args:
            response: The response.
            spliced: Whether its events become further ones of the message that has begun, with a `usage` of both.
        """
        try:
            self._call.returned_again()
            self._call.begin_again("continuation" if spliced else "restart", told=spliced)
            if self._call.span is not None and not self._call.own_span:
                streams.watch_span_end(response, self._call)
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("probe")


def _recording(call: Call) -> Span | None:
    return call.span if call.span is not None and call.span.is_recording() else None
