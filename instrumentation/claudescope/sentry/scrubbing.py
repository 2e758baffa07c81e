"""Removes from an event what may contain a prompt, a completion, a key or a header.

Sentry sends the local variables of every frame, the text of every exception, and recent log messages. Variables of the
SDK's frames contain the request and its headers, those of the app's frames prompts, and an error's text may quote both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

from claudescope.sentry.cleaner import Cleaner
from claudescope.sentry.error_texts import LIBRARIES, comes_from_call, private_parts, texts_of
from claudescope.sentry.exception_search import chain, is_failed_call
from claudescope.sentry.payload import Object, as_dict, as_list, exceptions, frames
from claudescope.sentry.quotes import Quotes
from claudescope.sentry.urls import scrub_spans, strip_queries, strip_query

__all__ = [
    "QUOTES",
    "is_of_wire",
    "redact_later",
    "scrub_any",
    "scrub_bare",
    "scrub_carried",
    "scrub_log",
    "scrub_quotes",
    "strip_request",
]

_WIRE_LOGGERS: Final = frozenset({"anthropic", "h11", "hpack", "httpcore", "httpcore2"})
"""Loggers that write complete requests, headers included."""

_JOB_FIELDS: Final = ("args", "kwargs", "data", "description")

QUOTES: Final = Quotes()
"""Texts of recent failures. Apps log such texts, and Sentry adds them to later events."""

Safe = Mapping[int, tuple[BaseException, str]]
"""The replacement of the text of each exception, by identity."""


def scrub_any(event: Object) -> None:
    """Remove from any error event what comes from the SDK's frames and loggers."""
    for frame in frames(event):
        if _package(frame) in LIBRARIES:
            frame.pop("vars", None)
        if _package(frame) == "claudescope":
            frame["in_app"] = False  # also where it is not installed in site-packages
    breadcrumbs = as_dict(event.get("breadcrumbs"))
    if "values" in breadcrumbs:
        kept = (_breadcrumb(crumb) for crumb in as_list(breadcrumbs["values"]))
        breadcrumbs["values"] = [crumb for crumb in kept if crumb is not None]
    scrub_spans(event)


def scrub_quotes(event: Object, *, thorough: bool) -> bool:
    """Replace the texts of recent failures wherever an event quotes them.

    Args:
        event: The event.
        thorough: Whether the event has a failed call. Then what is too much to be searched is removed.

    Returns:
        Whether anything but a breadcrumb quoted one.
    """
    if not QUOTES:
        return False
    cleaner = Cleaner(lambda text, is_message: QUOTES.redact(text, is_message=is_message), thorough=thorough)
    for value in exceptions(event):
        _clean_fields(value, ("value", "mechanism"), cleaner, is_message=True)
    _clean_fields(event, ("message", "logentry"), cleaner, is_message=True)
    _clean_fields(event, ("extra", "user", "request", "transaction"), cleaner, is_message=False)
    for key in ("contexts", "tags"):
        fields = as_dict(event.get(key))
        _clean_fields(
            fields, [name for name in fields if not str(name).startswith("claude")], cleaner, is_message=False
        )
    for frame in frames(event):
        _clean_fields(frame, ("vars",), cleaner, is_message=False)
    found = cleaner.found
    breadcrumbs = as_dict(event.get("breadcrumbs"))
    _clean_fields(breadcrumbs, ("values",), cleaner, is_message=True)
    return found


def _clean_fields(fields: Object, names: Iterable[str], cleaner: Cleaner, *, is_message: bool) -> None:
    for name in names:
        if name in fields:
            fields[name] = cleaner.clean(fields[name], is_message=is_message)


def scrub_carried(
    event: Object, texts: Safe, *, keep_messages: bool, keep_local_variables: bool, keep_request: bool
) -> None:
    """Remove from an event with a failed call what comes from the app's frames, its request and the errors' texts.

    Args:
        event: The event.
        texts: The replacement of each exception's text.
        keep_messages: Whether to keep the texts.
        keep_local_variables: Whether to keep local variables of the app's frames.
        keep_request: Whether to keep the request and the arguments that the app itself got.
    """
    if not keep_local_variables:
        for frame in frames(event):
            frame.pop("vars", None)
    if not keep_request:
        strip_request(event)
    if not keep_messages:
        _replace_texts(event, texts)


def scrub_bare(event: Object) -> None:
    """Reduce an event to the types of its exceptions. Used after an internal error."""
    for key in ("breadcrumbs", "threads", "stacktrace", "logentry", "message", "extra", "request", "contexts", "tags"):
        event.pop(key, None)
    for value in exceptions(event):
        value.pop("stacktrace", None)
        value["value"] = ""


def safe_texts(
    roots: Iterable[BaseException], summary: Callable[[BaseException], str]
) -> dict[int, tuple[BaseException, str]]:
    """Return the replacement of the text of each failed call, and of what was raised inside it.

    Args:
        roots: The exceptions of an event.
        summary: Returns the replacement of the text of a failed call.
    """
    found: dict[int, tuple[BaseException, str]] = {}
    for root in roots:
        for error in chain(root):
            if not is_failed_call(error):
                continue
            own = summary(error)
            found[id(error)] = (error, own)
            for inner in chain(error):
                if not is_failed_call(inner) and comes_from_call(inner):
                    found.setdefault(id(inner), (inner, own))
    return found


