"""The texts of an exception that Sentry or an app may pass on, and those that may be private."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Final, cast

from claudescope.sentry.payload import as_dict, as_list

__all__ = ["LIBRARIES", "comes_from_call", "private_parts", "texts_of"]

LIBRARIES: Final = frozenset(
    {
        "anthropic",
        "claudescope",
        "h11",
        "h2",
        "httpcore",
        "httpcore2",
        "httpx",
        "httpx2",
        "opentelemetry",
        "pydantic",
        "pydantic_core",
        "sentry_sdk",
    }
)
"""Packages whose frames contain requests and their headers."""

_HTTP: Final = frozenset({"httpcore", "httpcore2", "httpx", "httpx2"})
"""Packages whose errors describe the connection, and never quote a body."""

_QUOTING: Final = frozenset({"anthropic", "pydantic", "pydantic_core"})

_PUBLIC_FIELDS: Final = frozenset({"type", "request_id", "loc", "url"})
_MAX_PARTS: Final = 32
_MAX_DEPTH: Final = 8


def texts_of(error: BaseException) -> Iterator[str]:
    """Yield every text that Sentry or the app may use as the message of an error."""
    body: object = getattr(error, "body", None)
    nested: object = as_dict(body).get("error")
    try:
        text: object = str(error)
    except Exception:  # noqa: BLE001 - an app's exception class
        text = None
    for one in (text, getattr(error, "message", None), as_dict(nested).get("message"), as_dict(body).get("message")):
        if isinstance(one, str) and one:
            yield one


def private_parts(error: BaseException) -> Iterator[str]:
    """Yield the texts of a failed call that may quote the request or the completion, without what surrounds them."""
    body: object = getattr(error, "body", None)
    parts = list(_leaves(cast("object", body), 0)) if isinstance(body, (dict, list)) else list(texts_of(error))
    errors: Any = getattr(error, "errors", None)
    if type(error).__module__.partition(".")[0] in {"pydantic", "pydantic_core"} and callable(errors):
        parts += _leaves(errors(include_url=False, include_context=False), 0)
    yield from parts[:_MAX_PARTS]


def comes_from_call(error: BaseException) -> bool:
    """Whether an exception in the chain of a failed call was raised inside the call, and may quote its texts."""
    package = type(error).__module__.partition(".")[0]
    if package in _HTTP:
        return False
    return package in _QUOTING or any(module in LIBRARIES for module in _modules(error.__traceback__))


def _modules(traceback: TracebackType | None) -> Iterator[str]:
    for _ in range(64):
        if traceback is None:
            return
        yield str(traceback.tb_frame.f_globals.get("__name__")).partition(".")[0]
        traceback = traceback.tb_next


def _leaves(value: object, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in list(cast("Mapping[object, object]", value).items())[:_MAX_PARTS]:
            if key not in _PUBLIC_FIELDS:
                yield from _leaves(one, depth + 1)
    elif isinstance(value, (list, tuple)):
        for one in as_list(list(cast("list[object]", value)))[:_MAX_PARTS]:
            yield from _leaves(one, depth + 1)
