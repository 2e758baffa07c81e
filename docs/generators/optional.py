"""Parts of the schema that pages describe as soon as they are there."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

__all__ = ["Attribute", "RecordedSeries", "attributes", "recorded_series"]


class Attribute(Protocol):
    """An attribute of spans or log records, as `claudescope.schema.attributes` declares it."""

    name: str
    description: str
    emitted_on: object


class RecordedSeries(Protocol):
    """A series that rules record, as `claudescope.schema.recorded_series` declares it."""

    name: str
    description: str
    labels: Iterable[object]


def attributes() -> tuple[Attribute, ...]:
    """Every attribute; empty where the schema does not declare them."""
    return cast("tuple[Attribute, ...]", _declared("attributes", "ATTRIBUTES"))


def recorded_series() -> tuple[RecordedSeries, ...]:
    """Every recorded series; empty where the schema does not declare them."""
    return cast("tuple[RecordedSeries, ...]", _declared("recorded_series", "RECORDED_SERIES"))


def _declared(module: str, name: str) -> tuple[object, ...]:
    full = f"claudescope.schema.{module}"
    if find_spec(full) is None:
        return ()
    declared = getattr(import_module(full), name)
    return tuple(declared.values() if hasattr(declared, "values") else declared)
