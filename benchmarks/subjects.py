"""Ways to instrument the SDK: the pinned packages of each subject, and how a user enables it.

All except `bare` have the SDK's own tracing enabled, its default since 1.14, so that all add to the same base. Imports
are inside of functions, as the environment of a subject has only its own packages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["COMMON", "SUBJECTS", "Subject"]

COMMON: Final = ("anthropic==2.12.0", "opentelemetry-sdk==1.45.2")
"""Packages of every environment."""

_NAMES: Final = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-opus-5-5",
    "gen_ai.response.model": "claude-opus-5-5",
    "server.address": "api.anthropic.com",
}


@dataclass(frozen=True)
class Subject:
    """One way to instrument the SDK.

    Attributes:
        title: Name in the tables.
        packages: Packages of its environment besides `COMMON`. A path is installed from there.
        switch_on: Enables it. May return a function to run after each call, which gets whether that was a stream.
        traced: Whether the SDK's own tracing is enabled.
        is_peer: Whether it is a library of another project.
    """

    title: str
    packages: tuple[str, ...]
    switch_on: Callable[[], Callable[[bool], None] | None]
    traced: bool = True
    is_peer: bool = False

    @property
    def name_and_version(self) -> str:
        """The title and the version of the first package."""
        return f"{self.title} ({self.packages[0].replace('==', ' ')})" if self.is_peer else self.title


def _nothing() -> None:
    pass


def _floor() -> Callable[[bool], None]:
    """Make the OpenTelemetry records that the histograms and the span of a call need, with prepared attributes.

    A call has three histogram records and one write to its span; a stream has three records more. Observable
    instruments have no cost per call. The records are made in the context of a sampled span, as exemplars need it.
    """
    from opentelemetry import context, metrics, trace

    meter, span = metrics.get_meter("floor"), trace.get_tracer("floor").start_span("floor")
    inside = trace.set_span_in_context(span)
    seconds = [0.01 * 2**power for power in range(18)]
    histograms = [
        meter.create_histogram(f"floor.{number}", explicit_bucket_boundaries_advisory=seconds) for number in range(6)
    ]
    labels: list[dict[str, Any]] = [{**_NAMES, "claude.outcome": "ok"}, *[{**_NAMES, "gen_ai.token.type": "input"}] * 5]
    attributes: dict[str, Any] = {
        "claude.outcome": "ok",
        "gen_ai.response.finish_reasons": ("end_turn",),
        "claude.cost.usd": 0.01,
    }
    call = tuple(zip(histograms[:3], labels, strict=False))
    stream = tuple(zip(histograms, labels, strict=True))

    def records(is_stream: bool) -> None:
        span.set_attributes(attributes)
        token = context.attach(inside)
        for histogram, with_labels in stream if is_stream else call:
            histogram.record(0.5, with_labels)
        context.detach(token)

    return records


def _claudescope() -> None:
    import claudescope

    claudescope.instrument()


def _uninstrumented() -> None:
    import claudescope

    claudescope.instrument()
    claudescope.uninstrument()


def _official() -> None:
    from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor  # type: ignore[import-not-found]

    AnthropicInstrumentor().instrument()


def _openllmetry() -> None:
    from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor  # type: ignore[import-not-found]

    AnthropicInstrumentor().instrument()


def _openinference() -> None:
    from openinference.instrumentation.anthropic import AnthropicInstrumentor  # type: ignore[import-not-found]

    AnthropicInstrumentor().instrument()


def _logfire() -> None:
    import logfire  # type: ignore[import-not-found]

    logfire.configure(send_to_logfire=False, console=False, inspect_arguments=False)
    logfire.instrument_anthropic()


def _sentry() -> None:
    import sentry_sdk

    class Nowhere(sentry_sdk.Transport):
        def capture_envelope(self, envelope: Any) -> None:
            pass

    # Enables its Anthropic integration by default.
    sentry_sdk.init(dsn="http://key@localhost/1", traces_sample_rate=1.0, transport=Nowhere)


def _ddtrace() -> None:
    import os

    os.environ.update(
        DD_TRACE_ENABLED="true", DD_INSTRUMENTATION_TELEMETRY_ENABLED="false", DD_REMOTE_CONFIGURATION_ENABLED="false"
    )
    import ddtrace  # type: ignore[import-not-found]

    class Nowhere(ddtrace.trace.TraceFilter):  # type: ignore[misc]
        def process_trace(self, trace: Any) -> None:
            """Drop the trace, as there is no agent to send it to."""

    ddtrace.trace.tracer.configure(trace_processors=[Nowhere()])
    ddtrace.patch(anthropic=True)


def _peer(title: str, package: str, switch_on: Callable[[], None]) -> Subject:
    return Subject(title, (package,), switch_on, is_peer=True)


SUBJECTS: Final = {
    "bare": Subject("the SDK without tracing", (), _nothing, traced=False),
    "tracing": Subject("the SDK's own tracing", (), _nothing),
    "floor": Subject("floor: bare OpenTelemetry records", (), _floor),
    "claudescope": Subject("**claudescope**", ("--editable", "."), _claudescope),
    "uninstrumented": Subject("claudescope, after `uninstrument()`", ("--editable", "."), _uninstrumented),
    "official": _peer("OpenTelemetry's own", "opentelemetry-instrumentation-genai-anthropic==1.3b0", _official),
    "openllmetry": _peer("OpenLLMetry", "opentelemetry-instrumentation-anthropic==0.62.4", _openllmetry),
    "openinference": _peer("OpenInference", "openinference-instrumentation-anthropic==3.1.0", _openinference),
    "logfire": _peer("Logfire", "logfire==5.2.0", _logfire),
    "sentry": _peer("Sentry", "sentry-sdk==2.75.0", _sentry),
    "ddtrace": _peer("ddtrace", "ddtrace==4.16.0", _ddtrace),
}
"""By name, in the order of the tables."""
