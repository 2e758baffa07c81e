"""What goes wrong inside claudescope itself: counted and logged once, never raised into the app."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Mapping

from claudescope._internal.fork import renew_in_child

__all__ = ["counts", "record"]

_log = logging.getLogger("claudescope")
_counts: dict[str, int] = {}
_lock = threading.Lock()
renew_in_child(sys.modules[__name__], "_lock")


def record(component: str) -> None:
    """Count a fault, from inside the `except` that caught it. Never raises.

    Args:
        component: The part that failed, such as `probe` or a sink's name. Its first fault is logged at debug with
            where it happened, and without the exception's message, which may quote a prompt; later ones are only
            counted, in `claudescope.internal_errors`.
    """
    with _lock:
        seen = _counts.get(component, 0)
        _counts[component] = seen + 1
    if not seen:
        kind, _, where = sys.exc_info()
        _log.debug(
            "claudescope: a fault in %s; the app is not affected: %s\n%s",
            component,
            "unknown" if kind is None else kind.__qualname__,
            "".join(traceback.format_tb(where)),
        )


def counts() -> Mapping[str, int]:
    """How many faults each component has had in this process."""
    with _lock:
        return dict(_counts)
