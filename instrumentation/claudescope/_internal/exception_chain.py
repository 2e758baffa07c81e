"""Walks from an exception to those that it was raised from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, cast

__all__ = ["MAX_EXCEPTIONS", "members_of", "origin_of", "walk"]

MAX_EXCEPTIONS: Final = 32
"""Exceptions of a chain, and members of an exception group, that are looked at."""


def members_of(error: BaseException) -> tuple[BaseException, ...]:
    """The first members of an exception group; none for any other exception."""
    members: object = getattr(error, "exceptions", None)
    if not isinstance(members, tuple):
        return ()
    first = cast("tuple[object, ...]", members)[:MAX_EXCEPTIONS]
    return tuple(member for member in first if isinstance(member, BaseException))


def origin_of(error: BaseException) -> BaseException | None:
    """What an exception was raised from: its `__cause__`, else its `__context__` unless that is suppressed."""
    if error.__cause__ is not None:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


def _origin(error: BaseException) -> tuple[BaseException, ...]:
    origin = origin_of(error)
    return () if origin is None else (origin,)


def walk(
    error: BaseException, origins: Callable[[BaseException], tuple[BaseException, ...]] = _origin
) -> Iterator[BaseException]:
    """Yield an exception and those that it came from, each once and `MAX_EXCEPTIONS` at most.

    The members of a group come before its origins, depth first.

    Args:
        error: The exception.
        origins: What an exception was raised from; its `origin_of` by default.
    """
    pending, seen = [error], set[int]()
    while pending and len(seen) < MAX_EXCEPTIONS:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        # A stack: what is pushed last is looked at first.
        pending.extend(reversed((*members_of(current), *origins(current))))
