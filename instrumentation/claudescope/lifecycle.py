"""Switches claudescope on and off."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, get_args

from opentelemetry import trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from claudescope._internal.exceptions import BadInputError, require
from claudescope._internal.fork import renew_in_child
from claudescope._internal.version import VERSION
from claudescope.content import Content, ContentMode, capturing
from claudescope.pricing.price_book import PriceBook
from claudescope.pricing.rates import Price
from claudescope.probe import Probe, SpanMode, flush, install, is_supported, remove, sdk_traces
from claudescope.reporting.sink import ReportSink
from claudescope.schema.catalogue import SCOPE_NAME
from claudescope.sinks import Sink
from claudescope.sinks.metrics import MetricsSink
from claudescope.sinks.spans import SpansSink

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider

    from claudescope.content.capture import Capture
    from claudescope.reporting.model import Report

__all__ = ["active_probe", "attach", "detach", "give_way", "instrument", "report", "uninstrument"]

_log: Final = logging.getLogger("claudescope")
_lock = threading.RLock()
renew_in_child(sys.modules[__name__], "_lock")
_report_sink: Final = ReportSink()

LogsTo = Literal["opentelemetry"]
"""To OpenTelemetry's logs alone."""


class _State:
    probe: Probe | None = None
    attached: tuple[Sink, ...] = ()
    warned: bool = False
    gives_way: bool = False


def instrument(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    logger_provider: LoggerProvider | None = None,
    spans: SpanMode = "auto",
    prices: Mapping[str, Price] | None = None,
    max_workflows: int = 100,
    logs: LogsTo | bool = False,
    content: Content | ContentMode | None = None,
    sinks: Sequence[Sink] = (),
) -> None:
    """See every call that the `anthropic` SDK makes in this process, by clients made before or after.

    Does nothing where it is on already: to change an option, call `uninstrument` first. Thread-safe.

    Args:
        tracer_provider: Where spans of our own go; the global one by default. The SDK's spans go where its
            `open_telemetry` option says.
        meter_provider: Where metrics go; the global one by default, also where the app sets that later.
        logger_provider: Where OpenTelemetry's logs and events go; the global one by default, also where the app sets
            that later.
        spans: `auto` enriches the SDK's span, and makes one on SDKs without tracing (< 1.14). `own` makes one
            wherever the SDK doesn't, also where its tracing was switched off. `off` makes none.
        prices: Prices that override or add to those of `genai-prices`, by model name; a name may end in `*`.
        max_workflows: Distinct workflow names kept as label values; further ones are counted under `other`.
        logs: Write a record per call: True to the stdlib logger `claudescope.calls` and to OpenTelemetry's logs,
            `"opentelemetry"` to the latter alone.
        content: Record prompts and completions: how and where, or None for what the variable
            `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` says, which is nothing where it is not set.
        sinks: Further consumers of calls, after claudescope's own.

    Raises:
        BadInputError: An option has a value it can't have.
        MissingExtraError: The `anthropic` SDK is not installed.
    """
    if spans not in get_args(SpanMode):
        raise BadInputError(f"spans={spans!r}: expected one of {', '.join(map(repr, get_args(SpanMode)))}")
    if max_workflows < 1:
        raise BadInputError(f"max_workflows={max_workflows!r}: expected a whole number of at least 1")
    if logs not in {True, False, *get_args(LogsTo)}:
        raise BadInputError(f"logs={logs!r}: expected True, False or 'opentelemetry'")
    options, mode = capturing(content)
    require("anthropic", extra="instruments", feature="instrument()")
    with _lock:
        if _State.gives_way:
            uninstrument()
        if _State.probe is not None:
            return
        probe = Probe(
            (
                MetricsSink.for_provider(meter_provider, max_workflows),
                SpansSink(),
                _report_sink,
                *_logs_sinks(logs, logger_provider),
                *_State.attached,
                *sinks,
            ),
            PriceBook(prices),
            spans=spans,
            tracer=trace.get_tracer(SCOPE_NAME, VERSION, tracer_provider),
            sdk_traces=sdk_traces(),
            content=None if mode == "NO_CONTENT" else _capture(options, mode, logger_provider),
        )
        _check_version()
        install(probe)
        _State.probe = probe


# What few apps ask for is imported where it is.


def _logs_sinks(logs: LogsTo | bool, provider: LoggerProvider | None) -> tuple[Sink, ...]:
    if not logs:
        return ()
    from claudescope.sinks.logs import LogsSink

    return (LogsSink(provider, stdlib=logs != "opentelemetry"),)


def _capture(options: Content, mode: ContentMode, provider: LoggerProvider | None) -> Capture:
    from claudescope.content.capture import Capture
    from claudescope.sinks.events import Events

    return Capture(options, mode, Events(provider))


def _check_version() -> None:
    version = str(getattr(sys.modules["anthropic"], "__version__", ""))
    if not is_supported(version) and not _State.warned:
        _State.warned = True
        _log.warning(
            "claudescope: anthropic %s is not a version that claudescope is tested with (>=0.51,<3); "
            "it sees the calls as far as it can",
            version,
        )


def uninstrument() -> None:
    """Put the SDK back as it was. Calls in flight still end in a record; what was counted stays. Thread-safe."""
    with _lock:
        if _State.probe is None:
            return
        remove()
        flush()
        _State.probe = None
        _State.gives_way = False


def give_way() -> None:
    """Let the app's own `instrument` replace what is on now: its options go before those of the environment."""
    with _lock:
        _State.gives_way = _State.probe is not None


def active_probe() -> Probe | None:
    """The probe that sees the calls; None where claudescope is not on."""
    return _State.probe


def attach(sink: Sink) -> None:
    """Have `sink` get the calls whenever claudescope is on, now or later. Does nothing where it is attached."""
    with _lock:
        if sink not in _State.attached:
            _State.attached += (sink,)
            if _State.probe is not None:
                _State.probe.add(sink)


def detach(sink: Sink) -> None:
    """Have `sink` get no more calls."""
    with _lock:
        _State.attached = tuple(other for other in _State.attached if other is not sink)
        if _State.probe is not None:
            _State.probe.discard(sink)


def report() -> Report:
    """What the calls of this process came to so far: latency, tokens, cost, retries and errors."""
    flush()
    return _report_sink.snapshot()
