"""The contract between the probe and everything that consumes calls."""

from __future__ import annotations

from typing import ClassVar

from opentelemetry.context import Context
from opentelemetry.trace import Span

from claudescope.schema.record import Attempt, BatchResult, CallRecord, CallStart, Hop, SpanOutcome

__all__ = ["Sink"]


class Sink:
    """Gets the calls that the probe sees. Override the methods that you need.

    An exception in a method does not reach the app. It is counted in `claudescope.internal_errors` under the sink's
    `name`, the first one is logged at debug, and the next sink still gets the call.

    Methods run in the thread of the app's call, on any thread, and never inside a finaliser. They must not block: a
    sink that writes to a disk or a network needs a queue and a thread of its own, as OpenTelemetry's exporters have.
    None of claudescope's own sinks does I/O. A method that hangs blocks the one call it was told of, and no other.
    """

    name: ClassVar[str]
    """The value of `claudescope.component` for this sink's internal errors."""

    def started(self, start: CallStart) -> None:
        """A call has started. Every start is followed by exactly one `finished` with the same first facts."""

    def retrying(self, start: CallStart, attempt: Attempt, span: Span | None, at: int) -> None:
        """An attempt of a call failed, and another follows.

        Args:
            start: The call.
            attempt: The attempt that failed, with the delay that was slept after it.
            span: The call's span where it can be written to.
            at: When the attempt had failed, in nanoseconds since the epoch.
        """

    def hopping(self, start: CallStart, hop: Hop, span: Span | None, at: int) -> None:
        """A policy sends a call on to another target or model.

        Args:
            start: The call.
            hop: From where to where, and why.
            span: The call's span where it can be written to.
            at: When, in nanoseconds since the epoch.
        """

    def ending(self, ending: SpanOutcome, span: Span) -> None:
        """A call is about to end and its span can still be written to.

        Called again where the call then ends differently: for a stream when it begins, in case the app never reads it,
        and again when it is read; and where a middleware rejects a successful response.
        """

    def failed(self, record: CallRecord, error: BaseException | None) -> None:
        """A call has ended in an error. Called once, before `finished`, and before the app sees the exception.

        Args:
            record: The call.
            error: The exception that the app is about to see, which must not be kept alive; None where the SDK
                raises none, as for a stream that was cut.
        """

    def finished(self, record: CallRecord, context: Context | None = None) -> None:
        """A call has ended. Called exactly once a call.

        Args:
            record: The call.
            context: The call's own, with its span, for exemplars and logs to point to; None for the current one.
        """

    def batch_result(self, result: BatchResult) -> None:
        """A result of a message batch has been read. Called once a result, however often the app reads it."""
