"""Checks the SDK, and other instrumentations that duplicate telemetry."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Final

from claudescope.doctor.finding import Finding, error, ok, warning
from claudescope.pricing.genai_prices import is_newer
from claudescope.pricing.table_data import VERSION
from claudescope.probe.sdk import SUPPORTED, is_supported

__all__ = ["DISABLED", "check_installed", "disabled_instrumentations"]

DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
_ENTRY_POINTS: Final = "opentelemetry_instrumentor"
_TRACES_ITSELF: Final = (1, 14)

_AUTO_LOADED: Final = {
    "opentelemetry-instrumentation-genai-anthropic": "OpenTelemetry's own instrumentation",
    "opentelemetry-instrumentation-anthropic": "OpenLLMetry's instrumentation",
    "openinference-instrumentation-anthropic": "OpenInference's instrumentation",
}
"""Instrumentations of the SDK that opentelemetry-instrument loads."""

_ENABLED_BY_CODE: Final = {
    "traceloop-sdk": (
        "Traceloop.init() also instruments the SDK, so every call has two spans",
        "Call Traceloop.init(block_instruments={Instruments.ANTHROPIC})",
    ),
    "logfire": (
        "logfire.instrument_anthropic() also instruments the SDK, so every call has two spans",
        "Remove that call. logfire is based on OpenTelemetry, and gets the SDK's own enriched spans",
    ),
    "traceAI-anthropic": (
        "traceai_anthropic.AnthropicInstrumentor().instrument() also instruments the SDK, so every call has two spans",
        "Remove that call",
    ),
    "openlit": (
        "openlit.init() also instruments the SDK, so every call has two spans",
        'Call openlit.init(disabled_instrumentors=["anthropic"])',
    ),
}
"""Libraries that instrument the SDK when the app's code calls them."""


def check_installed() -> list[Finding]:
    """Check the installed packages."""
    return [_sdk(), _prices(), *_second_instrumentations(), *_sentry(), *_ddtrace()]


def disabled_instrumentations() -> frozenset[str]:
    """The names in `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`."""
    return frozenset(name.strip() for name in os.environ.get(DISABLED, "").split(",") if name.strip())


def _find(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _sdk() -> Finding:
    found = _find("anthropic")
    if found is None:
        return error(
            "sdk",
            "the anthropic SDK is not installed, so no calls can be recorded",
            "pip install 'claudescope[instruments]'",
        )
    first, end = (".".join(map(str, version)) for version in SUPPORTED)
    if not is_supported(found.version):
        return error(
            "sdk",
            f"anthropic {found.version} is not a supported version: telemetry may be missing or wrong",
            f"pip install 'anthropic>={first},<{end}'",
        )
    if tuple(int(part) for part in found.version.split(".")[:2]) >= _TRACES_ITSELF:
        return ok("sdk", f"anthropic {found.version} creates spans, and claudescope enriches them")
    return ok("sdk", f"anthropic {found.version} creates no spans, so claudescope creates them")


def _prices() -> Finding:
    try:
        import genai_prices  # takes a quarter of a second
    except Exception as failure:  # noqa: BLE001 - whatever the import raises is the finding
        return warning(
            "prices",
            f"genai-prices can't be imported ({type(failure).__name__}: {failure}). Calls are priced by claudescope's "
            f"own table, which is from genai-prices {VERSION}",
            "pip install genai-prices. In an app bundled by PyInstaller, add --copy-metadata genai-prices",
        )
    if is_newer(genai_prices.__version__):
        return ok(
            "prices",
            f"prices are from genai-prices {VERSION}. An app that imports genai_prices at its start uses the newer "
            f"prices of the installed {genai_prices.__version__}",
        )
    return ok("prices", f"prices are from genai-prices {VERSION}")


def _second_instrumentations() -> Iterable[Finding]:
    disabled = disabled_instrumentations()
    for name, vendor in _AUTO_LOADED.items():
        found = _find(name)
        if found is None:
            continue
        names = sorted({point.name for point in found.entry_points if point.group == _ENTRY_POINTS}) or ["anthropic"]
        if disabled & {"*", *names}:
            yield ok("second-instrumentation", f"{name} {found.version} is installed, and {DISABLED} disables it")
        else:
            yield error(
                "second-instrumentation",
                f"{vendor} is installed ({name} {found.version}): opentelemetry-instrument loads it, so every call has "
                "a second span and second metrics, and its tokens are counted twice",
                f"pip uninstall {name}, or set {DISABLED}={','.join(sorted(disabled | set(names)))}",
            )
    for name, (problem, fix) in _ENABLED_BY_CODE.items():
        found = _find(name)
        if found is not None:
            yield warning("second-instrumentation", f"{name} {found.version} is installed: {problem}", fix)


def _sentry() -> Iterable[Finding]:
    found = _find("sentry-sdk")
    if found is not None:
        yield warning(
            "sentry",
            f"sentry-sdk {found.version} is installed: it enables its AnthropicIntegration by default, which reports "
            "handled errors as unhandled",
            "Call sentry_sdk.init(integrations=[claudescope.sentry.ClaudeErrorsIntegration()]): then each failure is "
            "one event, and handled errors create none",
        )


def _ddtrace() -> Iterable[Finding]:
    found = _find("ddtrace")
    if found is None:
        return
    environment = os.environ
    if environment.get("DD_TRACE_ANTHROPIC_ENABLED", "").strip().lower() in {"false", "0"}:
        yield ok("second-instrumentation", f"ddtrace {found.version} is installed, and does not instrument the SDK")
    elif environment.get("DD_TRACE_OTEL_ENABLED", "").strip().lower() in {"true", "1"}:
        yield error(
            "second-instrumentation",
            f"ddtrace {found.version} collects OpenTelemetry's spans (DD_TRACE_OTEL_ENABLED) and also creates its own, "
            "so every call has two spans",
            "Set DD_TRACE_ANTHROPIC_ENABLED=false",
        )
    else:
        yield warning(
            "second-instrumentation",
            f"ddtrace {found.version} is installed: ddtrace-run also instruments the SDK, so a call may have two spans",
            "If Datadog also gets OpenTelemetry's spans, set DD_TRACE_ANTHROPIC_ENABLED=false",
        )
