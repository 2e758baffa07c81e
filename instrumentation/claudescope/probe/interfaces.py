"""What the modules of the probe know of each other, so that none of them has to import the module that imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from claudescope.probe.attempts import Attempts
    from claudescope.probe.body_parser import BodyType
    from claudescope.probe.dispatch import Bill, Dispatcher
    from claudescope.probe.response import MessageFacts
    from claudescope.probe.timings import CallTimings
    from claudescope.schema.record import CallRecord, CallStart, Protection

__all__ = ["CapturedContent", "ContentCapture", "OpenCall", "RecordedCall", "WatchedCall"]


_Events = TypeVar("_Events")


class CapturedContent(Protocol):
    """The prompt and the answer of one call. No method raises."""

    def on_event(self, event: object) -> None:
        """Take one event of a stream, a model or decoded."""

    def read(self, message: object) -> None:
        """Take a whole Message."""

    def write(self, span: Span) -> None:
        """Write what is new to the call's span."""

    def emit(self, record: CallRecord) -> None:
        """Emit the event of the call, which has ended."""


class ContentCapture(Protocol):
    """Captures prompts and answers, where the app asked for them."""

    def begin(self, client: Any, body: object) -> CapturedContent | None:
        """Take the prompt of a request; None where it could not be read. Never raises."""


class OpenCall(Protocol):
    """A call whose stream the app reads, as `deferred` knows it."""

    def closed_early(self) -> None:
        """End the call: nobody reads its stream any further."""

    def detach_after_fork(self) -> None:
        """Leave the call to the process that began it."""


class RecordedCall(Protocol):
    """A call whose record is made, as `records` knows it.

    Attributes:
        start: What was known when it started.
        sent_as: The same as the last target got it; None where that does not differ.
        attempts: Its HTTP requests.
        timings: When it began, and when its events came.
        facts: What the response said.
        streaming: Whether the app got a response to read.
        span: The call's own span; None where it has none.
        parent_context: The OpenTelemetry context that it was made in.
        protection: What a policy did for it; None without a policy.
    """

    start: CallStart
    sent_as: CallStart | None
    attempts: Attempts
    timings: CallTimings
    facts: MessageFacts
    streaming: bool
    span: Span | None
    parent_context: Context
    protection: Protection | None

    def bill(self) -> Bill:
        """What the API billed, priced."""
        ...


class WatchedCall(Protocol):
    """A call whose response the app reads, as `streams` and `batches` know it. No method raises.

    Attributes:
        start: What was known when it started.
        dispatcher: Hands its facts to the sinks, and prices it.
        timings: When it began, and when its events came.
        content: Captures its prompt and answer; None unless the app asked for them.
        batch: The id of the batch whose results it fetches; empty for any other call.
        parsing: Whether a `Stream` of the SDK parses the body.
    """

    start: CallStart
    dispatcher: Dispatcher
    timings: CallTimings
    content: CapturedContent | None
    batch: str
    parsing: bool

    @property
    def reading(self) -> bool:
        """Whether the SDK runs inside the stream now, so that it is the SDK that closes the body."""
        ...

    def watched(self, events: _Events) -> _Events:
        """Return `events`, the generator that watches this call, for the app to read."""
        ...

    def on_control_event(self, event: Any) -> None:
        """Read an event that carries more than a piece of the answer."""

    def begin_body(self, body: BodyType) -> None:
        """The app begins to read the body itself."""

    def on_chunk(self, chunk: bytes) -> None:
        """Take a chunk of a body that the app reads itself."""

    def failing(self, error: BaseException) -> None:
        """The call is raising `error`, and the SDK has yet to end its span."""

    def failed(self, error: BaseException) -> None:
        """The call raised `error`, or reading its stream did."""

    def reaching_end(self) -> None:
        """The body has ended, and the SDK is about to end the call's span."""

    def read_to_end(self) -> None:
        """The body ended by itself."""

    def closed_early(self) -> None:
        """The app closed the stream."""

    def finalized(self) -> None:
        """The app dropped the stream. May run in a finaliser."""

    def closing(self) -> None:
        """The SDK is about to end the call's span."""
