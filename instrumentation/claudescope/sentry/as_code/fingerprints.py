"""Generates fingerprint rules for Sentry's *Issue Grouping* settings.

The first rule that matches wins. A pattern is a glob. Matchers of type and value must match the same exception; a
matcher of a stack frame must match any frame of the event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from claudescope.schema.catalogue import TARGET, WORKFLOW
from claudescope.schema.classify import CODES, MESSAGES, STATUSES, TYPES, classify_response
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.sentry.tags import ERROR_TYPE_TAG, FINGERPRINT, MODEL_TAG

__all__ = ["fingerprint_rules"]

_TAGS: Final = {"model": MODEL_TAG, "workflow": WORKFLOW.name, "target": TARGET.name}
_SDK: Final = 'stack.module:"anthropic.*"'
_CLASSES: Final = {
    # Errors without a response. The event also contains the cause, which identifies a full connection pool.
    "PoolTimeout": "pool_timeout_error",
    "APITimeoutError": "client_timeout_error",
    "APIConnectionError": "connection_error",
    "APIResponseValidationError": "response_validation_error",
}
_STATUS_CLASSES: Final = {
    # For a body that is not JSON the SDK's message is the body, and only the class identifies the status.
    "BadRequestError": 400,
    "AuthenticationError": 401,
    "PaymentRequiredError": 402,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "RequestTimeoutError": 408,
    "ConflictError": 409,
    "ContentTooLargeError": 413,
    "RequestTooLargeError": 413,
    "UnprocessableEntityError": 422,
    "RateLimitError": 429,
    "RequestHeaderFieldsTooLargeError": 431,
    "ClientClosedRequestError": 499,
    "InternalServerError": 500,
    "ServiceUnavailableError": 503,
    "DeadlineExceededError": 504,
    "GatewayTimeoutError": 504,
    "OverloadedError": 529,
}
_STATUSES_BEFORE_TYPES: Final = (413, 431)
"""Statuses that are more specific than the type in their bodies."""


def fingerprint_rules(group_by: Sequence[str] = ()) -> str:
    """Generate all rules, as text for Sentry's settings.

    Args:
        group_by: What splits the issue of an error type: any of `model`, `workflow` and `target`. Only events of
            clients with claudescope can be split.
    """
    split = "".join(f', "{{{{ tags.{_TAGS[name]} }}}}"' for name in group_by)
    lines = [
        "# Clients with claudescope: match its tag.",
        *(f'tags.{ERROR_TYPE_TAG}:"{error_type}" -> {FINGERPRINT}, {error_type}{split}' for error_type in ERROR_TYPES),
        "",
        "# Clients without claudescope: match the SDK's message, then the exception's class.",
        *(f"{matchers} {_SDK} -> {FINGERPRINT}, {error_type}" for matchers, error_type in _without_tag()),
    ]
    return "\n".join(lines) + "\n"


def _without_tag() -> Iterator[tuple[str, str]]:
    """Yield matchers and error type, in the order in which `claudescope.schema.classify` decides."""
    for code, error_type in CODES.items():
        yield f"error.value:\"*'error_code': '{code}'*\"", error_type
    for wording, error_type in MESSAGES:
        yield f'error.type:"BadRequestError" error.value:"*{wording}*"', error_type
    for status in _STATUSES_BEFORE_TYPES:
        yield f'error.value:"Error code: {status}*"', STATUSES[status]
    for word, error_type in TYPES.items():
        yield f"error.value:\"*'type': '{word}'*\"", error_type
    yield from ((f'error.type:"{name}"', error_type) for name, error_type in _CLASSES.items())
    for status, error_type in STATUSES.items():
        yield f'error.value:"Error code: {status}*"', error_type
    yield 'error.value:"Error code: 4*"', "invalid_request_error"
    yield 'error.value:"Error code: 5*"', "api_error"
    for name, status in _STATUS_CLASSES.items():
        yield f'error.type:"{name}"', classify_response(status).name
