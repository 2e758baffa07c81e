"""The page of the attributes of spans, span events and log records, from the schema."""

from __future__ import annotations

from generators.markdown import page, table
from generators.optional import attributes

__all__ = ["attributes_page"]


def attributes_page() -> str:
    """Every attribute, and the signals that carry it."""
    return page(
        "Attributes",
        "Every attribute that claudescope writes to spans, span events and log records. The `anthropic` SDK writes "
        "further attributes to its own spans. [Signals](signals.md) lists metrics and their labels.",
        table(
            ["attribute", "on", "description"],
            (
                [f"`{attribute.name}`", _places(attribute.emitted_on), attribute.description]
                for attribute in attributes()
            ),
        ),
    )


def _places(emitted_on: object) -> str:
    return emitted_on if isinstance(emitted_on, str) else ", ".join(map(str, emitted_on))  # type: ignore[call-overload]
