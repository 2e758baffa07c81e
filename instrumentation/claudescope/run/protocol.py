"""The messages from reporters to the collector, as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from claudescope._internal.json_values import json_value
from claudescope.schema.record import (
    Attempt,
    BatchResult,
    CallRecord,
    CallStart,
    Hop,
    ModelUsage,
    Protection,
    RateLimit,
    Transition,
    Usage,
)

__all__ = ["Message", "decode", "encode"]

Message = CallStart | CallRecord | BatchResult
"""What a process reports: a call has started, a call has ended, or a batch result was read."""

_CLASSES: Final[Mapping[str, type[Any]]] = {"start": CallStart, "call": CallRecord, "batch": BatchResult}
_NAMES: Final = {cls: name for name, cls in _CLASSES.items()}


def encode(message: Message) -> bytes:
    """Encode a message as one line."""
    return json.dumps({_NAMES[type(message)]: json_value(message)}, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message | None:
    """Decode a line; None for a line of another kind.

    Raises:
        ValueError: The line is not a message of this version.
    """
    try:
        named: dict[str, Any] = json.loads(line)
        for name, cls in _CLASSES.items():
            if name in named:
                return _make(cls, named[name])
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"not a message of this version: {error}") from error
    return None


def _make(cls: type[Any], values: dict[str, Any]) -> Message:
    if values.get("usage") is not None:
        values["usage"] = _usage(values["usage"])
    if cls is not CallStart:
        values["extra_usage"] = tuple(_model_usage(part) for part in values["extra_usage"])
    if values.get("cost_usd") is not None:
        values["cost_usd"] = Decimal(values["cost_usd"])
    if cls is CallRecord:
        values["started_at"] = datetime.fromisoformat(values["started_at"])
        values["attempts"] = tuple(Attempt(**attempt) for attempt in values["attempts"])
        if values.get("protection") is not None:
            values["protection"] = _protection(values["protection"])
        values["rate_limits"] = {name: RateLimit(**limit) for name, limit in values["rate_limits"].items()}
    message: Message = cls(**values)
    return message


def _protection(values: dict[str, Any]) -> Protection:
    values["started"] = CallStart(**values["started"])
    values["hops"] = tuple(Hop(**hop) for hop in values["hops"])
    values["transitions"] = tuple(Transition(**transition) for transition in values["transitions"])
    return Protection(**values)


def _usage(values: dict[str, Any]) -> Usage:
    values["iterations"] = tuple(_usage(part) for part in values["iterations"])
    return Usage(**values)


def _model_usage(values: dict[str, Any]) -> ModelUsage:
    values["usage"] = _usage(values["usage"])
    if values["cost_usd"] is not None:
        values["cost_usd"] = Decimal(values["cost_usd"])
    return ModelUsage(**values)
