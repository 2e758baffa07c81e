"""The page of error types, from the table that classifies errors."""

from __future__ import annotations

from claudescope.schema.classify import CODES, STATUSES, TYPES
from claudescope.schema.error_types import ERROR_TYPES
from generators.markdown import page, table

__all__ = ["errors"]


def errors() -> str:
    """Every error type, and what is classified as it."""
    return page(
        "Error types",
        "One classification serves metrics, spans, Sentry, alerts, retry advice and messages for users: "
        "`claudescope.classify(error)`. It decides by the error's code, then by the `type` in the response body, then "
        "by the HTTP status, then by the class of the exception and of its cause. The [glossary](glossary.md) explains "
        "the owners.",
        table(
            ["`error.type`", "comes from", "retry", "owner", "counts against the budget", "pages", "what to do"],
            (
                [
                    f"`{error_type.name}`",
                    error_type.sources,
                    f"`{error_type.retry}`",
                    error_type.owner,
                    "yes" if error_type.in_budget else "no",
                    "yes" if error_type.pages else "",
                    error_type.advice,
                ]
                for error_type in ERROR_TYPES.values()
            ),
        ),
        "## By code",
        table(["`error_code`", "`error.type`"], ([f"`{name}`", f"`{value}`"] for name, value in CODES.items())),
        "## By type in the body",
        table(["`type`", "`error.type`"], ([f"`{name}`", f"`{value}`"] for name, value in TYPES.items())),
        "## By status",
        table(["status", "`error.type`"], ([str(status), f"`{value}`"] for status, value in STATUSES.items())),
    )
