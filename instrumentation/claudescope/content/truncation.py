"""Redacts the parts of a message, and then cuts them to the size limit: half a secret is still a secret."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from claudescope._internal import internal_errors
from claudescope.content.options import Redact
from claudescope.content.parts import Part

__all__ = ["Budget", "fitted", "redacted", "to_json"]


def to_json(value: object) -> str:
    """Compact JSON. A value that JSON can't hold is replaced by the name of its type."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=lambda item: type(item).__name__)


def _size(value: object) -> int:
    return len(to_json(value).encode("utf-8", "surrogatepass"))


def redacted(role: str, part: Part, redact: Redact | None) -> Part | None:
    """The part after the app's redaction; None where nothing of it may be recorded. Never raises."""
    if redact is None:
        return part
    try:
        kept: object = redact(role, part)
        if kept is None:
            return None
        if not isinstance(kept, Mapping):
            raise TypeError(f"redact returned {type(kept).__name__}: expected a part or None")  # noqa: TRY301 - to count it
        return dict(kept)
    except Exception:  # noqa: BLE001 - a part that could not be redacted is not recorded
        internal_errors.record("content")
        return None


class Budget:
    """The bytes that are left of an attribute's size limit.

    Attributes:
        truncated: Whether something did not fit.
        full: Whether nothing more fits.
    """

    def __init__(self, size: int) -> None:
        self._left = size - 2  # the brackets of a list
        self.truncated = False
        self.full = False

    def spend(self, value: object) -> bool:
        """Take the bytes of `value` and a comma, and return whether they fit."""
        size = _size(value) + 1
        if size > self._left:
            return False
        self._left -= size
        return True

    def take(self, part: Part) -> Part | None:
        """The part, with its text cut where it does not fit; None where nothing of it fits."""
        if self.full:
            self.truncated = True
            return None
        text: Any = part.get("content")
        if isinstance(text, str) and len(text) > self._left:
            part = {**part, "content": text[: max(self._left, 0)]}
            self.truncated = True
        if self.spend(part):
            return part
        self.truncated = self.full = True
        cut = self._cut(part)
        if cut is not None:
            self.spend(cut)
        return cut

    def _cut(self, part: Part) -> Part | None:
        text: Any = part.get("content")
        while isinstance(text, str) and text:
            over = _size({**part, "content": text}) + 1 - self._left
            if over <= 0:
                return {**part, "content": text}
            # A character takes at most six bytes of JSON, so this cuts at most six bytes too much.
            text = text[: -max(over // 6, 1)]
        return None


def fitted(parts: Iterable[Part], budget: Budget) -> list[Part]:
    """The parts that fit, in order, the last one cut."""
    return [kept for part in parts if (kept := budget.take(part)) is not None]
