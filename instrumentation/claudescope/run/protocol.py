"""What processes tell the watcher, as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from claudescope._internal.json_values import json_value
from claudescope.schema.record import Attempt, BatchResult, CallRecord, CallStart, RateLimit, Usage

__all__ = ["Fact", "read", "write"]

Fact = CallStart | CallRecord | BatchResult
"""What can be told of."""

_KINDS: Final[Mapping[str, type[Any]]] = {"start": CallStart, "call": CallRecord, "batch": BatchResult}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


def write(fact: Fact) -> bytes:
    """A line that says it."""
    return json.dumps({_NAMES[type(fact)]: json_value(fact)}, separators=(",", ":")).encode() + b"\n"


def read(line: bytes) -> Fact | None:
    """What a line says; None for a line that says something else.

    Raises:
        ValueError: It is none of ours.
    """
    try:
        message: dict[str, Any] = json.loads(line)
        for name, kind in _KINDS.items():
            if name in message:
                return _fact(kind, message[name])
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"no message of this version: {error}") from error
    return None


def _fact(kind: type[Any], values: dict[str, Any]) -> Fact:
    if values.get("usage") is not None:
        values["usage"] = Usage(**values["usage"])
    if values.get("cost_usd") is not None:
        values["cost_usd"] = Decimal(values["cost_usd"])
    if kind is CallRecord:
        values["started_at"] = datetime.fromisoformat(values["started_at"])
        values["attempts"] = tuple(Attempt(**attempt) for attempt in values["attempts"])
        values["rate_limits"] = {name: RateLimit(**limit) for name, limit in values["rate_limits"].items()}
    fact: Fact = kind(**values)
    return fact
