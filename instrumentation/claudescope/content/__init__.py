"""Prompts and completions in telemetry: only where they were asked for, redacted, and within a size.

options   what was asked for, in code or by the environment
parts     content blocks of the API as the message parts of the OpenTelemetry GenAI conventions
fit       what of them fits into an attribute
capture   the content of one call, from its request to the span and the event it goes to
"""

from __future__ import annotations

# `capture` is imported by those who were asked for content: most apps never are.
from claudescope.content.options import Content, ContentMode, capturing

__all__ = ["Content", "ContentMode", "capturing"]
