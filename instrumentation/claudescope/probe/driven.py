"""What the driver of a policy reports of the call that it drives, so that all its attempts make one record.

The driver runs beneath the probe's hooks. It switches the SDK's own retries off, and so reports here what the probe
learns from the SDK's retries otherwise.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span

from claudescope._internal import internal_errors
from claudescope.probe import streams
from claudescope.probe.attempts import Place
from claudescope.probe.guard import guarded
from claudescope.probe.probe import CURRENT_CALL
from claudescope.schema.record import Hop, Protection

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
    def queued(self, kind: str, seconds: float) -> None:
        """The call waited before it was sent."""
        known = {} if self._call.protection is None else self._call.protection.queued
        self.note(queued={**known, kind: known.get(kind, 0.0) + seconds})  # type: ignore[dict-item, call-overload]

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
        """The stream failed before its first content, and another attempt follows.

        Args:
            error_type: Why it failed.
            delay: Seconds slept since.
            at: When it failed, in nanoseconds since the epoch.
        """
        call = self._call
        attempt = call.attempts.reopened(error_type, delay)
        call.dispatcher.retrying(call.start, attempt, _recording(call), at)

    @contextmanager
    def resumed(self) -> Generator[None]:
        """Let the probe's hooks see what the block does as a part of this call."""
        outer = CURRENT_CALL.get()
        CURRENT_CALL.set(self._call)
        try:
            yield
        finally:
            CURRENT_CALL.set(outer)

    def resumed_with(self, response: Any) -> None:
        """The stream goes on with the body of another response."""
        try:
            self._call.returned_again()
            if self._call.span is not None and not self._call.own_span:
                streams.watch_span_end(response, self._call)
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("probe")


def _recording(call: Call) -> Span | None:
    return call.span if call.span is not None and call.span.is_recording() else None
