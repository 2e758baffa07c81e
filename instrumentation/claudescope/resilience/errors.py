"""The exceptions that a policy raises where it sends nothing, or where a stream ends too early.

    anthropic.APIConnectionError
        CircuitOpenError        every circuit is open
        ThrottledError          a rate limit is used up, or the client-side throttle rejects the call
        StreamTruncatedError    the stream ended before `message_stop`
        anthropic.APITimeoutError
            DeadlineError       the deadline of the call has passed
            QueueTimeoutError   the call waited too long for its turn
            StreamTimeoutError  a stream brought nothing for too long, or the deadline passed while it was read
    anthropic.BadRequestError
        BudgetError             the budget is spent, or the call may cost more than its limit
        InvalidRequestError     a check before sending rejected the request

Each is one of the SDK's own too, so that `except anthropic.APIError` goes on working. Where a request was sent, the app
gets the SDK's error of the last one instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import anthropic

from claudescope.probe.sdk import library_of_class
from claudescope.schema.record import RejectedReason

__all__ = [
    "BudgetError",
    "CircuitOpenError",
    "DeadlineError",
    "InvalidRequestError",
    "QueueTimeoutError",
    "StreamResetEvent",
    "StreamTimeoutError",
    "StreamTruncatedError",
    "ThrottledError",
    "partial_message",
    "rejection",
]

_URL = "https://api.anthropic.com/v1/messages"


def _http() -> Any:
    """The HTTP library of the installed SDK: `httpx` before 1.0, `httpx2` since."""
    return library_of_class(anthropic.DefaultHttpxClient)


class _Unsent:
    """What the errors of calls that were not sent share.

    Attributes:
        reason: Why the call was not sent, a value of `claude.rejected.reason`.
        retry_after: Seconds after which another call may succeed; None where that is not known.
        claudescope_error_type: The error type, for `claudescope.classify`.
    """

    reason: RejectedReason
    claudescope_error_type: str
    claudescope_not_sent: ClassVar[bool] = True
    retry_after: float | None = None

    def __reduce__(self) -> Any:
        return _restored, (type(self), str(self), self.retry_after, self.claudescope_error_type)


def _restored(made: type[Any], message: str, retry_after: float | None, error_type: str) -> Any:
    return made(message, retry_after=retry_after, error_type=error_type)


class _Connection(_Unsent, anthropic.APIConnectionError):
    def __init__(
        self, message: str, *, retry_after: float | None = None, error_type: str | None = None, url: str = _URL
    ) -> None:
        anthropic.APIConnectionError.__init__(self, message=message, request=_http().Request("POST", url))
        self.retry_after = retry_after
        self.claudescope_error_type = error_type or type(self).claudescope_error_type


class _Timeout(_Unsent, anthropic.APITimeoutError):
    def __init__(
        self, message: str, *, retry_after: float | None = None, error_type: str | None = None, url: str = _URL
    ) -> None:
        request = _http().Request("POST", url)
        # The SDK's own constructor takes no message.
        anthropic.APIConnectionError.__init__(self, message=message, request=request)
        self.retry_after = retry_after
        self.claudescope_error_type = error_type or type(self).claudescope_error_type


class _Request(_Unsent, anthropic.BadRequestError):
    def __init__(
        self, message: str, *, retry_after: float | None = None, error_type: str | None = None, url: str = _URL
    ) -> None:
        http = _http()
        response = http.Response(400, request=http.Request("POST", url), content=b"")
        body = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
        anthropic.BadRequestError.__init__(self, message, response=response, body=body)
        self.retry_after = retry_after
        self.claudescope_error_type = error_type or type(self).claudescope_error_type


class CircuitOpenError(_Connection):
    """Every target that can serve the call has an open circuit."""

    reason: RejectedReason = "circuit_open"
    claudescope_error_type: str = "circuit_open_error"


class ThrottledError(_Connection):
    """A rate limit is used up, or the client-side throttle rejects the call."""

    reason: RejectedReason = "throttled"
    claudescope_error_type: str = "rate_limit_error"


class DeadlineError(_Timeout):
    """The deadline of the call has passed, or the next step would pass it."""

    reason: RejectedReason = "deadline"
    claudescope_error_type: str = "client_timeout_error"


class QueueTimeoutError(_Timeout):
    """The call waited too long for its turn."""

    reason: RejectedReason = "queue_timeout"
    claudescope_error_type: str = "pool_timeout_error"


class BudgetError(_Request):
    """The budget is spent, or the call may cost more than its limit. Nothing is sent, and nothing is billed."""

    reason: RejectedReason = "budget"
    claudescope_error_type: str = "spend_limit_error"


class InvalidRequestError(_Request):
    """A check before sending rejected the request. Nothing is sent, and nothing is billed."""

    reason: RejectedReason = "invalid"
    claudescope_error_type: str = "invalid_request_error"


class StreamTruncatedError(anthropic.APIConnectionError):
    """The stream ended before `message_stop`. Without a policy, the SDK raises nothing."""

    claudescope_error_type: str = "stream_interrupted_error"

    def __init__(self, message: str = "the stream ended before message_stop", *, request: Any = None) -> None:
        super().__init__(message=message, request=request or _http().Request("POST", _URL))

    def __reduce__(self) -> Any:
        return type(self), (str(self),)


class StreamTimeoutError(anthropic.APITimeoutError):
    """A stream brought no content in time, or the deadline of the call passed while it was read."""

    claudescope_error_type: str = "client_timeout_error"

    def __init__(self, message: str = "the stream brought nothing in time", *, request: Any = None) -> None:
        made = request or _http().Request("POST", _URL)
        # The SDK's own constructor takes no message.
        anthropic.APIConnectionError.__init__(self, message=message, request=made)

    def __reduce__(self) -> Any:
        return type(self), (str(self),)


@dataclass(frozen=True)
class StreamResetEvent:
    """An event of a stream helper under `stream: restart`: forget what came, the answer starts again.

    Attributes:
        partial: What came of the answer, a `Message`; None before its start.
        error_type: Why it broke, a name of `ERROR_TYPES`.
        attempt: The number of the answer that follows, from 2.
        type: `claudescope.reset`, to tell it from the SDK's events.
    """

    partial: anthropic.types.Message | None
    error_type: str
    attempt: int
    type: str = "claudescope.reset"


def partial_message(error: BaseException) -> anthropic.types.Message | None:
    """What came of the answer of a stream that raised `error`, under a policy with the key `stream`.

    Args:
        error: What reading the stream raised, or an exception raised from it.

    Returns:
        The message, without what is not whole, such as the input of a tool that was cut; None where there is none.
    """
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        found = getattr(at, "claudescope_partial", None)
        if found is not None:
            return cast("anthropic.types.Message", found)
        seen.add(id(at))
        at = at.__cause__ or at.__context__
    return None


_BY_REASON: dict[RejectedReason, type[_Connection | _Timeout | _Request]] = {
    "circuit_open": CircuitOpenError,
    "deadline": DeadlineError,
    "queue_timeout": QueueTimeoutError,
    "budget": BudgetError,
    "throttled": ThrottledError,
    "invalid": InvalidRequestError,
}


def rejection(
    reason: RejectedReason, message: str, *, retry_after: float | None = None, error_type: str | None = None
) -> _Connection | _Timeout | _Request:
    """The exception of a call that is not sent.

    Args:
        reason: Why.
        message: What the policy decided, in one sentence.
        retry_after: Seconds after which another call may succeed; None where that is not known.
        error_type: The error type; None for the usual one of the reason.
    """
    return _BY_REASON[reason](message, retry_after=retry_after, error_type=error_type)
