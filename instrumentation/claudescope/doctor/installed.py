"""The SDK, and instrumentations that would see every call a second time."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Final

from claudescope.doctor.finding import Finding, note, ok, wrong
from claudescope.probe.sdk import SUPPORTED, is_supported

__all__ = ["DISABLED", "check_installed", "disabled_instrumentations"]

DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
_ENTRY_POINTS: Final = "opentelemetry_instrumentor"
_TRACES_ITSELF: Final = (1, 14)

_LOADED: Final = {
    "opentelemetry-instrumentation-genai-anthropic": "OpenTelemetry's own instrumentation",
    "opentelemetry-instrumentation-anthropic": "OpenLLMetry's instrumentation",
    "openinference-instrumentation-anthropic": "OpenInference's instrumentation",
}
"""Instrumentations of the SDK that OpenTelemetry can load by itself."""

_CALLED: Final = {
    "traceloop-sdk": (
        "Traceloop.init() sees the SDK's calls too",
        "Call Traceloop.init(block_instruments={Instruments.ANTHROPIC})",
    ),
    "logfire": (
        "logfire.instrument_anthropic() sees the SDK's calls too",
        "Leave that call out: logfire gets the SDK's own spans, enriched, as it is OpenTelemetry underneath",
    ),
    "traceAI-anthropic": (
        "traceai_anthropic.AnthropicInstrumentor().instrument() sees the SDK's calls too",
        "Leave that call out",
    ),
    "openlit": ("openlit.init() sees the SDK's calls too", 'Call openlit.init(disabled_instrumentors=["anthropic"])'),
}
"""Libraries that see the SDK's calls where the app's code asks them to."""


def check_installed() -> list[Finding]:
    """Look at the packages of this environment."""
    return [_sdk(), *_second_instrumentations(), *_sentry(), *_ddtrace()]


def disabled_instrumentations() -> frozenset[str]:
    """The names that `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS` has."""
    return frozenset(name.strip() for name in os.environ.get(DISABLED, "").split(",") if name.strip())


def _find(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _sdk() -> Finding:
    found = _find("anthropic")
    if found is None:
        return wrong("sdk", "the anthropic SDK is not installed", "pip install 'claudescope[instruments]'")
    first, end = (".".join(map(str, version)) for version in SUPPORTED)
    if not is_supported(found.version):
        return wrong(
            "sdk",
            f"anthropic {found.version} is not a version that claudescope is tested with",
            f"pip install 'anthropic>={first},<{end}'",
        )
    if tuple(int(part) for part in found.version.split(".")[:2]) >= _TRACES_ITSELF:
        return ok("sdk", f"anthropic {found.version} traces itself; claudescope enriches its span")
    return ok("sdk", f"anthropic {found.version} makes no spans; claudescope makes them")


def _second_instrumentations() -> Iterable[Finding]:
    disabled = disabled_instrumentations()
    for name, what in _LOADED.items():
        found = _find(name)
        if found is None:
            continue
        names = sorted({point.name for point in found.entry_points if point.group == _ENTRY_POINTS}) or ["anthropic"]
        if disabled & {"*", *names}:
            yield ok("second-instrumentation", f"{name} {found.version} is installed, and {DISABLED} switches it off")
        else:
            yield wrong(
                "second-instrumentation",
                f"{what} is installed ({name} {found.version}): opentelemetry-instrument loads it, and every call has "
                "a second span and second metrics, with its tokens counted twice",
                f"pip uninstall {name}, or set {DISABLED}={','.join(sorted(disabled | set(names)))}",
            )
    for name, (what, fix) in _CALLED.items():
        found = _find(name)
        if found is not None:
            yield note("second-instrumentation", f"{name} {found.version} is installed: {what}", fix)


def _sentry() -> Iterable[Finding]:
    found = _find("sentry-sdk")
    if found is not None:
        yield note(
            "sentry",
            f"sentry-sdk {found.version} is installed: its AnthropicIntegration switches itself on, and reports "
            "failures that the app has handled",
            "Call sentry_sdk.init(integrations=[claudescope.sentry.ClaudeErrorsIntegration()]): each failure is one "
            "event then, and none where the app handled it",
        )


def _ddtrace() -> Iterable[Finding]:
    found = _find("ddtrace")
    if found is None:
        return
    environment = os.environ
    if environment.get("DD_TRACE_ANTHROPIC_ENABLED", "").strip().lower() in {"false", "0"}:
        yield ok("second-instrumentation", f"ddtrace {found.version} is installed, and leaves the SDK alone")
    elif environment.get("DD_TRACE_OTEL_ENABLED", "").strip().lower() in {"true", "1"}:
        yield wrong(
            "second-instrumentation",
            f"ddtrace {found.version} takes OpenTelemetry's spans (DD_TRACE_OTEL_ENABLED) and makes its own of the "
            "SDK's calls: every call has two",
            "Set DD_TRACE_ANTHROPIC_ENABLED=false",
        )
    else:
        yield note(
            "second-instrumentation",
            f"ddtrace {found.version} is installed: under ddtrace-run it makes spans of its own of the SDK's calls",
            "Set DD_TRACE_ANTHROPIC_ENABLED=false where Datadog gets OpenTelemetry's spans too",
        )
