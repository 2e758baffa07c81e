"""Reads Sentry's event payloads, whose parts may be missing, or of another form where Sentry cut them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

__all__ = ["Object", "as_dict", "as_list", "exceptions", "frames", "mechanisms"]

Object = dict[str, Any]
"""A JSON object before it is serialised."""


def as_dict(value: object) -> Object:
    """`value` itself where it is a dict, else an empty one."""
    return cast("Object", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """`value` itself where it is a list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []  # type: ignore[redundant-cast] # pyright's is not


def exceptions(event: Mapping[str, Any]) -> Iterator[Object]:
    """The exceptions of an event; the outermost is the last."""
    return _values(event, "exception")


def mechanisms(event: Mapping[str, Any]) -> Iterator[Object]:
    """How each exception of an event came to Sentry."""
    for value in exceptions(event):
        yield as_dict(value.get("mechanism"))


def frames(event: Mapping[str, Any]) -> Iterator[Object]:
    """Every stack frame of an event."""
    for holder in (*exceptions(event), *_values(event, "threads"), as_dict(event)):
        for frame in as_list(as_dict(holder.get("stacktrace")).get("frames")):
            yield as_dict(frame)


def _values(event: Mapping[str, Any], key: str) -> Iterator[Object]:
    for value in as_list(as_dict(event.get(key)).get("values")):
        yield as_dict(value)
