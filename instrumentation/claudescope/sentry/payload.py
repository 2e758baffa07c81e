"""Reads Sentry's event payloads. Parts may be missing, or have another form where Sentry truncated them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

__all__ = ["Object", "as_dict", "as_list", "exceptions", "frames", "mechanisms"]

Object = dict[str, Any]
"""A JSON object before it is serialised."""


def as_dict(value: object) -> Object:
    """Return `value` where it is a dict, else an empty dict."""
    return cast("Object", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return `value` where it is a list, else an empty list."""
    return cast("list[Any]", value) if isinstance(value, list) else []  # type: ignore[redundant-cast] # pyright's is not


def exceptions(event: Mapping[str, Any]) -> Iterator[Object]:
    """Yield the exceptions of an event. The outermost is the last."""
    return _values(event, "exception")


def mechanisms(event: Mapping[str, Any]) -> Iterator[Object]:
    """Yield the mechanism of each exception of an event."""
    for value in exceptions(event):
        yield as_dict(value.get("mechanism"))


def frames(event: Mapping[str, Any]) -> Iterator[Object]:
    """Yield every stack frame of an event."""
    for holder in (*exceptions(event), *_values(event, "threads"), as_dict(event)):
        for frame in as_list(as_dict(holder.get("stacktrace")).get("frames")):
            yield as_dict(frame)


def _values(event: Mapping[str, Any], key: str) -> Iterator[Object]:
    for value in as_list(as_dict(event.get(key)).get("values")):
        yield as_dict(value)
