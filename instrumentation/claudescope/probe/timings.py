"""When a call began, and when the events of its stream came."""

from __future__ import annotations

import math
import time
from datetime import datetime, timezone

__all__ = ["CallTimings"]


class CallTimings:
    """Takes the times of one call. Durations come from a clock that never goes back.

    Attributes:
        began_at: When the call began, in UTC.
        first_content: When the first content event came, on `time.perf_counter`; None before it.
        last_content: When the last content event came, likewise.
        last_event: When the last event came, likewise; `math.inf` before the first, which then ends no gap.
        longest_gap: Seconds of the longest gap between two events so far; negative below two.
    """

    # On the class, as most stay as they are: every call has one of these, and most are no streams.
    first_content: float | None = None
    last_content: float | None = None
    last_event: float = math.inf
    longest_gap: float = -1.0
    _ended: float | None = None

    def __init__(self) -> None:
        self.began_at = datetime.now(timezone.utc)
        self._began = time.perf_counter()

    def event(self, *, content: bool) -> None:
        """An event came now; `content` where it carries some of the answer."""
        now = time.perf_counter()
        self.longest_gap = max(self.longest_gap, now - self.last_event)
        self.last_event = now
        if content:
            if self.first_content is None:
                self.first_content = now
            self.last_content = now

    def stop(self) -> None:
        """The call ends now, whenever its record is made. The first stop counts."""
        if self._ended is None:
            self._ended = time.perf_counter()

    @property
    def duration(self) -> float:
        """Seconds from the beginning to the stop, or until now."""
        return (self._ended or time.perf_counter()) - self._began

    @property
    def time_to_first_content(self) -> float | None:
        """Seconds from the beginning to the first content; None before it."""
        return None if self.first_content is None else self.first_content - self._began

    @property
    def stall(self) -> float | None:
        """Seconds of the longest gap between two events; None below two."""
        return None if self.longest_gap < 0 else self.longest_gap

    @property
    def content_seconds(self) -> float | None:
        """Seconds from the first content to the last; None below two."""
        if self.first_content is None or self.last_content is None or self.last_content == self.first_content:
            return None
        return self.last_content - self.first_content
