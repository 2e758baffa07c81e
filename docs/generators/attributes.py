"""The page of attributes and events, from the schema."""

from __future__ import annotations

from claudescope.schema.attributes import ATTRIBUTES, EVENTS
from generators.markdown import page, table

__all__ = ["attributes_page"]


def attributes_page() -> str:
    """Every attribute and event, and the signals that carry it."""
    return page(
        "Attributes",
        "Every attribute that claudescope writes to spans, span events, log records and events. On its own spans the "
        "`anthropic` SDK writes some of them itself, and adds others. [Signals](signals.md) lists metrics and labels.",
        table(
            ["attribute", "type", "on", "description"],
            ([f"`{each.name}`", each.type, ", ".join(each.emitted_on), each.description] for each in ATTRIBUTES),
        ),
        "## Events",
        table(
            ["event", "on", "description"],
            ([f"`{each.name}`", each.emitted_on, each.description] for each in EVENTS),
        ),
    )
