"""What would leave: prompts and completions, and what OpenTelemetry's baggage holds."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final, get_args

from claudescope.content.options import ENVIRONMENT, ContentMode, mode_of
from claudescope.doctor.finding import Finding, note, ok, wrong

__all__ = ["check_privacy"]

_SDK_CONTENT: Final = "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE"
_SDK_PROPAGATION: Final = "ANTHROPIC_OPEN_TELEMETRY_PROPAGATION"
_PROPAGATORS: Final = "OTEL_PROPAGATORS"


def check_privacy() -> list[Finding]:
    """Look at what the environment lets out."""
    return [*_content(), _baggage()]


def _content() -> Iterable[Finding]:
    value = os.environ.get(ENVIRONMENT, "")
    mode = mode_of(value)
    by_sdk = os.environ.get(_SDK_CONTENT, "").strip().lower() == "content"
    if mode is None:
        yield wrong(
            "content",
            f"{ENVIRONMENT}={value}: no instrumentation knows this value, and no content is recorded",
            f"Set it to one of {', '.join(get_args(ContentMode))}",
        )
    elif mode == "NO_CONTENT" and not by_sdk:
        yield ok("content", "no prompt and no completion is recorded")
    elif mode != "NO_CONTENT" and by_sdk:
        yield wrong(
            "content",
            f"{ENVIRONMENT}={value} and {_SDK_CONTENT}=content: the SDK writes prompts to its spans as they are, past "
            "claudescope's redaction",
            f"Unset {_SDK_CONTENT}",
        )
    elif by_sdk:
        yield note(
            "content",
            f"{_SDK_CONTENT}=content: the SDK writes prompts and completions to its spans, not redacted",
            f"Unset {_SDK_CONTENT}, or set {ENVIRONMENT}=SPAN_ONLY in its place, which claudescope can redact",
        )
    else:
        yield note(
            "content",
            f"{ENVIRONMENT}={value}: prompts and completions are recorded ({mode})",
            f"Unset {ENVIRONMENT} to record none; claudescope.Content(redact=…) redacts them",
        )


def _baggage() -> Finding:
    if os.environ.get(_SDK_PROPAGATION, "").strip().lower() == "false":
        return ok("baggage", "the SDK sends neither trace context nor baggage to the API")
    named = os.environ.get(_PROPAGATORS, "").strip()
    propagators = {name.strip().lower() for name in (named or "tracecontext,baggage").split(",")}
    if "baggage" not in propagators:
        return ok("baggage", "no baggage is sent to the API")
    fix = (
        f"Set {_SDK_PROPAGATION}=false to send the API neither (your own services still get both), or "
        f"{_PROPAGATORS}=tracecontext"
    )
    if named:
        return wrong(
            "baggage",
            f"{_PROPAGATORS}={named}: what the app puts into OpenTelemetry's baggage, such as a user or a tenant, is "
            "sent to the API with every request",
            fix,
        )
    return note(
        "baggage",
        "OpenTelemetry's default propagators send baggage to the API with every request; an app that puts none in "
        "sends none",
        fix,
    )
