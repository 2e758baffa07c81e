"""The forms in which apps pass on the text of a failed call, and the ways in which it gets into events."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import sentry_sdk

from tests.sentry.failures import AppError

__all__ = ["FORMS", "WAYS", "Form", "Way", "from_processor", "later"]

_log = logging.getLogger("app")

Form = Callable[[Any], str]
Way = Callable[[Any, str, str], None]
"""Reports an exception and a text of it, in a function that has a prompt."""


def _body(caught: Any) -> Any:
    """The body of an API error; of another exception its text."""
    body: Any = getattr(caught, "body", None)
    return str(caught) if body is None else body


def _message(caught: Any) -> str:
    body = _body(caught)
    return str(body["error"]["message"]) if isinstance(body, dict) and "error" in body else f"{body}"


FORMS: dict[str, Form] = {
    "str": str,
    "repr": repr,
    "message": lambda caught: str(getattr(caught, "message", caught)),
    "body_message": _message,
    "cut": lambda caught: str(caught)[:190],
    "end": lambda caught: str(caught)[-60:],
    "response_text": lambda caught: caught.response.text if hasattr(caught, "response") else str(caught),
    "body": lambda caught: f"{_body(caught)}",
    "json": lambda caught: json.dumps(_body(caught)),
    "json_twice": lambda caught: json.dumps(json.dumps(_body(caught))),
    "one_line": lambda caught: " ".join(_message(caught).split()),
    "lower": lambda caught: str(caught).lower(),
    "upper": lambda caught: str(caught).upper(),
    "elided": lambda caught: _message(caught)[:12] + "…" + _message(caught)[40:],
}


def _wrapped(caught: Any, text: str, _prompt: str) -> None:
    try:
        raise AppError(text) from caught  # noqa: TRY301 - as apps do
    except AppError as wrapped:
        sentry_sdk.capture_exception(wrapped)


def _from_none(caught: Any, text: str, _prompt: str) -> None:
    try:
        try:
            raise caught  # noqa: TRY301 - as apps do
        except Exception:  # noqa: BLE001 - whatever ended the call
            raise AppError(text) from None
    except AppError as wrapped:
        sentry_sdk.capture_exception(wrapped)


def _bug_in_handler(caught: Any, text: str, prompt: str) -> None:
    try:
        try:
            raise caught  # noqa: TRY301 - as apps do
        except Exception:  # noqa: BLE001 - whatever ended the call
            _log.info(prompt, 1 / len(text[:0]))
    except ZeroDivisionError as bug:
        sentry_sdk.capture_exception(bug)


def _interrupted(caught: Any, text: str, prompt: str) -> None:
    try:
        try:
            raise caught  # noqa: TRY301 - as apps do
        except Exception:  # noqa: BLE001 - whatever ended the call
            raise KeyboardInterrupt(text, len(prompt))  # noqa: B904 - as Ctrl-C does it
    except KeyboardInterrupt as stopped:
        sentry_sdk.capture_exception(stopped)


def _breadcrumb(caught: Any, text: str, _prompt: str) -> None:
    _log.warning("claude: %s", text)
    sentry_sdk.capture_exception(caught)


def later(caught: Any, text: str, _prompt: str) -> None:
    """Report the text when the exception is no longer being handled."""
    assert caught
    _log.warning("claude: %s", text)
    sentry_sdk.capture_message(f"later: {text}")
    sentry_sdk.capture_exception(AppError(text))


def _extra(caught: Any, text: str, _prompt: str) -> None:
    _log.error("claude failed", exc_info=caught, extra={"detail": {"deep": [text]}, "error": caught})


def _context(caught: Any, text: str, _prompt: str) -> None:
    sentry_sdk.get_isolation_scope().set_context("llm", {"error": text})
    sentry_sdk.get_isolation_scope().set_tag("text", text)
    sentry_sdk.capture_exception(caught)


def from_processor(caught: Any, text: str, prompt: str) -> None:
    """Report with a scope whose processor adds what frameworks add: the request, the command line, a job."""

    def add(event: Any, _hint: Any) -> Any:
        event.setdefault("extra", {}).update(error=text)
        event["request"] = {"url": f"http://app/chat?q={prompt}", "data": {"prompt": prompt}, "query_string": prompt}
        event["extra"]["sys.argv"] = ["ask.py", prompt]
        event["extra"]["celery-job"] = {"task_name": "ask", "args": [prompt], "kwargs": {"prompt": prompt}}
        return event

    with sentry_sdk.new_scope() as scope:
        scope.add_event_processor(add)
        sentry_sdk.capture_exception(caught)


def _message_in_handler(caught: Any, text: str, prompt: str) -> None:
    try:
        raise caught  # noqa: TRY301 - as apps do
    except Exception:  # noqa: BLE001 - whatever ended the call
        sentry_sdk.capture_message("the cache is down too")
        _log.error("failed: %s", text)
        assert prompt


def _note(caught: Any, text: str, _prompt: str) -> None:
    if sys.version_info >= (3, 11):
        caught.add_note(text)
    sentry_sdk.capture_exception(caught)


WAYS: tuple[Way, ...] = (
    *(_wrapped, _from_none, _bug_in_handler, _interrupted, _breadcrumb, later),
    *(_extra, _context, from_processor, _message_in_handler, _note),
)
