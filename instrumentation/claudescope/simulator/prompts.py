"""Counts the tokens of a prompt, and which of them the cache holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from claudescope.simulator.requests import CountRequest

__all__ = ["InputUsage", "PromptCache", "Segment", "count_tokens", "segments", "text_tokens"]

_CHARS_PER_TOKEN = 4
_MEDIA_TOKENS = 1500  # per image or page; base64 is not counted as text
_TURN_TOKENS = 3  # the role of the turn
_LOOKBACK = 20  # blocks before a breakpoint in which the API looks for an earlier cache entry
_LIFETIMES = {"5m": 300.0, "1h": 3600.0}


@dataclass(frozen=True)
class Segment:
    """A part of a prompt that can end a cached prefix.

    Attributes:
        text: The part in canonical form.
        tokens: Its number of tokens.
        ttl: `"5m"` or `"1h"` where a cache breakpoint follows; else None.
    """

    text: str
    tokens: int
    ttl: str | None = None


@dataclass(frozen=True)
class InputUsage:
    """How the tokens of a prompt are billed. The four values add up to the whole prompt."""

    uncached: int
    read: int = 0
    written_5m: int = 0
    written_1h: int = 0

    @property
    def total(self) -> int:
        """The whole prompt."""
        return self.uncached + self.read + self.written_5m + self.written_1h


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text: one per four characters, at least 1."""
    return max(1, -(-len(text) // _CHARS_PER_TOKEN))


def _ttl(control: Any) -> str | None:
    if not isinstance(control, dict):
        return None
    return "1h" if control.get("ttl") == "1h" else "5m"  # pyright: ignore[reportUnknownMemberType]


def _block(block: dict[str, Any]) -> Segment:
    bare = {key: value for key, value in block.items() if key != "cache_control"}
    source = bare.get("source")
    text = json.dumps(bare, sort_keys=True, ensure_ascii=False)
    if isinstance(source, dict) and source.get("type") == "base64":  # pyright: ignore[reportUnknownMemberType]
        tokens = _MEDIA_TOKENS
    elif bare.get("type") == "text":
        tokens = text_tokens(str(bare.get("text", "")))
    else:
        tokens = text_tokens(text)
    return Segment(text, tokens, _ttl(block.get("cache_control")))


def _blocks(content: str | list[dict[str, Any]]) -> Iterator[Segment]:
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        yield _block(block)


def segments(request: CountRequest) -> list[Segment]:
    """Return the parts of a prompt in the order in which the API caches them: tools, system, messages."""
    parts = [_block(tool) for tool in request.tools]
    parts += _blocks(request.system or [])
    for turn in request.messages:
        for place, part in enumerate(_blocks(turn.content)):
            tokens = part.tokens + (0 if place else _TURN_TOKENS)
            parts.append(Segment(f"{turn.role}: {part.text}", tokens, part.ttl))
    whole = _ttl(request.cache_control)
    if whole is not None and parts:
        parts[-1] = Segment(parts[-1].text, parts[-1].tokens, whole)
    return parts


def count_tokens(request: CountRequest) -> int:
    """The tokens of a prompt."""
    return sum(part.tokens for part in segments(request))


@dataclass(frozen=True)
class _Entry:
    expires: float
    lifetime: float


class PromptCache:
    """The cached prefixes that have not expired. A read renews a prefix.

    Args:
        clock: Monotonic clock, in seconds.
        min_tokens: The shortest prefix that is cached, in tokens.
    """

    def __init__(self, clock: Callable[[], float], min_tokens: int) -> None:
        self._clock = clock
        self._min_tokens = min_tokens
        self._entries: dict[bytes, _Entry] = {}

    def bill(self, model: str, parts: list[Segment]) -> tuple[InputUsage, Callable[[], None]]:
        """Return how a prompt is billed.

        Returns:
            The usage, and a function that remembers the prefixes that the prompt writes and reads, for when it is
            accepted.
        """
        now = self._clock()
        keys, sums = _prefixes(model, parts)
        breakpoints = [place for place, part in enumerate(parts) if part.ttl and sums[place] >= self._min_tokens]
        looked_at = {place for end in breakpoints for place in range(max(0, end - _LOOKBACK), end + 1)}
        hit = max((place for place in looked_at if self._lives(keys[place], now)), default=None)
        touched: dict[bytes, _Entry] = {}
        written = {"5m": 0, "1h": 0}
        reached = read = 0
        if hit is not None:
            reached = read = sums[hit]
            touched[keys[hit]] = _Entry(now + self._entries[keys[hit]].lifetime, self._entries[keys[hit]].lifetime)
        for place in breakpoints:
            ttl = parts[place].ttl or "5m"
            if sums[place] > reached:
                written[ttl] += sums[place] - reached
                reached = sums[place]
                touched[keys[place]] = _Entry(now + _LIFETIMES[ttl], _LIFETIMES[ttl])
        usage = InputUsage(sums[-1] - reached, read, written["5m"], written["1h"])
        return usage, lambda: self._entries.update(touched)

    def _lives(self, key: bytes, now: float) -> bool:
        return key in self._entries and self._entries[key].expires > now


def _prefixes(model: str, parts: list[Segment]) -> tuple[list[bytes], list[int]]:
    """Return the key and the token count of the prefix that ends with each part."""
    digest = hashlib.sha256(model.encode())
    keys: list[bytes] = []
    sums: list[int] = []
    for part in parts:
        text = part.text.encode(errors="surrogatepass")
        digest.update(f"{len(text)}:".encode() + text)
        keys.append(digest.digest())
        sums.append((sums[-1] if sums else 0) + part.tokens)
    return keys, sums
