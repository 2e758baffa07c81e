"""Calls that fail, the ways in which apps report them, and what they fail with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import anthropic
import sentry_sdk

from tests.scripted import REQUEST, Answer, ScriptedAPI, error, http

__all__ = ["CALL_SITES", "ERROR_TYPES", "REPORTS", "AppError", "fail", "rate_limit"]

_log = logging.getLogger("app")

ERROR_TYPES: dict[str, Answer] = {
    "rate_limit_error": error(429, "rate_limit_error"),
    "overloaded_error": error(529, "overloaded_error"),
    "api_error": error(500, "api_error"),
    "authentication_error": error(401, "authentication_error"),
    "permission_error": error(403, "permission_error"),
    "not_found_error": error(404, "not_found_error"),
    "request_too_large": error(413, "request_too_large"),
    "invalid_request_error": error(400, "invalid_request_error"),
    "connection_error": Answer(fails=http.ConnectError("refused")),
}
"""Nine kinds, and the answer that gives each."""


class AppError(Exception):
    """What an app raises in place of the SDK's error."""


def rate_limit(text: str = "No") -> Answer:
    """A 429 with a message of its own."""
    return error(429, "rate_limit_error", text, anthropic_ratelimit_requests_limit="50", retry_after="7")


_SCRIPT = ScriptedAPI()
_CLIENT = _SCRIPT.client(max_retries=0)


def fail(answer: Answer) -> anthropic.APIError:
    """The exception that a call ends with when the API gives `answer`. One client makes all, as making one is slow."""
    _SCRIPT._answers[:] = [answer]
    _SCRIPT.requests.clear()
    try:
        _CLIENT.messages.create(**REQUEST)
    except anthropic.APIError as caught:
        return caught
    raise AssertionError("the call did not fail")


def _bare(call: Callable[[], object]) -> None:
    try:
        call()
    except anthropic.APIError as caught:
        sentry_sdk.capture_exception(caught)


def _wrapped(call: Callable[[], object]) -> None:
    try:
        try:
            call()
        except anthropic.APIError as caught:
            raise AppError(f"no summary: {caught}") from caught
    except AppError as caught:
        sentry_sdk.capture_exception(caught)


def _logged(call: Callable[[], object]) -> None:
    try:
        call()
    except anthropic.APIError as caught:
        _log.exception("could not translate: %s", caught)


REPORTS = (_bare, _wrapped, _logged)
"""Three ways in which an app reports a failed call: as it is, wrapped in an error of its own, and logged."""


def _make_call_site(number: int) -> Callable[[anthropic.Anthropic], object]:
    # A function of its own per site, with a name, a file and a line that no other has.
    scope: dict[str, Any] = {}
    source = "\n" * number + f"def site_{number}(client, request):\n    return client.messages.create(**request)\n"
    exec(compile(source, f"app/site_{number}.py", "exec"), scope)  # noqa: S102 - the only way to ten places
    site: Callable[[anthropic.Anthropic, dict[str, Any]], object] = scope[f"site_{number}"]
    return lambda client: site(client, REQUEST)


CALL_SITES = tuple(_make_call_site(number) for number in range(10))
"""Ten places in the app that call the API."""
