"""When a call began, and when the events of its stream came."""

from __future__ import annotations

import time
from datetime import datetime, timezone

__all__ = ["CallClock"]


class CallClock:
    """Takes the times of one call. Durations come from a clock that never goes back.

    Attributes:
        longest_gap: Seconds of the longest gap between two events; None below two.
    """

    __slots__ = ("_began", "_began_at", "_ended", "_first_content", "_last_content", "_last_event", "longest_gap")

    def __init__(self) -> None:
        self._began_at = time.time()
        self._began = time.perf_counter()
        self._ended: float | None = None
        self._first_content: float | None = None
        self._last_content: float | None = None
        self._last_event: float | None = None
        self.longest_gap: float | None = None

    def event(self, *, content: bool) -> None:
        """An event came now; `content` where it carries some of the answer."""
        now = time.perf_counter()
        last, self._last_event = self._last_event, now
        if last is not None and (self.longest_gap is None or now - last > self.longest_gap):
            self.longest_gap = now - last
        if content:
            if self._first_content is None:
                self._first_content = now
            self._last_content = now

    def stop(self) -> None:
        """The call ends now, whenever its record is made. The first stop counts."""
        if self._ended is None:
            self._ended = time.perf_counter()

    @property
    def began_at(self) -> datetime:
        """When the call began, in UTC."""
        return datetime.fromtimestamp(self._began_at, timezone.utc)

    @property
    def duration(self) -> float:
        """Seconds from the beginning to the stop, or until now."""
        return (self._ended or time.perf_counter()) - self._began

    @property
    def time_to_first_content(self) -> float | None:
        """Seconds from the beginning to the first content; None before it."""
        return None if self._first_content is None else self._first_content - self._began

    @property
    def content_seconds(self) -> float | None:
        """Seconds from the first content to the last; None below two."""
        if self._first_content is None or self._last_content is None or self._last_content == self._first_content:
            return None
        return self._last_content - self._first_content
