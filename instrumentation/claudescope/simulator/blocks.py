"""Content blocks, complete and as the deltas of a stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from claudescope.simulator.randomness import Randomness

__all__ = ["Block", "Delta", "chunks"]


@dataclass(frozen=True)
class Delta:
    """One delta of a block.

    Attributes:
        delta: The `delta` object of the event.
        tokens: How many tokens the model wrote for it, which sets the pace of the stream.
    """

    delta: dict[str, Any]
    tokens: int


@dataclass(frozen=True)
class Block:
    """One content block.

    Attributes:
        content: The complete block.
        start: The block in the event `content_block_start`.
        deltas: Its deltas; empty for a block that is sent at once.
    """

    content: dict[str, Any]
    start: dict[str, Any]
    deltas: list[Delta] = field(default_factory=list[Delta])

    @property
    def kind(self) -> str:
        """The block's type."""
        return str(self.content["type"])

    @property
    def tokens(self) -> int:
        """The tokens of all deltas."""
        return sum(delta.tokens for delta in self.deltas)


def chunks(text: str, randomness: Randomness, purpose: str) -> list[str]:
    """Split a text after spaces into pieces of a few words. Joined, the pieces are the text."""
    rng = randomness.rng(f"chunks of {purpose}")
    words = text.split(" ")
    pieces: list[str] = []
    place = 0
    while place < len(words):
        size = rng.randint(3, 8)
        pieces.append(" ".join(words[place : place + size]))
        place += size
    return [piece if number == len(pieces) - 1 else piece + " " for number, piece in enumerate(pieces) if text]
