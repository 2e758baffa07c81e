"""Checks for environment variables that are invalid, unknown or contradictory."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from claudescope import settings
from claudescope._internal.exceptions import BadInputError
from claudescope.doctor.finding import Finding, error, ok, warning
from claudescope.doctor.installed import DISABLED, disabled_instrumentations

__all__ = ["check_environment"]

_PREFIX: Final = "CLAUDESCOPE_"


def check_environment() -> list[Finding]:
    """Check the variables of claudescope, OpenTelemetry and the SDK."""
    found = [*_own(), *_opentelemetry(), *_sdk()]
    return found or [ok("environment", "no environment variable causes a problem")]


def _is(name: str, *values: str) -> bool:
    return os.environ.get(name, "").strip().lower() in values


def _own() -> Iterable[Finding]:
    known = {setting.name: setting for setting in settings.SETTINGS}
    for name in sorted(os.environ):
        if not name.startswith(_PREFIX):
            continue
        setting = known.get(name)
        if setting is not None:
            try:
                setting.read()
            except BadInputError as exc:
                yield error("environment", str(exc), f"Set {name} to {setting.expected}, or unset it")
            continue
        names = {each.removeprefix(_PREFIX): each for each in known}
        close = [names[each] for each in difflib.get_close_matches(name.removeprefix(_PREFIX), names, n=1)]
        yield error(
            "environment",
            f"{name} is set, but claudescope has no such variable, so it has no effect"
            + (f": did you mean {close[0]}?" if close else ""),
            f"Set {close[0]} instead, and unset {name}" if close else f"Unset {name}; docs/environment.md lists all",
        )


def _opentelemetry() -> Iterable[Finding]:
    if _is("OTEL_SDK_DISABLED", "true"):
        yield error(
            "environment",
            "OTEL_SDK_DISABLED=true: OpenTelemetry exports nothing: no metrics, no spans and no logs",
            "Unset OTEL_SDK_DISABLED",
        )
    if disabled_instrumentations() & {"*", "claudescope"}:
        yield error(
            "environment",
            f"{DISABLED} contains claudescope: opentelemetry-instrument does not enable it, so calls are not recorded",
            f"Remove claudescope from {DISABLED}",
        )
    if _is("OTEL_METRICS_EXPORTER", "none"):
        yield error(
            "environment",
            "OTEL_METRICS_EXPORTER=none: no metrics are exported, so dashboards stay empty and alerts never fire",
            "Set OTEL_METRICS_EXPORTER=otlp or prometheus, or unset it",
        )
    for name, value in (("OTEL_TRACES_EXPORTER", "none"), ("OTEL_TRACES_SAMPLER", "always_off")):
        if _is(name, value):
            message = f"{name}={value}: no traces are exported. Metrics are not affected"
            yield warning("environment", message, f"Unset {name}")


def _sdk() -> Iterable[Finding]:
    if not _is("ANTHROPIC_OPEN_TELEMETRY", "false"):
        return
    try:
        major, minor = (int(part) for part in version("anthropic").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return
    if (major, minor) >= (1, 14) and not _is(settings.SPANS.name, "own", "off"):
        yield error(
            "environment",
            "ANTHROPIC_OPEN_TELEMETRY=false: the SDK creates no spans, and claudescope does not replace them, so "
            "traces lack the calls",
            f"Unset it. Or set {settings.SPANS.name}=own to let claudescope create spans, or =off for no spans",
        )
