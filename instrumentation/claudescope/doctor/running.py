"""What is switched on in this process. Worth a look once the app has been imported."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from opentelemetry import baggage

from claudescope._internal import internal_errors
from claudescope.doctor.finding import Finding, note, ok, wrong
from claudescope.lifecycle import active_probe

_KNOWN = frozenset({"anthropic", "claudescope", "sentry_sdk"})
"""Whose wrappers are as they should be, or are judged by their own look."""

__all__ = ["check_running"]


def check_running() -> list[Finding]:
    """Look at hooks, integrations, baggage and faults of this process; empty where nothing is switched on."""
    found = [*_wrappers(), *_sentry(), *_current_baggage(), *_faults()]
    if active_probe() is not None:
        return [ok("running", "claudescope is switched on in this process"), *found]
    return found


def _wrappers() -> Iterable[Finding]:
    """Who else has wrapped the SDK's methods: each would make a span of its own."""
    for name in ("Messages", "AsyncMessages"):
        owner: Any = getattr(sys.modules.get("anthropic.resources.messages"), name, None)
        wrapper = _module_of(getattr(owner, "create", None))
        if wrapper is not None and wrapper.partition(".")[0] not in _KNOWN:
            yield wrong(
                "second-instrumentation",
                f"{wrapper} has wrapped {name}.create: it sees every call beside claudescope",
                "Switch its instrumentation of the SDK off",
            )


def _module_of(method: Any) -> str | None:
    """The module of whoever wrapped a method last."""
    if method is None:
        return None
    by_wrapt: Any = getattr(method, "_self_wrapper", None)
    if by_wrapt is not None:
        return str(getattr(by_wrapt, "__module__", None) or type(by_wrapt).__module__)
    # A wrapper made with functools.wraps has the name of what it wraps, and the globals of where it was written.
    return str(getattr(method, "__globals__", {}).get("__name__", "")) or None


def _sentry() -> Iterable[Finding]:
    sentry_sdk: Any = sys.modules.get("sentry_sdk")
    client: Any = None if sentry_sdk is None else sentry_sdk.get_client()
    if client is None or not client.is_active():
        return
    integrations: dict[str, Any] = getattr(client, "integrations", None) or {}
    ours: Any = sys.modules.get("claudescope.sentry.integration")
    if "anthropic" in integrations and (ours is None or not ours.is_active()):
        yield wrong(
            "sentry",
            "Sentry's AnthropicIntegration is on without claudescope's: failures that the app handled are reported as "
            "unhandled, and the same error makes many issues",
            "Add claudescope.sentry.ClaudeErrorsIntegration() to the integrations of sentry_sdk.init",
        )


def _current_baggage() -> Iterable[Finding]:
    names = sorted(baggage.get_all())
    if names:
        yield wrong(
            "baggage",
            f"OpenTelemetry's baggage holds {', '.join(names)}, which the SDK sends to the API",
            "Keep such data out of baggage: claudescope.workflow names work without it",
        )


def _faults() -> Iterable[Finding]:
    counts = {name: count for name, count in internal_errors.counts().items() if count}
    if counts:
        yield note(
            "faults",
            "claudescope has had faults of its own: "
            + ", ".join(f"{count} in {name}" for name, count in sorted(counts.items())),
            "Set the logger claudescope to DEBUG, and report what it says",
        )
