"""Begins calls: decides which requests are seen, who makes their spans, and which sinks get them."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Literal

from opentelemetry import context, trace

from claudescope._internal import internal_errors
from claudescope._internal.call_events import WATCHER, Sending, tell
from claudescope.probe.call import Call
from claudescope.probe.dispatch import Dispatcher
from claudescope.probe.fallback_span import start_span
from claudescope.probe.middleware import with_middleware
from claudescope.probe.progress import counting
from claudescope.probe.sdk import batch_of, operation_of, provider_of, region_of, request_model, server_of
from claudescope.schema.record import CallStart, draft_of
from claudescope.workflows import current_workflow

if TYPE_CHECKING:
    from claudescope.pricing.price_book import PriceBook
    from claudescope.probe.interfaces import ContentCapture
    from claudescope.sinks import Sink

__all__ = ["CURRENT_CALL", "Probe", "SpanMode"]

SpanMode = Literal["auto", "own", "off"]
"""Who makes a call's span.

- `auto`: the SDK, and claudescope where the SDK can't trace itself.
- `own`: claudescope, wherever the SDK makes none.
- `off`: the SDK alone; claudescope makes no span.
"""

_DraftStart: Final = draft_of(CallStart)

CURRENT_CALL: Final[ContextVar[Call | None]] = ContextVar("claudescope_call", default=None)
"""The call that this code runs in, so that the inner hooks find the one that the outer hook began."""

_SUPPRESS: Final = "suppress_instrumentation"
"""The context key of `opentelemetry.instrumentation.utils.suppress_instrumentation`."""


class Probe:
    """Begins a `Call` for each request of the SDK.

    Args:
        sinks: Who gets the calls, in order.
        prices: What calls cost.
        spans: Who makes a call's span.
        tracer: Makes claudescope's own spans.
        sdk_traces: Whether the installed SDK can trace itself.
        content: Captures prompts and answers; None unless the app asked for them.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        prices: PriceBook,
        *,
        spans: SpanMode,
        tracer: trace.Tracer,
        sdk_traces: bool,
        content: ContentCapture | None = None,
    ) -> None:
        self._dispatcher = Dispatcher(sinks, prices)
        self._content = content
        self._tracer = tracer
        self._sdk_traces = sdk_traces
        self._spans = spans

    def add(self, sink: Sink) -> None:
        """Hand all calls from now on to `sink` too."""
        self._dispatcher.add(sink)

    def discard(self, sink: Sink) -> None:
        """Hand no more calls to `sink`."""
        self._dispatcher.discard(sink)

    def begin(self, client: Any, options: Any, *, stream: bool) -> Call | None:
        """Begin a call. Never raises.

        Args:
            client: The SDK's client.
            options: The SDK's options of the request.
            stream: Whether the app asked for a stream.

        Returns:
            The call; None where it must not be seen (OpenTelemetry's instrumentation is suppressed), or where an
            internal error kept it from being seen.
        """
        try:
            parent_context = context.get_current()
            if parent_context.get(_SUPPRESS):
                return None
            address, port = server_of(client)
            start = _DraftStart(
                operation_of(options.method, options.url),
                provider_of(client),
                request_model(options),
                stream,
                address,
                current_workflow(),
                region_of(client),
            )
            start.__class__ = CallStart
            dispatcher = self._dispatcher
            batch = batch_of(options.url) if start.operation == "batches.results" else ""
            if getattr(client, "_middleware", None):
                call: Call = with_middleware(dispatcher, start, parent_context, client, options)
            else:
                call = Call(dispatcher, start, parent_context)
            if batch:
                call.batch = batch
            if self._content is not None and start.operation == "chat":
                call.content = self._content.begin(client, options.json_data)
            if WATCHER.get() is not None:
                tell(Sending(1))
                call.content = counting(call.content)
            if self._makes_span(client, options):
                call.span = start_span(self._tracer, start, options, port)
                call.own_span = True
            dispatcher.started(start)
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
