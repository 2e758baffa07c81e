"""One id for a consumer's request, its log lines, its trace and its Sentry issue.

It is the consumer's own where it sends one: the trace of `traceparent`, else `X-Request-ID`. Else it is made.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from contextvars import Token
from typing import Any, Final, cast
from uuid import uuid4

from opentelemetry import trace

from claudescope._internal import internal_errors
from claudescope._internal.correlation import CURRENT
from claudescope.schema.attributes import CORRELATION_ID

__all__ = ["RESPONSE_HEADER", "correlation_id", "correlation_id_of", "enter", "leave"]

RESPONSE_HEADER: Final = "X-Request-ID"
"""The header that tells the consumer the id, in every response."""

# Ids that are safe in a header, a log line, a URL and a tag of Sentry, which holds 200 characters.
_ID: Final = re.compile(r"[A-Za-z0-9._~:@/+=-]{1,128}")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_NO_TRACE: Final = "0" * 32


def correlation_id() -> str | None:
    """The id of the request that this code handles; None outside of one.

    Where the app uses asgi-correlation-id without `install`, its id.
    """
    found = CURRENT.get()
    if found is None and (module := sys.modules.get("asgi_correlation_id")) is not None:
        variable: Any = getattr(module, "correlation_id", None)
        found = cast("str | None", variable.get()) if hasattr(variable, "get") else None
    return found


def correlation_id_of(headers: Mapping[str, str]) -> str:
    """The id of a request with these headers. Names are in lower case.

    An id with other characters than letters, digits and `._~:@/+=-`, or with more than 128, is not taken over.
    """
    parent = _TRACEPARENT.fullmatch(headers.get("traceparent", "").strip())
    if parent is not None and parent[1] != _NO_TRACE:
        return parent[1]
    given = headers.get("x-request-id", "").strip()
    if _ID.fullmatch(given):
        return given
    context = trace.get_current_span().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else uuid4().hex


def enter(request_id: str) -> Token[str | None]:
    """Set the id for the code that handles a request, its current span, and Sentry's events. Never raises."""
    token = CURRENT.set(request_id)
    try:
        trace.get_current_span().set_attribute(CORRELATION_ID.name, request_id)
        sentry = sys.modules.get("sentry_sdk")
        if sentry is not None and sentry.is_initialized():
            sentry.get_isolation_scope().set_tag("correlation_id", request_id)
    except Exception:  # noqa: BLE001 - an internal error must not reach the app
        internal_errors.record("web")
    return token


def leave(token: Token[str | None]) -> None:
    """Forget the id that `enter` set."""
    try:
        CURRENT.reset(token)
    except ValueError:  # a generator that another context closes
        CURRENT.set(None)
