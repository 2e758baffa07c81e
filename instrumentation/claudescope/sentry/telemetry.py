"""Watches Sentry's logs and streamed spans, which no event processor gets.

They are an item of their own, and `before_send_log` belongs to the app. So the one method of Sentry's client that all
of them go through is wrapped, before `before_send_log` and `before_send_span` run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, cast

import sentry_sdk.client

from claudescope._internal import internal_errors
from claudescope.sentry.payload import Object, as_dict

__all__ = ["strip_content", "unwatch", "watch"]

COMPONENT: Final = "sentry"

_METHODS: Final = ("_capture_telemetry", "_capture_log")
"""The method since sentry-sdk 2.5x, and the one before. Older versions have neither, and no logs."""

_ORIGIN: Final = "auto.ai.anthropic"
_CONTENT: Final = frozenset(
    {
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.request.available_tools",
        "gen_ai.request.messages",
        "gen_ai.response.text",
        "gen_ai.response.tool_calls",
        "gen_ai.system_instructions",
        "gen_ai.tool.definitions",
    }
)
"""Attributes of spans that have what was sent to the API, and its answer."""

Clean = Callable[[Object], "Object | None"]


def watch(clean_log: Clean, clean_span: Callable[[Any], None]) -> None:
    """Let functions change what Sentry's clients are about to send.

    Args:
        clean_log: Returns a log without its private parts; None to drop it.
        clean_span: Removes the private parts of a span's attributes, in place.
    """
    cls = _client_class()
    name = next((name for name in _METHODS if hasattr(cls, name)), None)
    original: Any = None if name is None else getattr(cls, name)
    if name is None or hasattr(original, "is_watched_by_claudescope"):
        return

    @wraps(original)
    def capture(self: Any, *args: Any, **kwargs: Any) -> Any:
        cleaned: list[Any] = []
        for argument in args:
            if isinstance(argument, dict) and "body" in argument:
                log = _cleaned(cast("dict[str, Any]", argument), clean_log)
                if log is None:
                    return None
                cleaned.append(log)
                continue
            if isinstance(getattr(cast("object", argument), "_attributes", None), dict):
                try:
                    clean_span(argument)
                except Exception:  # noqa: BLE001 - the app's span is sent
                    internal_errors.record(COMPONENT)
            cleaned.append(cast("object", argument))
        return original(self, *cleaned, **kwargs)

    capture.is_watched_by_claudescope = True  # type: ignore[attr-defined]
    setattr(cls, name, capture)


def unwatch() -> None:
    """Undo `watch`."""
    cls = _client_class()
    for name in _METHODS:
        method: Any = getattr(cls, "__dict__", {}).get(name)
        if hasattr(method, "is_watched_by_claudescope"):
            setattr(cls, name, method.__wrapped__)


def strip_content(span: Any) -> None:
    """Remove prompts and completions from a span of Sentry's Anthropic integration."""
    attributes = as_dict(getattr(span, "_attributes", None))
    origin = attributes.get("sentry.origin")
    if (as_dict(origin).get("value") or origin) == _ORIGIN:
        for name in _CONTENT & attributes.keys():
            del attributes[name]


def _client_class() -> Any:
    return getattr(sentry_sdk.client, "_Client", None)


def _cleaned(log: Object, clean: Clean) -> Object | None:
    try:
        return clean(log)
    except Exception:  # noqa: BLE001 - the log is still sent, without its texts
        internal_errors.record(COMPONENT)
        return {**log, "body": "", "attributes": {}}
