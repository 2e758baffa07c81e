"""A content block, whole and in the pieces in which it is streamed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from claudescope.simulator.randomness import Dice

__all__ = ["Block", "Delta", "chunks"]


@dataclass(frozen=True)
class Delta:
    """One piece of a block.

    Attributes:
        delta: The `delta` object of the event.
        tokens: How many tokens it took the model, for the pace of the stream.
    """

    delta: dict[str, Any]
    tokens: int


@dataclass(frozen=True)
class Block:
    """One content block.

    Attributes:
        content: The whole block.
        start: What `content_block_start` says of it.
        deltas: Its pieces; none for a block that comes in one piece.
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
        """The tokens of all pieces."""
        return sum(delta.tokens for delta in self.deltas)


def chunks(text: str, dice: Dice, purpose: str) -> list[str]:
    """Cut a text behind blanks into pieces of a few words each, which joined are the text again."""
    rng = dice.rng(f"chunks of {purpose}")
    words = text.split(" ")
    pieces: list[str] = []
    place = 0
    while place < len(words):
        size = rng.randint(3, 8)
        pieces.append(" ".join(words[place : place + size]))
        place += size
    return [piece if number == len(pieces) - 1 else piece + " " for number, piece in enumerate(pieces) if text]
