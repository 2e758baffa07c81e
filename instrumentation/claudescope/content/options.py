"""The options for recording prompts and completions, which is off by default."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from claudescope._internal.exceptions import BadInputError

__all__ = ["ENVIRONMENT", "Content", "ContentMode", "Redact", "capturing", "mode_of"]

ContentMode = Literal["NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"]
"""Where content is recorded, with the names of OpenTelemetry's GenAI instrumentations."""

Redact = Callable[[str, dict[str, Any]], "Mapping[str, Any] | None"]
"""Gets a role (`system`, `user`, `assistant`) and a part; returns the part to record, or None to record none."""

ENVIRONMENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The variable that every GenAI instrumentation of OpenTelemetry reads."""

_WORDS: Final[Mapping[str, ContentMode]] = {
    **{mode: mode for mode in get_args(ContentMode)},
    "": "NO_CONTENT",
    "FALSE": "NO_CONTENT",
    # The value of older instrumentations, in its narrower meaning.
    "TRUE": "SPAN_ONLY",
}
_MAX_BYTES: Final = 64 * 1024

_log: Final = logging.getLogger("claudescope")


@dataclass(frozen=True, slots=True)
class Content:
    """How prompts and completions are recorded.

    Attributes:
        mode: Where they are recorded: `NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY` or `SPAN_AND_EVENT`. None follows the
            variable `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, and records nothing where it is not set.
        redact: Called with the role (`system`, `user` or `assistant`) and each whole part, a dict such as
            `{"type": "text", "content": "…"}`, before anything is recorded. It returns the part to record, or None to
            leave it out. Where it raises or returns something else, the part is left out and an internal error is
            counted.
        max_bytes: Largest size of each of system instructions, input and output as JSON, in bytes of UTF-8; 65,536 by
            default. Above it, the oldest parts of the input and the last parts of the others are left out.

    Raises:
        BadInputError: The mode or the size can't be used.
    """

    mode: ContentMode | None = None
    redact: Redact | None = None
    max_bytes: int = _MAX_BYTES

    def __post_init__(self) -> None:
        if self.mode is not None and self.mode not in get_args(ContentMode):
            raise BadInputError(
                f"content mode {self.mode!r}: expected one of {', '.join(map(repr, get_args(ContentMode)))}, or None"
            )
        if not isinstance(self.max_bytes, int) or self.max_bytes < 1:
            raise BadInputError(f"max_bytes={self.max_bytes!r}: expected a whole number of at least 1")
        if self.redact is not None and not callable(self.redact):
            raise BadInputError(f"redact={self.redact!r}: expected a function of a role and a part, or None")


def capturing(content: Content | ContentMode | None) -> tuple[Content, ContentMode]:
    """The options, and the mode that applies.

    Args:
        content: The options, only a mode, or None to follow the environment.

    Raises:
        BadInputError: The mode can't be used. For one in the environment a warning is logged instead, and no content is
            recorded: the app must start, and private data stays private.
    """
    options = content if isinstance(content, Content) else Content(content)
    return options, options.mode or _from_environment()


def mode_of(value: str) -> ContentMode | None:
    """The mode that a value of the variable stands for; None where it is not valid."""
    return _WORDS.get(value.strip().upper())


def _from_environment() -> ContentMode:
    value = os.environ.get(ENVIRONMENT, "")
    mode = mode_of(value)
    if mode is None:
        _log.warning(
            "claudescope: %s=%r: expected one of %s. No content is recorded",
            ENVIRONMENT,
            value,
            ", ".join(get_args(ContentMode)),
        )
        return "NO_CONTENT"
    return mode
