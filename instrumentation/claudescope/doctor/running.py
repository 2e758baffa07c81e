"""Checks what is enabled in this process. Useful once the app has been imported."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from opentelemetry import baggage

from claudescope._internal import internal_errors
from claudescope.doctor.finding import Finding, error, ok, warning
from claudescope.lifecycle import active_probe

_KNOWN = frozenset({"anthropic", "claudescope", "sentry_sdk"})
"""Packages whose wrappers are expected, or have their own check."""

__all__ = ["check_running"]


def check_running() -> list[Finding]:
    """Check hooks, integrations, baggage and internal errors of this process."""
    found = [*_wrappers(), *_sentry(), *_current_baggage(), *_internal_errors()]
    if active_probe() is not None:
        return [ok("running", "claudescope is enabled in this process"), *found]
    return found


def _wrappers() -> Iterable[Finding]:
    """Find other wrappers of the SDK's methods. Each one creates its own span."""
    for name in ("Messages", "AsyncMessages"):
        owner: Any = getattr(sys.modules.get("anthropic.resources.messages"), name, None)
        wrapper = _module_of(getattr(owner, "create", None))
        if wrapper is not None and wrapper.partition(".")[0] not in _KNOWN:
            yield error(
                "second-instrumentation",
                f"{wrapper} has wrapped {name}.create: it also records every call, so spans and metrics are duplicated",
                "Disable its instrumentation of the SDK",
            )


def _module_of(method: Any) -> str | None:
    """The module of the outermost wrapper of a method; None where it is not known."""
    if method is None:
        return None
    by_wrapt: Any = getattr(method, "_self_wrapper", None)
    if by_wrapt is not None:
        return str(getattr(by_wrapt, "__module__", None) or type(by_wrapt).__module__)
    # A wrapper made with functools.wraps has the name of the wrapped function, but its own globals.
    return str(getattr(method, "__globals__", {}).get("__name__", "")) or None


def _sentry() -> Iterable[Finding]:
    sentry_sdk: Any = sys.modules.get("sentry_sdk")
    client: Any = None if sentry_sdk is None else sentry_sdk.get_client()
    if client is None or not client.is_active():
        return
    integrations: dict[str, Any] = getattr(client, "integrations", None) or {}
    ours: Any = sys.modules.get("claudescope.sentry.integration")
    if "anthropic" in integrations and (ours is None or not ours.is_active()):
        yield error(
            "sentry",
            "Sentry's AnthropicIntegration is enabled without claudescope's: it reports handled errors as unhandled, "
            "and creates many issues for the same error",
            "Add claudescope.sentry.ClaudeErrorsIntegration() to the integrations of sentry_sdk.init",
        )


def _current_baggage() -> Iterable[Finding]:
    names = sorted(baggage.get_all())
    if names:
        yield error(
            "baggage",
            f"OpenTelemetry's baggage contains {', '.join(names)}, which the SDK sends to the API",
            "Don't put such data into baggage. claudescope.workflow labels calls without it",
        )


def _internal_errors() -> Iterable[Finding]:
    counts = {name: count for name, count in internal_errors.counts().items() if count}
    if counts:
        yield warning(
            "internal-errors",
            "claudescope had internal errors, so telemetry may be incomplete: "
            + ", ".join(f"{count} in {name}" for name, count in sorted(counts.items())),
            "Set the logger claudescope to DEBUG, and report what it logs",
        )
