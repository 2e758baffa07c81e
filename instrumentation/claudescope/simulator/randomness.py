"""Randomness that depends on what was asked, never on when it arrived."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import string
from collections import Counter

__all__ = ["Dice", "DiceBox", "lognormal"]

_ALPHABET = string.digits + string.ascii_letters


class Dice:
    """The random numbers of one request.

    Each purpose has a stream of its own, so that drawing more for one leaves the others as they were.
    """

    def __init__(self, key: str) -> None:
        self._key = key

    def rng(self, purpose: str) -> random.Random:
        """A generator that is the same for the same request and purpose."""
        return random.Random(f"{self._key}:{purpose}")  # noqa: S311 - reproducible by intent, guards nothing

    def identifier(self, prefix: str) -> str:
        """An id of 22 random letters and digits after the prefix, such as `msg_01`. One for each prefix."""
        return prefix + "".join(self.rng(f"id:{prefix}").choices(_ALPHABET, k=22))

    def child(self, name: str) -> Dice:
        """The dice of a part of the request, such as one message of a batch."""
        return Dice(f"{self._key}/{name}")


class DiceBox:
    """Gives every request its dice: by the seed, what it says, which attempt it is, and how often that came before.

    Requests that say the same get different dice; together they always get the same
    ones, in whatever order they arrive.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._seen: Counter[bytes] = Counter()

    def draw(self, method: str, path: str, body: bytes, attempt: str) -> Dice:
        """The dice of a request.

        Args:
            method: HTTP method.
            path: Path with query.
            body: The body as sent. JSON counts as the same however it is spaced and ordered.
            attempt: The header `x-stainless-retry-count`, or `"0"`.
        """
        with contextlib.suppress(ValueError, RecursionError):  # what is not JSON counts as it is
            body = json.dumps(json.loads(body), sort_keys=True).encode()
        digest = hashlib.sha256(f"{self._seed} {attempt} {method} {path} ".encode() + body).digest()
        occurrence = self._seen[digest]
        self._seen[digest] += 1
        return Dice(f"{digest.hex()}:{occurrence}")

    def clear(self) -> None:
        """Forget what came before."""
        self._seen.clear()


def lognormal(rng: random.Random, median: float, sigma: float) -> float:
    """A lognormal draw by its median; 0 if the median is."""
    return median * rng.lognormvariate(0.0, sigma)
