"""Options whose value may be left out, which typer does not have."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from typer.core import TyperCommand

__all__ = ["OptionalValues"]


class OptionalValues(TyperCommand):
    """A command with such options.

    Attributes:
        defaults: The value of each such option where an option, an existing folder or nothing follows it.
    """

    defaults: ClassVar[Mapping[str, str]] = {}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give the options their default values where these are left out. What follows `--` stays as it is."""
        own = args[: args.index("--")] if "--" in args else args
        filled: list[str] = []
        for word, following in itertools.zip_longest(own, args[1 : len(own) + 1]):
            filled.append(word)
            if word in self.defaults and (following is None or following.startswith("-") or self.is_other(following)):
                filled.append(self.defaults[word])
        return super().parse_args(ctx, filled + args[len(own) :])

    def is_other(self, word: str) -> bool:
        """Whether a word that follows such an option is no value of it."""
        return Path(word).exists()
