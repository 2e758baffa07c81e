"""Which models the API no longer serves, by their names."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_retired"]

_RETIRED: Final = re.compile(
    r"(^|[./:@])claude-("
    r"v?[12](\.\d+)?([-@:].*)?"
    r"|instant([-@.:].*)?"
    r"|3([-.@]?[57])?(-(opus|sonnet|haiku))?([-@:].*)?"
    r")$"
)
_NOT_OLD: Final = re.compile(r"claude-[12]\d")


def is_retired(name: str) -> bool:
    """Whether a model was retired before November 2026: Claude 3.7 and all older ones.

    Args:
        name: Its name in any platform's spelling.
    """
    return bool(_RETIRED.search(name)) and not _NOT_OLD.search(name)
