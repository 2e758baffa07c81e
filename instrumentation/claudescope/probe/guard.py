"""Keeps internal errors away from the app."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from claudescope._internal import internal_errors

__all__ = ["guarded"]

_P = ParamSpec("_P")


def guarded(method: Callable[_P, None]) -> Callable[_P, None]:
    """Make a method that counts an internal error instead of raising it into the app."""

    @wraps(method)
    def never_raises(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("probe")

    return never_raises
