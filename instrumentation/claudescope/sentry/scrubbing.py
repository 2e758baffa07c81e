"""Takes out of an event what may hold a prompt, a completion, a key or a header.

Sentry sends the local variables of every frame, the text of every exception and what was logged before. In the frames
of the SDK these are the request with its headers; in the app's they are prompts; and an error's text may quote either.
"""

from __future__ import annotations

import re
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

from claudescope._internal.fork import renew_in_child
from claudescope.sentry.exception_search import chain
from claudescope.sentry.payload import Object, as_dict, as_list, exceptions, frames

__all__ = ["scrub_any", "scrub_bare", "scrub_failure", "scrub_spans", "withhold"]

_LIBRARIES: Final = frozenset(
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
        "sentry_sdk",
    }
)
"""Packages whose frames hold requests and their headers."""

_WIRE_LOGGERS: Final = frozenset({"anthropic", "h11", "hpack", "httpcore", "httpcore2"})
"""Loggers that write whole requests, headers included."""

_HTTP: Final = frozenset({"httpcore", "httpcore2", "httpx", "httpx2"})
"""Packages whose errors tell of the connection, and never quote a body."""

_URL: Final = re.compile(r"""(https?://[^\s"'<>?#]+)[?#][^\s"'<>]*""")
_API_PATH: Final = re.compile(r"/v1/(messages|complete|models|files|skills|projects)\b|/model/[^/]+/invoke")
_QUERY_FIELDS: Final = ("http.query", "http.fragment", "url.query", "url.fragment")
_SHORTEST_TEXT: Final = 4
_LONGEST_TEXT: Final = 10_000
_MAX_TEXTS: Final = 64

_withheld: Final[OrderedDict[str, str]] = OrderedDict()
"""Texts of the last failures, and what to say in their place. Apps log them, and Sentry keeps that for later events."""

_lock = threading.Lock()
renew_in_child(sys.modules[__name__], "_lock")


def scrub_any(event: Object) -> None:
    """Take out of any error event what the SDK's frames and loggers put there."""
    for frame in frames(event):
        if _package(frame) in _LIBRARIES:
            frame.pop("vars", None)
    breadcrumbs = as_dict(event.get("breadcrumbs"))
    if "values" in breadcrumbs:
        kept = (_breadcrumb(crumb) for crumb in as_list(breadcrumbs["values"]))
        breadcrumbs["values"] = [crumb for crumb in kept if crumb is not None]
    scrub_spans(event)


def scrub_failure(
    event: Object,
    errors: Iterable[tuple[BaseException, str]],
    *,
    keep_messages: bool,
    keep_local_variables: bool,
) -> None:
    """Take out of the event of a failed call what the app's frames and the errors' texts put there.

    Args:
        event: The event.
        errors: The exceptions of failed calls in it, each with what to say in place of its text.
        keep_messages: Whether texts stay.
        keep_local_variables: Whether local variables of the app's frames stay.
    """
    if not keep_local_variables:
        for frame in frames(event):
            frame.pop("vars", None)
    if keep_messages:
        return
    by_class: dict[tuple[str | None, str], str] = {}
    for error, safe in errors:
        withhold(error, safe)
        for one in _quoting(error):
            cls = type(one)
            by_class[None if cls.__module__ == "builtins" else cls.__module__, cls.__name__] = safe
    for value in exceptions(event):
        named = by_class.get((value.get("module"), str(value.get("type"))))
        value["value"] = _clean(value.get("value")) if named is None else named
    for key in ("message", "logentry"):
        if key in event:
            event[key] = _clean(event[key])


def scrub_bare(event: Object) -> None:
    """What is left where nothing better can be done: the types of the exceptions."""
    for key in ("breadcrumbs", "threads", "stacktrace", "logentry", "message"):
        event.pop(key, None)
    for value in exceptions(event):
        value.pop("stacktrace", None)
        value["value"] = ""


