"""Keeps the probe's own faults from the app."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from claudescope import faults

__all__ = ["guarded"]

_P = ParamSpec("_P")


def guarded(method: Callable[_P, None]) -> Callable[_P, None]:
    """Count what goes wrong in `method` instead of raising it: our fault is not the app's."""

    @wraps(method)
    def never_raises(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except Exception:  # noqa: BLE001 - see above
            faults.note("probe")

    return never_raises
