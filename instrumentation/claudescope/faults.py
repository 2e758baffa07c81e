"""What goes wrong inside claudescope itself: counted and logged once, never raised into the app."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Mapping

from claudescope.forks import renew_in_child

__all__ = ["counts", "note"]

_log = logging.getLogger("claudescope")
_counts: dict[str, int] = {}
_lock = threading.Lock()
renew_in_child(sys.modules[__name__], "_lock")


def note(component: str) -> None:
    """Count a fault, from inside the `except` that caught it. Never raises.

    Args:
        component: The part that failed, such as `probe` or a sink's name. Its first fault is logged at debug with
            the traceback; later ones are only counted, in `claudescope.faults`.
    """
    with _lock:
        seen = _counts.get(component, 0)
        _counts[component] = seen + 1
    if not seen:
        _log.debug("claudescope: a fault in %s; the app is not affected", component, exc_info=True)


def counts() -> Mapping[str, int]:
    """How many faults each component has had in this process."""
    with _lock:
        return dict(_counts)
