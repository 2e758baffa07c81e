"""Prompts and completions in telemetry: off by default, redacted by the app, and limited in size.

options     the options, from code or from the environment
parts       converts content blocks of the API into message parts of the OpenTelemetry GenAI conventions
truncation  redacts parts and cuts them to the size limit
capture     captures the content of a call, and writes it to its span and event
"""

from __future__ import annotations

# `capture` is imported only where content capture is on.
from claudescope.content.options import Content, ContentMode, capturing

__all__ = ["Content", "ContentMode", "capturing"]
