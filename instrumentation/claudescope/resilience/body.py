"""Reads the body of a request to the Messages API, as an app gave it to the SDK.

Its parts are dicts, or models of the SDK where the app sent back what it got. A part that has another type is as good
as missing: the API will say what is wrong with it. Nothing here raises because of what an app sends.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from claudescope.probe.response import field_of

__all__ = ["Estimate", "blocks", "digest", "estimate_tokens", "mapping", "plain", "sequence", "turns", "whole"]

_MAX_DEPTH: Final = 100


def mapping(value: object) -> Mapping[str, Any]:
    """The value where it is a mapping or a model, else an empty mapping."""
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value)
    to_dict = getattr(value, "to_dict", None)
    if callable(to_dict):
        made = to_dict()
        if isinstance(made, dict):
            return cast("dict[str, Any]", made)
    return {}


def sequence(value: object) -> list[Any]:
    """The value as a list where it is a list or a tuple, else an empty list. An iterator is left alone."""
    return list(cast("list[Any]", value)) if isinstance(value, (list, tuple)) else []


def whole(value: object) -> int | None:
    """The value where it is a whole number, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def turns(body: object) -> list[Any]:
    """The messages of a body."""
    return sequence(field_of(body, "messages"))


def blocks(content: object) -> Iterator[Any]:
    """The content blocks of a message or of a tool result, and those inside of tool results."""
    todo = sequence(content)[::-1]
    while todo:
        block = todo.pop()
        yield block
        if field_of(block, "type") in ("tool_result", "document", "search_result"):
            inner = field_of(block, "content") or field_of(field_of(block, "source"), "content")
            todo += sequence(inner)[::-1]


def plain(value: object, depth: int = 0) -> Any:
    """The value as JSON has it: models become dicts, tuples lists; what JSON does not know becomes its text.

    Raises:
        ValueError: It is nested too deeply.
    """
    if depth > _MAX_DEPTH:
        raise ValueError("the body is nested too deeply")
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in cast("list[object]", value)]
    if isinstance(value, Mapping) or callable(getattr(value, "to_dict", None)):
        return {str(key): plain(item, depth + 1) for key, item in mapping(value).items()}  # pyright: ignore[reportUnknownArgumentType]
    return str(value)


def digest(body: Mapping[str, Any], *, scope: str = "", without: frozenset[str] = frozenset({"stream"})) -> str | None:
    """A key that two requests share if they ask the same: the SHA-256 of the body in one canonical form.

    Args:
        body: The body.
        scope: What else tells calls apart, such as the account.
        without: Parameters that make no difference.

    Returns:
        64 hexadecimal digits; None for a body that has no canonical form, such as one with an iterator or a file.
    """
    try:
        kept = {key: value for key, value in body.items() if key not in without}
        text = json.dumps([scope, kept], sort_keys=True, separators=(",", ":"), default=_exact, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _exact(value: object) -> Any:
    """A model as a dict. Anything else has no canonical form."""
    to_dict = getattr(value, "to_dict", None)
    if not callable(to_dict):
        raise TypeError("no canonical form")
    return to_dict(mode="json")


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many tokens a request has, without asking the API.

    Attributes:
        low: Hardly any text has fewer.
        likely: What English prose or code has.
        high: Hardly any text has more.
    """

    low: int
    likely: int
    high: int


# Characters for a token. Prose has 3.5 to 4.5 with the tokenizers until Claude 4.6, and a quarter less with later ones;
# runs of spaces have many more; other scripts than Latin have 1 to 2, emoji less than 1.
_LOW_PER_TOKEN: Final = 8.0
_LIKELY_PER_TOKEN: Final = 3.2
_OTHER_SCRIPTS_PER_TOKEN: Final = 1.2
# https://platform.claude.com/docs/en/build-with-claude/vision: an image has width x height / 750 tokens, at most about
# 1,600, or 4,784 on models with high-resolution images.
_IMAGE: Final = (50, 1_600, 4_800)
# https://platform.claude.com/docs/en/build-with-claude/pdf-support: a page has 1,500 to 3,000 tokens, and its image.
_DOCUMENT: Final = (500, 3_000, 300_000)
_OVERHEAD_PER_TURN: Final = 8
_TOOLS: Final = 350


def estimate_tokens(body: Mapping[str, Any]) -> Estimate:
    """Estimate the input tokens of a request from the length of its texts. Takes about a nanosecond a character."""
    counter = _Counter()
    counter.add(field_of(body, "system"))
    for turn in turns(body):
        counter.fixed(_OVERHEAD_PER_TURN // 2, _OVERHEAD_PER_TURN, 2 * _OVERHEAD_PER_TURN)
        counter.add(field_of(turn, "content"))
    tools = sequence(field_of(body, "tools"))
    if tools:
        counter.fixed(0, _TOOLS, 3 * _TOOLS)
        counter.add(tools)
    counter.add(field_of(field_of(body, "output_config"), "format"))
    return Estimate(int(counter.low), int(counter.likely) + 1, int(counter.high) + 1)


class _Counter:
    __slots__ = ("high", "likely", "low")

    def __init__(self) -> None:
        self.low = self.likely = self.high = 0.0

    def fixed(self, low: float, likely: float, high: float) -> None:
        self.low += low
        self.likely += likely
        self.high += high

    def add(self, value: object) -> None:
        todo: list[tuple[object, int]] = [(value, 0)]
        while todo:
            part, depth = todo.pop()
            if isinstance(part, str):
                self._text(part)
            elif isinstance(part, (list, tuple)):
                todo += [(item, depth + 1) for item in cast("list[object]", part)]
            elif part is not None and depth < _MAX_DEPTH and not isinstance(part, (int, float, bytes)):
                self._object(part, todo, depth)

    def _object(self, part: object, todo: list[tuple[object, int]], depth: int) -> None:
        block_type = field_of(part, "type")
        if block_type == "image":
            self.fixed(*_IMAGE)
        elif block_type == "document" and field_of(field_of(part, "source"), "type") not in ("text", "content"):
            self.fixed(*_DOCUMENT)
        elif block_type not in ("thinking", "redacted_thinking"):  # the API leaves out that of earlier turns
            for key, item in mapping(part).items():
                if key not in ("type", "cache_control", "signature"):
                    if isinstance(item, (Mapping, list, tuple)):
                        self._text(key)
                    todo.append((cast("object", item), depth + 1))

    def _text(self, text: str) -> None:
        length = len(text)
        self.low += length / _LOW_PER_TOKEN
        if text.isascii():
            self.likely += length / _LIKELY_PER_TOKEN
            self.high += length / 2.0
        else:
            size = len(text.encode("utf-8", "surrogatepass"))
            other = (size - length) / 2.0  # about how many characters take more than one byte
            self.likely += max(length - other, 0.0) / _LIKELY_PER_TOKEN + other / _OTHER_SCRIPTS_PER_TOKEN
            self.high += float(size)
