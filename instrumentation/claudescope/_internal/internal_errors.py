"""Records what fails inside claudescope itself: counts it and logs the first one, and never raises into the app."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Final

from claudescope._internal.counters import INTERNAL_ERRORS

__all__ = ["counts", "record"]

_log: Final = logging.getLogger("claudescope")

counts: Final = INTERNAL_ERRORS.counts
"""How many internal errors each component has had in this process."""


def record(component: str) -> None:
    """Count an internal error, from inside the `except` that caught it. Never raises.

    Args:
        component: The part that failed, such as `probe` or a sink's name. Its first error is logged at debug with its
            traceback but without the exception's message, which may quote a prompt. Later ones are only counted, in
            `claudescope.internal_errors`.
    """
    if INTERNAL_ERRORS.add(component) == 1:
        error_class, _, where = sys.exc_info()
        _log.debug(
            "claudescope: internal error in %s; the app is not affected: %s\n%s",
            component,
            "unknown" if error_class is None else error_class.__qualname__,
            "".join(traceback.format_tb(where)),
        )
