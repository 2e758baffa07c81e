"""Problem documents of RFC 9457 for failed Claude calls: one documented format for the consumers of an app."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from claudescope._internal.exceptions import BadInputError, did_you_mean
from claudescope.schema.classify import classify
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.web.correlation import correlation_id
from claudescope.web.failures import failure_of, request_id_of, retry_after_of
from claudescope.web.messages import Messages, user_message

__all__ = ["MEDIA_TYPE", "STATUSES", "Include", "Options", "Problem", "json_schema", "problem"]

MEDIA_TYPE: Final = "application/problem+json"

TYPES: Final = "https://claudescope.readthedocs.io/en/stable/reference/errors/"
"""The page that describes the error types. A problem's `type` is this address and the error type as its fragment."""

Include = Literal["provider_request_id", "provider_message"]
"""What a problem document tells only where the app asks for it."""

STATUSES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "rate_limit_error": 503,
        "ramp_limit_error": 503,
        "spend_limit_error": 503,
        "overloaded_error": 503,
        "api_error": 502,
        "timeout_error": 504,
        "client_timeout_error": 504,
        "connection_error": 502,
        "pool_timeout_error": 503,
        "stream_interrupted_error": 502,
        "authentication_error": 503,
        "permission_error": 503,
        "billing_error": 503,
        "not_found_error": 500,
        "request_too_large": 413,
        "content_policy_error": 422,
        "invalid_request_error": 500,
        "response_validation_error": 502,
        "circuit_open_error": 503,
        "unknown_error": 500,
    }
)
"""The status that a consumer gets for each error type, by default.

The app's own 429 is not the consumer's: it is a 503, as the consumer may have sent one request only. Neither are the
app's credentials. A request that the app built wrongly is a 500.
"""

_TITLES: Final[Mapping[int, str]] = MappingProxyType(
    {
        413: "Request too large",
        422: "Request not accepted",
        429: "Too many requests",
        500: "Internal error",
        502: "Assistant failed",
        503: "Assistant unavailable",
        504: "Assistant timed out",
    }
)
_DEFAULT_TITLE: Final = "Assistant failed"
_LONGEST_WAIT: Final = 7 * 86400


@dataclass(frozen=True, slots=True)
class Options:
    """How problems are made.

    Attributes:
        status: Statuses of your own by error type, such as `{"rate_limit_error": 429}`; others stay as in `STATUSES`.
        types: The address of the page of error types, which `type` is made of. A page of your own may replace it.
        locale: The language of `detail`; None to take the one that the request asks for in `Accept-Language`.
        messages: Texts of your own, from `Messages.load`.
        include: What else to tell: `provider_request_id`, the API's id of the failed request, and `provider_message`,
            the API's text, which may quote the prompt. Nothing by default.

    Raises:
        BadInputError: A status, an error type or an entry of `include` is not one.
    """

    status: Mapping[str, int] = field(default_factory=dict[str, int])
    types: str = TYPES
    locale: str | None = None
    messages: Messages | None = None
    include: frozenset[Include] = frozenset()

    def __post_init__(self) -> None:
        for name, status in self.status.items():
            if name not in ERROR_TYPES:
                raise BadInputError(f"status: {name!r} is no error type.{did_you_mean(name, ERROR_TYPES)}")
            if isinstance(status, bool) or not isinstance(status, int) or not 400 <= status <= 599:
                raise BadInputError(f"status: {name} has {status!r}; expected a status from 400 to 599")
        unknown = sorted(set(self.include) - set(get_args(Include)))
        if unknown:
            expected = ", ".join(get_args(Include))
            raise BadInputError(f"include: {unknown[0]!r} is not known; expected {expected}")
        if not self.types.startswith(("https://", "http://", "/")):
            raise BadInputError(f"types: {self.types!r} is no address; expected one that starts with https://")


_DEFAULTS: Final = Options()


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem document.

    Attributes:
        type: The address of the page that describes the error type.
        title: What happened, in two or three words; the same for every problem of a status.
        status: The HTTP status.
        detail: What to tell a person.
        error_code: The error type, a name of `ERROR_TYPES`.
        instance: The path of the request that failed; None where it is not known.
        retry_after: Seconds after which another try may succeed; None where that is not known.
        correlation_id: The id of the request that failed; None where it is not known.
        provider_request_id: The API's id of the failed request; None unless asked for.
        provider_message: The API's text; None unless asked for.
    """

    type: str
    title: str
    status: int
    detail: str
    error_code: str
    instance: str | None = None
    retry_after: int | None = None
    correlation_id: str | None = None
    provider_request_id: str | None = None
    provider_message: str | None = None

    def body(self) -> dict[str, Any]:
        """The document, ready for JSON, without what is not known."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value is not None}

    def headers(self) -> dict[str, str]:
        """The headers that go with it: `Content-Type`, and `Retry-After` where that is known."""
        headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"}
        return headers if self.retry_after is None else {**headers, "Retry-After": str(self.retry_after)}


def problem(
    error: BaseException,
    options: Options = _DEFAULTS,
    *,
    instance: str | None = None,
    locale: str | None = None,
) -> Problem:
    """The problem document of a failed call, for frameworks that `install` does not know.

    Args:
        error: The exception.
        options: How problems are made.
        instance: The path of the request that failed.
        locale: The value of `Accept-Language`; the options' locale is preferred.

    Returns:
        The document. It holds no text of the API, no key and no name of a model, unless the options ask for the text.
    """
    failure = failure_of(error) or error
    error_type = classify(failure)
    wait = retry_after_of(failure)
    after = math.ceil(min(wait, _LONGEST_WAIT)) if wait is not None and _may_wait(error_type.retry) else None
    status = options.status.get(error_type.name, STATUSES[error_type.name])
    message: object = getattr(failure, "message", None)
    return Problem(
        type=f"{options.types}#{error_type.name}",
        title=_TITLES.get(status, _DEFAULT_TITLE),
        status=status,
        detail=user_message(
            error_type.name, locale=options.locale or locale, retry_after=after, messages=options.messages
        ),
        error_code=error_type.name,
        instance=instance,
        retry_after=after,
        correlation_id=correlation_id(),
        provider_request_id=request_id_of(failure) if "provider_request_id" in options.include else None,
        provider_message=str(message) if "provider_message" in options.include and message is not None else None,
    )


def _may_wait(retry: str) -> bool:
    return retry not in {"never", "by_app"}


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a problem document."""
    text = {"type": "string", "minLength": 1}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Problem",
        "description": "A failed Claude call, as RFC 9457 describes problems.",
        "type": "object",
        "required": ["type", "title", "status", "detail", "error_code"],
        "properties": {
            "type": {**text, "format": "uri-reference", "description": "The page that describes the error type."},
            "title": {**text, "description": "What happened, in two or three words."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
            "detail": {**text, "description": "What to tell a person."},
            "error_code": {"enum": list(ERROR_TYPES), "description": "The error type."},
            "instance": {**text, "description": "The path of the request that failed."},
            "retry_after": {
                "type": "integer",
                "minimum": 0,
                "description": "Seconds after which another try may succeed.",
            },
            "correlation_id": {**text, "description": "The id of the request that failed, for support."},
            "provider_request_id": {**text, "description": "The API's id of the failed request."},
            "provider_message": {"type": "string", "description": "The API's text."},
        },
        "additionalProperties": False,
    }
