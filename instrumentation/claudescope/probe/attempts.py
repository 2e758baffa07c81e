"""The HTTP requests of one call, as the hooks see them succeed and fail."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final, NamedTuple

from claudescope._internal import internal_errors
from claudescope.probe.headers import HeaderFacts, RateLimits, read_headers
from claudescope.schema.classify import classify, classify_response
from claudescope.schema.record import Attempt, draft_of

__all__ = ["Attempts", "Place", "error_type_of"]

_DraftAttempt: Final = draft_of(Attempt)
# Before 1.12.1 the SDK tells an error inside of a Bedrock stream by nothing else than this message.
_BEDROCK_ERROR: Final = re.compile(r"Bad response code, expected 200: \{.*?':exception-type': '(\w{1,80})'")
_BROKEN: Final = frozenset({"connection_error", "stream_interrupted_error"})


def error_type_of(error: BaseException, *, streaming: bool) -> str:
    """The error type of an exception that ended an attempt or a call.

    A connection that breaks while its stream is read is a `stream_interrupted_error`, any other a `connection_error`.

    Args:
        error: The exception. Never raises: it may be any third-party exception.
        streaming: Whether the app was reading the response.
    """
    try:
        name: str = classify(error).name
        if name == "unknown_error" and streaming and isinstance(error, ValueError):
            frame = _BEDROCK_ERROR.match(str(error))
            name = classify_response(200, {"type": frame[1]}).name if frame else name
    except Exception:  # noqa: BLE001 - an attribute of a third-party exception may raise anything
        internal_errors.record("probe")
        return "unknown_error"
    if name in _BROKEN:
        return "stream_interrupted_error" if streaming else "connection_error"
    return name


class Place(NamedTuple):
    """Where a policy sends an attempt.

    Attributes:
        target: The name of the target.
        provider: Its platform.
        model: The model, by the name that the target knows it under.
        server_address: Its host name.
    """

    target: str
    provider: str
    model: str | None
    server_address: str


class Attempts:
    """The attempts so far, and the rate limits that the last response reported.

    Attributes:
        rate_limits: The limits of the last response that had any; None where none had.
        place: Where a policy sends the attempt that runs now; None without a policy.
    """

    # On the class, as most stay as they are: every call has one of these.
    rate_limits: RateLimits | None = None
    place: Place | None = None
    _done: tuple[Attempt, ...] = ()
    _succeeded: bool = False
    _gave_up: bool = False
    _replaced: Any = None  # a failed response, until it is known whether the call goes on

    def __bool__(self) -> bool:
        return bool(self._done)

    def replaced(self, response: Any) -> None:
        """Note a failed response that a middleware has. An attempt, where it asks again instead of passing it on."""
        self._settle()
        self._replaced = response

    def _settle(self, response: Any = None) -> None:
        """Count the failed response that a middleware has not passed on. `response` is the one that it has."""
        replaced, self._replaced = self._replaced, None
        if replaced is not None and replaced is not response:
            self._done += (self._failed(replaced, None, 0.0),)

    def retried(self, response: Any, error: BaseException | None, delay: float) -> Attempt:
        """Note an attempt that another follows.

        Args:
            response: Its response; None where an exception failed it.
            error: The exception then.
            delay: Seconds slept after it.
        """
        self._settle(response)
        attempt = self._failed(response, error if response is None else None, delay)
        self._done += (attempt,)
        return attempt

    def reopened(self, error_type: str, delay: float) -> Attempt:
        """Note that the stream of the last attempt failed before its first content, and that another follows.

        Args:
            error_type: Why it failed.
            delay: Seconds slept after it.
        """
        attempt = replace(self._done[-1], error_type=error_type, delay=delay)
        self._done = (*self._done[:-1], attempt)
        self._succeeded = False
        return attempt

    def gave_up(self, response: Any, error: BaseException | None) -> None:
        """Note an attempt that no other follows: the app stopped the call while it waited to try again."""
        self._settle(response)
        self._done += (self._failed(response, error if response is None else None, 0.0),)
        self._gave_up = True

    def succeeded(self, response: Any) -> None:
        """Note an attempt whose response has a status of success."""
        if self._replaced is not None:
            self._settle()
        headers = self._headers(response)
        place = self.place
        if place is None:
            attempt = _DraftAttempt(None, response.status_code, None, 0.0, headers.request_id)
        else:
            attempt = _DraftAttempt(None, response.status_code, None, 0.0, headers.request_id, *place)
        attempt.__class__ = Attempt
        self._done += (attempt,)
        self._succeeded = True

    def ended(self, error_type: str | None, error: BaseException | None, *, streaming: bool) -> tuple[Attempt, ...]:
        """All attempts of a call that ends.

        Args:
            error_type: The error type of the call; None unless it ends in an error.
            error: The exception that it raised, if any. No hook has seen the attempt that it ended.
            streaming: Whether the app read its response.
        """
        passed_on = False
        if self._replaced is not None:
            response = None if error is None else _attribute(error, "response")
            passed_on = self._replaced is response
            self._settle(response)
        done = self._done
        if self._succeeded and not passed_on:
            if streaming and error_type is not None:
                return (*done[:-1], replace(done[-1], error_type=error_type))
            return done
        last = None if error is None or self._gave_up else self._unseen(error, error_type)
        return done if last is None else (*done, last)

    def _unseen(self, error: BaseException, error_type: str | None) -> Attempt | None:
        """The attempt that `error` ended; None where it failed before a request was sent, as for a missing key."""
        if _attribute(error, "claudescope_not_sent"):
            return None  # a policy raises it in place of a request
        response = _attribute(error, "response")
        if response is not None:
            return self._of_response(response, error_type or "unknown_error")
        if not isinstance(error, Exception):
            return self._at_place(Attempt())  # the app stopped it while it waited
        return None if _attribute(error, "request") is None else self._at_place(Attempt(error_type))

    def _at_place(self, attempt: Attempt) -> Attempt:
        place = self.place
        return attempt if place is None else replace(attempt, **place._asdict())

    def _failed(self, response: Any, error: BaseException | None, delay: float) -> Attempt:
        if error is not None:
            return self._at_place(Attempt(error_type_of(error, streaming=False), delay=delay))
        if response is None:
            return self._at_place(Attempt("unknown_error", delay=delay))
        return self._of_response(response, classify_response(response.status_code, _body(response)).name, delay)

    def _of_response(self, response: Any, error_type: str, delay: float = 0.0) -> Attempt:
        headers = self._headers(response)
        attempt = Attempt(error_type, response.status_code, headers.retry_after, delay, headers.request_id)
        return self._at_place(attempt)

    def _headers(self, response: Any) -> HeaderFacts:
        headers = read_headers(response.headers.raw)
        if headers.rate_limits is not None:
            self.rate_limits = headers.rate_limits
        return headers


def _attribute(error: BaseException, name: str) -> Any:
    """An attribute of an exception; None where it is missing or, as httpx does for `request`, refuses to be read."""
    try:
        return getattr(error, name, None)
    except Exception:  # noqa: BLE001 - of a third-party exception
        return None


def _body(response: Any) -> object:
    """The body of a failed response, where the SDK has read it; None where it was closed unread."""
    try:
        return response.content
    except Exception:  # noqa: BLE001 - httpx raises ResponseNotRead, a mock raises anything
        return None
