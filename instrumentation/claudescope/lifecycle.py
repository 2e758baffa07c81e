"""Turns claudescope on and off: `instrument`, `uninstrument` and `report`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, get_args

from opentelemetry import trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from claudescope._internal.exceptions import BadInputError, require
from claudescope._internal.version import VERSION
from claudescope._internal.waiting import PatchableLock
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
_lock: Final = PatchableLock()
_report_sink: Final = ReportSink()

LogsTo = Literal["opentelemetry"]
"""Only to OpenTelemetry's logs."""


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
    """Record every call that the `anthropic` SDK makes in this process, by clients made before or after.

    Does nothing where claudescope is on already: to change an option, call `uninstrument` first. Thread-safe.

    Args:
        tracer_provider: Makes claudescope's own spans; the global provider by default. For the SDK's spans, use its
            `open_telemetry` option.
        meter_provider: Makes the metrics; the global provider by default, even where the app sets that later.
        logger_provider: Makes OpenTelemetry's log records and events; the global provider by default, even where the
            app sets that later.
        spans: `auto` adds to the SDK's span, and makes one on SDKs without tracing (before 1.14). `own` also makes one
            where the SDK's tracing is off. `off` makes none.
        prices: Prices that replace or extend those of `genai-prices`, by model name. A name may end in `*`.
        max_workflows: Distinct workflow names that are kept as label values; further ones are counted under `other`.
        logs: True writes a record per call to the stdlib logger `claudescope.calls` and to OpenTelemetry's logs;
            `"opentelemetry"` writes it only to the latter.
        content: How and where to record prompts and completions. None, the default, follows the variable
            `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, and records nothing where it is not set.
        sinks: Further sinks that get every call, after claudescope's own.

    Raises:
        BadInputError: An option has a value that can't be used.
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
    with _lock.held():
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


# Imported only where an app asks for it, as few apps do.


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
            "some calls or facts may not be seen",
            version,
        )


def uninstrument() -> None:
    """Restore the SDK. Calls in flight still end in a record, and counts so far are kept. Thread-safe."""
    with _lock.held():
        if _State.probe is None:
            return
        remove()
        flush()
        _State.probe = None
        _State.gives_way = False


def give_way() -> None:
    """Let a later `instrument` call of the app replace the options of the environment that are used now."""
    with _lock.held():
        _State.gives_way = _State.probe is not None


def active_probe() -> Probe | None:
    """The probe that sees the calls; None where claudescope is off."""
    return _State.probe


def attach(sink: Sink) -> None:
    """Hand every call to `sink` while claudescope is on, now or later. Does nothing where it is attached already."""
    with _lock.held():
        if sink not in _State.attached:
            _State.attached += (sink,)
            if _State.probe is not None:
                _State.probe.add(sink)


def detach(sink: Sink) -> None:
    """Hand no more calls to `sink`."""
    with _lock.held():
        _State.attached = tuple(other for other in _State.attached if other is not sink)
        if _State.probe is not None:
            _State.probe.discard(sink)


def report() -> Report:
    """Summarize the calls of this process so far: latency, tokens, cost, retries and errors."""
    flush()
    return _report_sink.snapshot()