def redact_later(texts: Safe, source: Callable[[BaseException], object]) -> None:
    """Replace the texts of failed calls wherever they are quoted from now on, such as in log messages.

    Args:
        texts: The replacement of each exception's text.
        source: Returns what a message that quotes a failed call finds of it; None for nothing.
    """
    for error, safe in texts.values():
        parts = set(private_parts(error))
        messages = set(texts_of(error))
        body = str(getattr(error, "body", None))
        known = source(error) if is_failed_call(error) else None
        for text in messages - parts:
            # What surrounds a quoted body is the same for all errors.
            QUOTES.remember(text, safe, in_part=body not in text, source=known)
        for text in parts:
            QUOTES.remember(text, safe, in_part=True, source=known if text in messages else None)


def _replace_texts(event: Object, texts: Safe) -> None:
    """Give each exception of a chain the text of its own error type."""
    pending = list(texts.values())
    for value in reversed(list(exceptions(event))):
        named = [one for one in pending if _is_of(value, type(one[0]))]
        text = str(value.get("value"))
        exact = [one for one in named if any(text.startswith(known) for known in texts_of(one[0]))]
        if named:
            chosen = (exact or named)[0]
            value["value"] = chosen[1]
            if len(named) > 1:  # the last of a class stays, for an exception that Sentry lists twice
                pending.remove(chosen)


def _is_of(value: Mapping[str, Any], cls: type[BaseException]) -> bool:
    module = None if cls.__module__ == "builtins" else cls.__module__
    return value.get("module") in {module, cls.__module__} and str(value.get("type")) in {
        cls.__name__,
        cls.__qualname__,
    }


def strip_request(event: Object) -> None:
    """Remove what the app itself got: body and query of a web request, the command line, a job's arguments."""
    request = as_dict(event.get("request"))
    if request:
        kept = {key: one for key, one in request.items() if key not in {"data", "query_string", "cookies", "fragment"}}
        if isinstance(kept.get("url"), str):
            kept["url"] = _without_query(kept["url"])
        if isinstance(kept.get("headers"), dict):
            kept["headers"] = {
                key: _without_query(one) if str(key).lower() == "referer" else one
                for key, one in as_dict(kept["headers"]).items()
                if str(key).lower() != "cookie"
            }
        event["request"] = kept
    extra = as_dict(event.get("extra"))
    if extra:
        event["extra"] = {key: _without_arguments(key, one) for key, one in extra.items() if key != "sys.argv"}
    contexts = as_dict(event.get("contexts"))
    if contexts:
        event["contexts"] = {key: _without_arguments(key, one) for key, one in contexts.items()}


def _without_query(url: Any) -> Any:
    return str(url).partition("?")[0].partition("#")[0]


def _without_arguments(key: object, value: Any) -> Any:
    """Return the context of a job without its arguments. Sentry's integrations name them `celery-job` and so on."""
    if not isinstance(value, dict) or not (str(key).endswith("-job") or key in {"dramatiq", "response"}):
        return cast("Any", value)
    return {name: one for name, one in cast("Object", value).items() if name not in _JOB_FIELDS}


def is_of_wire(logger: object) -> bool:
    """Whether a logger writes complete requests.

    Args:
        logger: Its name, or an attribute of a log with it.
    """
    name = as_dict(logger).get("value") or logger
    return str(name).partition(".")[0] in _WIRE_LOGGERS


def scrub_log(log: Object, *, keep_messages: bool, thorough: bool) -> Object:
    """Return a log of Sentry's logs product without private texts and the queries of API URLs.

    Args:
        log: The log.
        keep_messages: Whether to keep the texts of failed calls.
        thorough: As for `scrub_quotes`.
    """

    def redact(text: str, is_message: bool) -> str:
        return strip_queries(text if keep_messages else QUOTES.redact(text, is_message=is_message))

    cleaner = Cleaner(redact, thorough=thorough)
    cleaned = dict(log)
    _clean_fields(cleaned, ("body", "attributes"), cleaner, is_message=True)
    return cleaned


def _package(frame: Mapping[str, Any]) -> str:
    return str(frame.get("module")).partition(".")[0]


def _breadcrumb(crumb: Any) -> Any:
    """Return a copy of a breadcrumb without private parts; None to remove it. The scope's own is not changed."""
    if not isinstance(crumb, dict):
        return crumb
    fields = cast("Object", crumb)
    if is_of_wire(fields.get("category")):
        return None
    message: object = fields.get("message")
    data: object = fields.get("data")
    if isinstance(message, str):
        fields = {**fields, "message": strip_queries(message)}
    if isinstance(data, dict):
        copied = dict(cast("Object", data))
        strip_query(copied)
        fields = {**fields, "data": copied}
    return fields
