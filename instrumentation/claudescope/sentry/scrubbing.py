"""Removes from an event what may contain a prompt, a completion, a key or a header.

Sentry sends the local variables of every frame, the text of every exception, and recent log messages. Variables of the
SDK's frames contain the request and its headers, those of the app's frames prompts, and an error's text may quote both.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

from claudescope.sentry.exception_search import chain
from claudescope.sentry.payload import Object, as_dict, as_list, exceptions, frames

__all__ = ["redact_later", "scrub_any", "scrub_bare", "scrub_failure", "scrub_spans"]

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
"""Packages whose frames contain requests and their headers."""

_WIRE_LOGGERS: Final = frozenset({"anthropic", "h11", "hpack", "httpcore", "httpcore2"})
"""Loggers that write complete requests, headers included."""

_HTTP: Final = frozenset({"httpcore", "httpcore2", "httpx", "httpx2"})
"""Packages whose errors describe the connection, and never quote a body."""

_URL: Final = re.compile(r"""(https?://[^\s"'<>?#]+)[?#][^\s"'<>]*""")
_API_PATH: Final = re.compile(r"/v1/(messages|complete|models|files|skills|projects)\b|/model/[^/]+/invoke")
_QUERY_FIELDS: Final = ("http.query", "http.fragment", "url.query", "url.fragment")
_SHORTEST_TEXT: Final = 4
_LONGEST_TEXT: Final = 10_000
_MAX_TEXTS: Final = 64

_redacted: Final[OrderedDict[str, str]] = OrderedDict()
"""Texts of recent failures and their replacements. Apps log such texts, and Sentry adds them to later events."""

_lock: Final = threading.Lock()


def scrub_any(event: Object) -> None:
    """Remove from any error event what comes from the SDK's frames and loggers."""
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
    """Remove from the event of a failed call what comes from the app's frames and the errors' texts.

    Args:
        event: The event.
        errors: The exceptions of failed calls in it, each with the replacement of its text.
        keep_messages: Whether to keep the texts.
        keep_local_variables: Whether to keep local variables of the app's frames.
    """
    if not keep_local_variables:
        for frame in frames(event):
            frame.pop("vars", None)
    if keep_messages:
        return
    by_class: dict[tuple[str | None, str], str] = {}
    for error, safe in errors:
        redact_later(error, safe)
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
    """Reduce an event to the types of its exceptions. Used after an internal error."""
    for key in ("breadcrumbs", "threads", "stacktrace", "logentry", "message"):
        event.pop(key, None)
    for value in exceptions(event):
        value.pop("stacktrace", None)
        value["value"] = ""


def scrub_spans(event: Object) -> None:
    """Remove the tools of a call and the query of its URL from spans.

    Covers the spans of a transaction and the span in the context of an error. Sentry sends both without opt-in.
    """
    for span in (as_dict(event.get("contexts")).get("trace"), *as_list(event.get("spans"))):
        data = as_dict(as_dict(span).get("data"))
        data.pop("gen_ai.request.available_tools", None)
        data.pop("gen_ai.tool.definitions", None)
        _strip_query(data)


def _package(frame: Mapping[str, Any]) -> str:
    return str(frame.get("module")).partition(".")[0]


def _breadcrumb(crumb: Any) -> Any:
    """Return a copy of a breadcrumb without private parts; None to remove it. The scope's own is not changed."""
    if not isinstance(crumb, dict):
        return crumb
    fields = cast("Object", crumb)
    if str(fields.get("category")).partition(".")[0] in _WIRE_LOGGERS:
        return None
    message: object = fields.get("message")
    data: object = fields.get("data")
    if isinstance(message, str):
        fields = {**fields, "message": _URL.sub(_without_query, _redact(message))}
    if isinstance(data, dict):
        copied = dict(cast("Object", data))
        _strip_query(copied)
        fields = {**fields, "data": copied}
    return fields


def _strip_query(data: Object) -> None:
    """Remove the query of a request to the API from the data of Sentry's HTTP integrations."""
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
    """Yield every text that Sentry or the app may use as the message of an error."""
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
    """Yield an error, its causes and contexts, without those that only describe the connection."""
    return (one for one in chain(error) if type(one).__module__.partition(".")[0] not in _HTTP)


def redact_later(error: BaseException, safe: str) -> None:
    """Replace the text of an error wherever it is quoted from now on, such as in log messages.

    Args:
        error: The exception of a failed call.
        safe: The replacement.
    """
    with _lock:
        for one in _quoting(error):
            for text in _texts(one):
                _redacted[text[:_LONGEST_TEXT]] = safe
                _redacted.move_to_end(text[:_LONGEST_TEXT])
        while len(_redacted) > _MAX_TEXTS:
            _redacted.popitem(last=False)


def _clean(value: Any) -> Any:
    """Return `value` without redacted texts and queries. Exceptions become text, as Sentry does it."""
    if isinstance(value, BaseException):
        return _clean(str(value))
    if isinstance(value, str):
        return _URL.sub(r"\1", _redact(value))
    if isinstance(value, (list, tuple)):
        return [_clean(one) for one in cast("Iterable[Any]", value)]
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in cast("Object", value).items()}
    return value


def _redact(text: str) -> str:
    with _lock:
        found = [(private, safe) for private, safe in _redacted.items() if private in text]
    for private, safe in sorted(found, key=lambda pair: -len(pair[0])):
        # Only the beginning of a very long text is kept, so everything after it is removed as well.
        known = len(private) < _LONGEST_TEXT
        text = text.replace(private, safe) if known else text.partition(private)[0] + safe
    return text
