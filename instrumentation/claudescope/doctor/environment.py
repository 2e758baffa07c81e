"""Variables that contradict each other, that can't be used, or that nobody reads."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from claudescope import settings
from claudescope._internal.exceptions import BadInputError
from claudescope.doctor.finding import Finding, note, ok, wrong
from claudescope.doctor.installed import DISABLED, disabled_instrumentations

__all__ = ["check_environment"]

_PREFIX: Final = "CLAUDESCOPE_"


def check_environment() -> list[Finding]:
    """Look at the variables of claudescope, of OpenTelemetry and of the SDK."""
    found = [*_own(), *_opentelemetry(), *_sdk()]
    return found or [ok("environment", "no variable contradicts another")]


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
            except BadInputError as error:
                yield wrong("environment", str(error), f"Set {name} to {setting.expected}, or unset it")
            continue
        names = {each.removeprefix(_PREFIX): each for each in known}
        close = [names[each] for each in difflib.get_close_matches(name.removeprefix(_PREFIX), names, n=1)]
        yield wrong(
            "environment",
            f"{name} is set, and claudescope reads no such variable" + (f": did you mean {close[0]}?" if close else ""),
            f"Set {close[0]} instead, and unset {name}" if close else f"Unset {name}: docs/environment.md lists all",
        )


def _opentelemetry() -> Iterable[Finding]:
    if _is("OTEL_SDK_DISABLED", "true"):
        yield wrong(
            "environment",
            "OTEL_SDK_DISABLED=true: OpenTelemetry exports nothing, neither metrics nor spans nor logs",
            "Unset OTEL_SDK_DISABLED",
        )
    if disabled_instrumentations() & {"*", "claudescope"}:
        yield wrong(
            "environment",
            f"{DISABLED} has claudescope in it: opentelemetry-instrument does not switch it on",
            f"Take claudescope out of {DISABLED}",
        )
    if _is("OTEL_METRICS_EXPORTER", "none"):
        yield wrong(
            "environment",
            "OTEL_METRICS_EXPORTER=none: no metric is exported, and dashboards and alerts stay empty",
            "Set OTEL_METRICS_EXPORTER=otlp or prometheus, or unset it",
        )
    for name, value in (("OTEL_TRACES_EXPORTER", "none"), ("OTEL_TRACES_SAMPLER", "always_off")):
        if _is(name, value):
            yield note("environment", f"{name}={value}: there are no traces; metrics don't need them", f"Unset {name}")


def _sdk() -> Iterable[Finding]:
    if not _is("ANTHROPIC_OPEN_TELEMETRY", "false"):
        return
    try:
        major, minor = (int(part) for part in version("anthropic").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return
    if (major, minor) >= (1, 14) and not _is(settings.SPANS.name, "own", "off"):
        yield wrong(
            "environment",
            "ANTHROPIC_OPEN_TELEMETRY=false: the SDK makes no spans, and claudescope none in their place",
            f"Unset it, or set {settings.SPANS.name}=own for spans of claudescope's own, or =off for none",
        )