def scrub_spans(event: Object) -> None:
    """Take out of the spans of a transaction, and of the one around an error, what Sentry sends without being asked.

    That is the tools of a call, and the query of its URL.
    """
    for span in (as_dict(event.get("contexts")).get("trace"), *as_list(event.get("spans"))):
        data = as_dict(as_dict(span).get("data"))
        data.pop("gen_ai.request.available_tools", None)
        data.pop("gen_ai.tool.definitions", None)
        _strip_query(data)


def _package(frame: Mapping[str, Any]) -> str:
    return str(frame.get("module")).partition(".")[0]


def _breadcrumb(crumb: Any) -> Any:
    """A breadcrumb without what is private; None where nothing is left. The scope's own is left as it is."""
    if not isinstance(crumb, dict):
        return crumb
    fields = cast("Object", crumb)
    if str(fields.get("category")).partition(".")[0] in _WIRE_LOGGERS:
        return None
    message: object = fields.get("message")
    data: object = fields.get("data")
    if isinstance(message, str):
        fields = {**fields, "message": _URL.sub(_without_query, _without_withheld(message))}
    if isinstance(data, dict):
        copied = dict(cast("Object", data))
        _strip_query(copied)
        fields = {**fields, "data": copied}
    return fields


def _strip_query(data: Object) -> None:
    """Take the query of a request to the API out of what Sentry's HTTP integrations tell of it."""
    for key in ("url", "url.full", "http.url"):
        url = data.get(key)
        if isinstance(url, str) and _is_api(url):
            data[key] = url.partition("?")[0].partition("#")[0]
            for field in _QUERY_FIELDS:
                data.pop(field, None)


def _without_query(match: re.Match[str]) -> str:
    return match[1] if _is_api(match[1]) else match[0]


def _is_api(url: str) -> bool:
    parts = urlsplit(url)
    return (parts.hostname or "").endswith("anthropic.com") or _API_PATH.search(parts.path) is not None


def _texts(error: BaseException) -> Iterator[str]:
    """Everything that Sentry or the app may take for the text of an error."""
    body: object = getattr(error, "body", None)
    nested: object = as_dict(body).get("error")
    for text in (
        str(error),
        getattr(error, "message", None),
        as_dict(nested).get("message"),
        as_dict(body).get("message"),
    ):
        if isinstance(text, str) and len(text) >= _SHORTEST_TEXT:
            yield text


def _quoting(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came from, but for what only tells of the connection."""
    return (one for one in chain(error) if type(one).__module__.partition(".")[0] not in _HTTP)


def withhold(error: BaseException, safe: str) -> None:
    """Have the text of an error replaced in whatever quotes it from now on, as what was logged of it does.

    Args:
        error: The exception of a failed call.
        safe: What to say instead.
    """
    with _lock:
        for one in _quoting(error):
            for text in _texts(one):
                _withheld[text[:_LONGEST_TEXT]] = safe
                _withheld.move_to_end(text[:_LONGEST_TEXT])
        while len(_withheld) > _MAX_TEXTS:
            _withheld.popitem(last=False)


def _clean(value: Any) -> Any:
    """`value` without withheld texts and without queries; exceptions become what Sentry would make of them."""
    if isinstance(value, BaseException):
        return _clean(str(value))
    if isinstance(value, str):
        return _URL.sub(r"\1", _without_withheld(value))
    if isinstance(value, (list, tuple)):
        return [_clean(one) for one in cast("Iterable[Any]", value)]
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in cast("Object", value).items()}
    return value


def _without_withheld(text: str) -> str:
    with _lock:
        found = [(withheld, safe) for withheld, safe in _withheld.items() if withheld in text]
    for withheld, safe in sorted(found, key=lambda pair: -len(pair[0])):
        # Of one that was too long to be kept only the beginning is known: the rest goes with what follows.
        known = len(withheld) < _LONGEST_TEXT
        text = text.replace(withheld, safe) if known else text.partition(withheld)[0] + safe
    return text
