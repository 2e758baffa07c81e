"""Checks of texts that an app brings."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["language_mistake", "text_mistake"]

_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")
_LONGEST: Final = 1000


def text_mistake(text: str, placeholders: set[str]) -> str | None:
    """What is wrong with a text; None where nothing is."""
    if not text.strip() or len(text) > _LONGEST:
        return f"expected a text of 1 to {_LONGEST} characters"
    unknown = sorted(set(_PLACEHOLDER.findall(text)) - placeholders)
    if unknown:
        allowed = ", ".join(sorted(placeholders)) or "none"
        return f"{unknown[0]} is no placeholder; allowed here: {allowed}"
    return None


def language_mistake(language: str) -> str | None:
    """What is wrong with the code of a language; None where nothing is."""
    if _LANGUAGE.fullmatch(language):
        return None
    return f"{language!r} is no language; expected a code of two or three letters, such as 'en'"
