"""Turns records and reports into what `json` can write, and checks what was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeGuard, cast

__all__ = ["is_array", "is_object", "json_value"]


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a value that was read is a JSON array."""
    return isinstance(value, list)


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a value that was read is a JSON object, whose keys are always text."""
    return isinstance(value, dict)


def json_value(value: object, *, sort_fields: bool = False) -> Any:
    """The value with everything in it that `json` can't write replaced.

    A dataclass becomes an object, a mapping an object with sorted keys, a tuple an array, a time its ISO 8601 text, and
    a `Decimal` its digits as text, without an exponent.

    Args:
        value: The value. Any other type is returned as it is.
        sort_fields: Sort the fields of dataclasses by name, instead of keeping their order.
    """
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value)
        return {key: json_value(items[key], sort_fields=sort_fields) for key in sorted(items)}
    if isinstance(value, (tuple, list)):
        return [json_value(item, sort_fields=sort_fields) for item in cast("tuple[object, ...]", value)]
    if is_dataclass(value):
        names = [field.name for field in fields(value)]
        return {
            name: json_value(getattr(value, name), sort_fields=sort_fields)
            for name in (sorted(names) if sort_fields else names)
        }
    return value
