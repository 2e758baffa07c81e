"""Remembers which exception ended which call, and which exceptions were reported to Sentry."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from claudescope._internal.fork import renew_in_child
from claudescope.schema.record import CallRecord

__all__ = ["EXCEPTIONS", "ExceptionRegistry"]

MAX_REMEMBERED: Final = 512
"""Exceptions remembered at a time."""

MAX_KEPT_ALIVE: Final = 4
"""Exceptions kept alive at a time, of classes without weak references."""


class _Entry:
    __slots__ = ("error", "record", "reported", "seen")

    def __init__(self, error: Callable[[], BaseException | None]) -> None:
        self.error = error
        self.record: CallRecord | None = None
        self.reported = False
        self.seen = False


class ExceptionRegistry:
    """A bounded memory of exceptions, by identity. Thread-safe. Does not change the exceptions.

    It holds weak references, so that an exception and its frames are freed as without it. Built-in and compiled
    classes, such as `TypeError` and pydantic's `ValidationError`, allow no weak reference: the last four are kept.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        renew_in_child(self, "_lock")
        self._weak: OrderedDict[int, _Entry] = OrderedDict()
        self._kept_alive: OrderedDict[int, _Entry] = OrderedDict()

    def remember(self, error: BaseException, record: CallRecord) -> None:
        """Remember that `error` ended the call of `record`."""
        with self._lock:
            self._entry(error).record = record

    def record_of(self, error: BaseException) -> CallRecord | None:
        """The call that `error` ended; None where it ended none, or is no longer remembered."""
        with self._lock:
            entry = self._find(error)
            return None if entry is None else entry.record

    def is_reported(self, error: BaseException) -> bool:
        """Whether `error` was reported to Sentry."""
        with self._lock:
            entry = self._find(error)
            return entry is not None and entry.reported

    def are_reported(self, errors: Iterable[BaseException], others: Iterable[BaseException] = ()) -> bool:
        """Whether all of some exceptions were reported.

        Args:
            errors: Exceptions of failed calls.
            others: Other members of an exception group. It is enough that a group with them was reported.
        """
        with self._lock:
            found = [self._find(error) for error in errors]
            seen = [self._find(error) for error in others]
            return all(entry is not None and entry.reported for entry in found) and all(
                entry is not None and (entry.seen or entry.reported) for entry in seen
            )

    def mark_reported(self, errors: Iterable[BaseException], others: Iterable[BaseException] = ()) -> bool:
        """Mark exceptions as reported. Returns False where all of them were reported before."""
        return self.marker(errors, others)()

    def marker(self, errors: Iterable[BaseException], others: Iterable[BaseException] = ()) -> Callable[[], bool]:
        """Return a function that does what `mark_reported` does, and keeps none of the exceptions alive."""
        with self._lock:
            ours = [self._remembered(error) for error in errors]
            foreign = [self._remembered(error) for error in others]

        def mark() -> bool:
            with self._lock:
                entries = [entry for one in ours if (entry := self._by_id(one)) is not None]
                members = [entry for one in foreign if (entry := self._by_id(one)) is not None]
                known = all(entry.reported for entry in entries) and all(
                    entry.seen or entry.reported for entry in members
                )
                first = not known or not (entries or members)
                for entry in entries:
                    entry.reported = True
                for entry in members:
                    entry.seen = True
                return first

        return mark

    def _remembered(self, error: BaseException) -> int:
        self._entry(error)
        return id(error)

    def _by_id(self, address: int) -> _Entry | None:
        for entries in (self._weak, self._kept_alive):
            entry = entries.get(address)
            if entry is not None and entry.error() is not None:
                return entry
        return None

    def _find(self, error: BaseException) -> _Entry | None:
        for entries in (self._weak, self._kept_alive):
            entry = entries.get(id(error))
            # Python reuses the address of a freed exception.
            if entry is not None and entry.error() is error:
                return entry
        return None

    def _entry(self, error: BaseException) -> _Entry:
        entry = self._find(error)
        if entry is not None:
            return entry
        try:
            entries, limit, entry = self._weak, MAX_REMEMBERED, _Entry(weakref.ref(error))
        except TypeError:
            entries, limit, entry = self._kept_alive, MAX_KEPT_ALIVE, _Entry(lambda: error)
        entries[id(error)] = entry
        entries.move_to_end(id(error))
        while len(entries) > limit:
            entries.popitem(last=False)
        return entry


EXCEPTIONS: Final = ExceptionRegistry()
"""The registry of this process."""
