"""Random numbers that depend on a request's content, and not on when it arrives."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import string
from collections import Counter

__all__ = ["Randomness", "RandomnessSource", "lognormal"]

_ALPHABET = string.digits + string.ascii_letters


class Randomness:
    """The random numbers of one request.

    Each purpose has its own generator, so that drawing more for one does not change the others.
    """

    def __init__(self, key: str) -> None:
        self._key = key

    def rng(self, purpose: str) -> random.Random:
        """Return a generator that is the same for the same request and purpose."""
        return random.Random(f"{self._key}:{purpose}")  # noqa: S311 - reproducible by intent, guards nothing

    def identifier(self, prefix: str) -> str:
        """Return an id: the prefix, such as `msg_01`, and 22 random letters and digits. Each prefix has one id."""
        return prefix + "".join(self.rng(f"id:{prefix}").choices(_ALPHABET, k=22))

    def child(self, name: str) -> Randomness:
        """Return the random numbers of a part of the request, such as one message of a batch."""
        return Randomness(f"{self._key}/{name}")


class RandomnessSource:
    """Gives every request its random numbers, by seed, content, attempt and how often the same request came before.

    Equal requests get different random numbers. As a group they always get the same ones, in whatever order they
    arrive.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._seen: Counter[bytes] = Counter()

    def draw(self, method: str, path: str, body: bytes, attempt: str) -> Randomness:
        """Return the random numbers of a request.

        Args:
            method: HTTP method.
            path: Path with query.
            body: The body as sent. White space and the order of keys in JSON make no difference.
            attempt: The header `x-stainless-retry-count`, or `"0"`.
        """
        with contextlib.suppress(ValueError, RecursionError):  # a body that is not JSON is used as it is
            body = json.dumps(json.loads(body), sort_keys=True).encode()
        digest = hashlib.sha256(f"{self._seed} {attempt} {method} {path} ".encode() + body).digest()
        occurrence = self._seen[digest]
        self._seen[digest] += 1
        return Randomness(f"{digest.hex()}:{occurrence}")

    def clear(self) -> None:
        """Forget all earlier requests."""
        self._seen.clear()


def lognormal(rng: random.Random, median: float, sigma: float) -> float:
    """Draw from a lognormal distribution with this median; 0 where the median is 0."""
    return median * rng.lognormvariate(0.0, sigma)
