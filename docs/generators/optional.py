"""Parts of the schema that pages describe as soon as they are there."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

__all__ = ["Attribute", "Event", "RecordedSeries", "attributes", "events", "recorded_series"]


class Attribute(Protocol):
    """An attribute of spans or log records, as `claudescope.schema.attributes` declares it."""

    name: str
    description: str
    emitted_on: tuple[str, ...]
    type: str


class Event(Protocol):
    """An event on a span, or in logs, as `claudescope.schema.attributes` declares it."""

    name: str
    description: str
    emitted_on: str


class RecordedSeries(Protocol):
    """A series that rules record, as `claudescope.schema.recorded_series` declares it."""

    name: str
    description: str
    labels: tuple[str, ...]


def attributes() -> tuple[Attribute, ...]:
    """Every attribute; empty where the schema does not declare them."""
    return cast("tuple[Attribute, ...]", _declared("attributes", "ATTRIBUTES"))


def events() -> tuple[Event, ...]:
    """Every event; empty where the schema does not declare them."""
    return cast("tuple[Event, ...]", _declared("attributes", "EVENTS"))


def recorded_series() -> tuple[RecordedSeries, ...]:
    """Every recorded series; empty where the schema does not declare them."""
    return cast("tuple[RecordedSeries, ...]", _declared("recorded_series", "RECORDED_SERIES"))


def _declared(module: str, name: str) -> tuple[object, ...]:
    full = f"claudescope.schema.{module}"
    if find_spec(full) is None:
        return ()
    return tuple(getattr(import_module(full), name))
