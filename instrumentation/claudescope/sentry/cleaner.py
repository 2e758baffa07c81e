"""Replaces texts in nested values of an event, within a bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Final, cast

from sentry_sdk.utils import safe_repr

__all__ = ["Cleaner"]

_MAX_CHARACTERS: Final = 300_000
"""Characters that are searched in one event. At about 0.2 µs each, that is 60 ms at most."""

_LONGEST_STRING: Final = 50_000
_MAX_VALUES: Final = 20_000
_MAX_DEPTH: Final = 10
_TOO_LONG: Final = "[not searched for private texts, removed]"


class Cleaner:
    """Returns copies of values in which every string is cleaned. What the app holds is not changed.

    Args:
        redact: Returns a string without private texts. Its second argument is whether the string is a message.
        thorough: Whether to remove what exceeds the bounds, instead of leaving it.

    Attributes:
        found: Whether any string was changed.
    """

    def __init__(self, redact: Callable[[str, bool], str], *, thorough: bool) -> None:
        self._redact = redact
        self._thorough = thorough
        self._characters = _MAX_CHARACTERS
        self._values = _MAX_VALUES
        self.found = False

    def clean(self, value: Any, *, is_message: bool = False) -> Any:
        """Return a copy of a value without private texts. Exceptions and other objects with one become text.

        Args:
            value: The value.
            is_message: Whether its strings are messages.
        """
        return self._clean(value, is_message, 0)

    def _clean(self, value: Any, is_message: bool, depth: int) -> Any:
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, str):
            return self._text(value, is_message)
        self._values -= 1
        if depth > _MAX_DEPTH or self._values < 0:
            return _TOO_LONG if self._thorough else value
        if isinstance(value, Mapping):
            items = cast("Any", value).items()
            return {
                self._text(key, False) if isinstance(key, str) else key: self._clean(one, is_message, depth + 1)
                for key, one in items
            }
        if isinstance(value, (Sequence, Set)) and not isinstance(value, (bytes, bytearray, memoryview)):
            return [self._clean(one, is_message, depth + 1) for one in cast("Sequence[Any]", value)]
        text = str(value) if isinstance(value, BaseException) else safe_repr(value)
        cleaned = self._text(text, is_message)
        return cast("Any", value) if cleaned == text else cleaned

    def _text(self, text: str, is_message: bool) -> str:
        if len(text) > min(_LONGEST_STRING, self._characters):
            if not self._thorough:
                return text
            text = text[: max(0, min(_LONGEST_STRING, self._characters))] + _TOO_LONG
        self._characters -= len(text)
        cleaned = self._redact(text, is_message)
        if cleaned != text:
            self.found = True
        return cleaned
