"""The API's errors: statuses, bodies and headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from claudescope.simulator.randomness import Randomness
from claudescope.simulator.scenario import InjectedError

__all__ = ["RATE_LIMIT_ADVICE", "ApiError", "api_error_of", "no_such_method", "no_such_path", "retry_after_header"]


@dataclass
class ApiError(Exception):
    """An error response.

    Attributes:
        status: HTTP status.
        type: The body's `error.type`.
        message: The body's `error.message`.
        error_code: The body's `error.details.error_code`; None where it has none.
        retry_after: Seconds for the header `retry-after`; None or 0 omits the header.
        exhausted: The rate limit that is used up; None where the error has another reason.
    """

    status: int
    type: str
    message: str
    error_code: str | None = None
    retry_after: float | None = None
    exhausted: str | None = None

    def error(self) -> dict[str, Any]:
        """The inner object of the body."""
        error: dict[str, Any] = {"type": self.type, "message": self.message}
        if self.error_code is not None:
            error["details"] = {"error_code": self.error_code}
        return error

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON body."""
        return {"type": "error", "error": self.error(), "request_id": request_id}


def retry_after_header(seconds: float) -> str:
    """Format the header's value. It is whole seconds, as the API sends, unless a scenario asks for a fraction."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def no_such_path() -> ApiError:
    """Make the 404 for a path that the API doesn't have."""
    return ApiError(404, "not_found_error", "Not Found")


def no_such_method() -> ApiError:
    """Make the 405 for a method that a path doesn't support."""
    return ApiError(405, "invalid_request_error", "Method Not Allowed")


RATE_LIMIT_ADVICE = (
    "For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers for current "
    "usage. Please reduce the prompt length or the maximum tokens requested, or try again later."
)


def _spend_limit(status: int) -> ApiError:
    if status == 402:
        return ApiError(
            402,
            "billing_error",
            "The linked organization has reached its spend limit.",
            "linked_organization_spend_limit_reached",
        )
    if status == 400:
        return ApiError(
            400,
            "invalid_request_error",
            "You have reached your specified API usage limits. You will regain access on 2030-01-01 at 00:00 UTC.",
        )
    return ApiError(
        429, "rate_limit_error", "Your organization has reached its spend limit.", "enforced_spend_limit_reached"
    )


def _plain_errors(model: str) -> dict[str, ApiError]:
    return {
        "ramp_limit_error": ApiError(
            429,
            "rate_limit_error",
            "This request would exceed your organization's maximum usage increase rate. Please scale up your usage "
            "more gradually.",
            "ramp_limit_exceeded",
        ),
        "overloaded_error": ApiError(529, "overloaded_error", "Overloaded"),
        "authentication_error": ApiError(401, "authentication_error", "invalid x-api-key"),
        "permission_error": ApiError(
            403, "permission_error", "Your API key does not have permission to use the specified resource."
        ),
        "billing_error": ApiError(
            402,
            "billing_error",
            "There is an issue with your organization's billing or payment information. Please check Plans & Billing.",
        ),
        "not_found_error": ApiError(404, "not_found_error", f"model: {model}"),
        "request_too_large": ApiError(413, "request_too_large", "Request exceeds the maximum size"),
        "content_policy_error": ApiError(400, "invalid_request_error", "Output blocked by content filtering policy"),
    }


_STATUS_MESSAGES = {
    ("api_error", 500): ("api_error", "Internal server error"),
    ("api_error", 502): ("api_error", "Bad gateway"),
    ("api_error", 503): ("api_error", "Service unavailable"),
    ("timeout_error", 408): ("timeout_error", "Request timeout"),
    ("timeout_error", 504): ("timeout_error", "Request timed out"),
    ("invalid_request_error", 400): (
        "invalid_request_error",
        'messages: roles must alternate between "user" and "assistant"',
    ),
    ("invalid_request_error", 409): ("invalid_request_error", "Conflict"),
    ("invalid_request_error", 422): ("invalid_request_error", "Unprocessable entity"),
}


def api_error_of(injected: InjectedError, model: str, randomness: Randomness) -> ApiError:
    """Make the error response of an injected error.

    Args:
        injected: An injected error that has a status.
        model: The requested model, for the message.
        randomness: The random numbers of the request.
    """
    status = injected.status or 500
    if injected.type == "rate_limit_error":
        seconds = (
            injected.retry_after
            if injected.retry_after is not None
            else float(randomness.rng("retry_after").randint(1, 5))
        )
        error = ApiError(
            429,
            "rate_limit_error",
            f"This request would exceed your organization's rate limit of input tokens per minute (model: {model}). "
            + RATE_LIMIT_ADVICE,
            retry_after=seconds,
            exhausted="input-tokens",
        )
    elif injected.type == "spend_limit_error":
        error = _spend_limit(status)
    elif (injected.type, status) in _STATUS_MESSAGES:
        error = ApiError(status, *_STATUS_MESSAGES[injected.type, status])
    else:
        error = _plain_errors(model)[injected.type]
    if injected.retry_after is not None:
        error.retry_after = injected.retry_after
    if injected.message is not None:
        error.message = injected.message
    return error
