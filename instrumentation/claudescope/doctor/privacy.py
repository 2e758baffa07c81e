"""Checks what leaves the process: prompts and completions, and OpenTelemetry's baggage."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final, get_args

from claudescope.content.options import ENVIRONMENT, ContentMode, mode_of
from claudescope.doctor.finding import Finding, error, ok, warning

__all__ = ["check_privacy"]

_SDK_CONTENT: Final = "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE"
_SDK_PROPAGATION: Final = "ANTHROPIC_OPEN_TELEMETRY_PROPAGATION"
_PROPAGATORS: Final = "OTEL_PROPAGATORS"


def check_privacy() -> list[Finding]:
    """Check what leaves the process by the environment's settings."""
    return [*_content(), _baggage()]


def _content() -> Iterable[Finding]:
    value = os.environ.get(ENVIRONMENT, "")
    mode = mode_of(value)
    by_sdk = os.environ.get(_SDK_CONTENT, "").strip().lower() == "content"
    if mode is None:
        yield error(
            "content",
            f"{ENVIRONMENT}={value}: unknown value, so no content is recorded",
            f"Set it to one of {', '.join(get_args(ContentMode))}",
        )
    elif mode == "NO_CONTENT" and not by_sdk:
        yield ok("content", "no prompts and no completions are recorded")
    elif mode != "NO_CONTENT" and by_sdk:
        yield error(
            "content",
            f"{ENVIRONMENT}={value} and {_SDK_CONTENT}=content: the SDK writes prompts to its spans without "
            "claudescope's redaction",
            f"Unset {_SDK_CONTENT}",
        )
    elif by_sdk:
        yield warning(
            "content",
            f"{_SDK_CONTENT}=content: the SDK writes prompts and completions to its spans without redaction",
            f"Unset {_SDK_CONTENT}, or replace it by {ENVIRONMENT}=SPAN_ONLY, which claudescope can redact",
        )
    else:
        yield warning(
            "content",
            f"{ENVIRONMENT}={value}: prompts and completions are recorded ({mode})",
            f"Unset {ENVIRONMENT} to record none, or redact them with claudescope.Content(redact=…)",
        )


def _baggage() -> Finding:
    if os.environ.get(_SDK_PROPAGATION, "").strip().lower() == "false":
        return ok("baggage", "the SDK sends neither trace context nor baggage to the API")
    configured = os.environ.get(_PROPAGATORS, "").strip()
    propagators = {name.strip().lower() for name in (configured or "tracecontext,baggage").split(",")}
    if "baggage" not in propagators:
        return ok("baggage", "no baggage is sent to the API")
    fix = (
        f"Set {_SDK_PROPAGATION}=false to send no trace headers to the API (your services still get them), "
        f"or set {_PROPAGATORS}=tracecontext"
    )
    if configured:
        return error(
            "baggage",
            f"{_PROPAGATORS}={configured}: everything in OpenTelemetry's baggage, such as a user or a tenant, is "
            "sent to the API with every request",
            fix,
        )
    return warning(
        "baggage",
        "OpenTelemetry's default propagators send baggage to the API with every request. This only matters if the app "
        "sets baggage",
        fix,
    )
