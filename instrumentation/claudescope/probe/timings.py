"""The times of a call: when it began, and when the events of its stream arrived."""

from __future__ import annotations

import math
import time
from datetime import datetime, timezone

__all__ = ["CallTimings"]


class CallTimings:
    """Measures the times of one call. Durations come from a monotonic clock.

    Attributes:
        began_at: When the call began, in UTC.
        first_content: When the first content event arrived, on `time.perf_counter`; None before it.
        last_content: When the last content event arrived, likewise.
        last_event: When the last event arrived, likewise; `math.inf` before the first, so that the first ends no gap.
        longest_gap: Longest gap between two events so far, in seconds; negative before the second event.
    """

    # On the class, as most stay as they are: every call has one of these, and most calls are not streams.
    first_content: float | None = None
    last_content: float | None = None
    last_event: float = math.inf
    longest_gap: float = -1.0
    _ended: float | None = None

    def __init__(self) -> None:
        self.began_at = datetime.now(timezone.utc)
        self._began = time.perf_counter()

    def event(self, *, content: bool) -> None:
        """An event arrived now; `content` says whether it carries a piece of the answer."""
        now = time.perf_counter()
        self.longest_gap = max(self.longest_gap, now - self.last_event)
        self.last_event = now
        if content:
            if self.first_content is None:
                self.first_content = now
            self.last_content = now

    def stop(self) -> None:
        """The call ends now, even where its record is made later. Only the first stop counts."""
        if self._ended is None:
            self._ended = time.perf_counter()

    @property
    def duration(self) -> float:
        """Seconds from the start to the stop, or until now."""
        return (self._ended or time.perf_counter()) - self._began

    @property
    def time_to_first_content(self) -> float | None:
        """Seconds from the start to the first content; None before it."""
        return None if self.first_content is None else self.first_content - self._began

    @property
    def stall(self) -> float | None:
        """Seconds of the longest gap between two events; None before the second event."""
        return None if self.longest_gap < 0 else self.longest_gap

    @property
    def content_seconds(self) -> float | None:
        """Seconds from the first content event to the last; None before the second."""
        if self.first_content is None or self.last_content is None or self.last_content == self.first_content:
            return None
        return self.last_content - self.first_content
