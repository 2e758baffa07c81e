"""Remembers which exception ended which call, and which exceptions were reported to Sentry."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from claudescope._internal.fork import renew_in_child
from claudescope.schema.record import CallRecord

__all__ = ["EXCEPTIONS", "Entry", "ExceptionRegistry"]

MAX_REMEMBERED: Final = 512
"""Exceptions remembered at a time."""

MAX_KEPT_ALIVE: Final = 4
"""Exceptions kept alive at a time, of classes without weak references."""

MAX_BESIDE: Final = 64
"""Other members of exception groups that are remembered with one failed call."""


class Entry:
    """What is known of an exception. Whoever keeps it may still have it when the exception is freed.

    Attributes:
        error: Returns the exception; None where it was freed.
        record: The call that it ended; None where it ended none, or the probe did not see it.
        error_type: The name of the error type; None where that was never asked for.
        reported: Whether it was reported to Sentry.
        beside: Other members of the exception groups that it was reported in.
    """

    __slots__ = ("beside", "error", "error_type", "record", "reported")

    def __init__(self, error: Callable[[], BaseException | None]) -> None:
        self.error = error
        self.record: CallRecord | None = None
        self.error_type: str | None = None
        self.reported = False
        self.beside: frozenset[tuple[int, str]] = frozenset()


class ExceptionRegistry:
    """A bounded memory of exceptions, by identity. Thread-safe. Does not change the exceptions.

    It holds weak references, so that an exception and its frames are freed as without it. Built-in and compiled
    classes, such as `TypeError` and pydantic's `ValidationError`, allow no weak reference: the last four are kept.
    """

    def __init__(self) -> None:
        # Reentrant: a finalizer that runs in between may log, and so report an event.
        self._lock = threading.RLock()
        renew_in_child(self, "_lock")
        self._weak: OrderedDict[int, Entry] = OrderedDict()
        self._kept_alive: OrderedDict[int, Entry] = OrderedDict()

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
            return self._is_reported(error)

    def entry_of(self, error: BaseException, error_type: str) -> Entry | None:
        """Return the entry of a failed call's exception; None where it would keep the exception alive.

        Args:
            error: The exception.
            error_type: The name of its error type.
        """
        with self._lock:
            entry = self._entry(error)
            entry.error_type = error_type
            return entry if id(error) in self._weak else None

    def are_reported(self, errors: Iterable[BaseException], others: Iterable[BaseException] = ()) -> bool:
        """Whether all of some exceptions were reported.

        Args:
            errors: Exceptions of failed calls.
            others: Other members of an exception group. It is enough that a group with them was reported.
        """
        with self._lock:
            found = [self._find(error) for error in errors]
            return all(entry is not None and entry.reported for entry in found) and all(
                any(entry is not None and _key(other) in entry.beside for entry in found) or self._is_reported(other)
                for other in others
            )

    def mark_reported(self, errors: Iterable[BaseException], others: Iterable[BaseException] = ()) -> bool:
        """Mark exceptions as reported. Returns False where all of them were reported before."""
        return self.marker(errors, others)()

    def marker(
        self, errors: Iterable[BaseException], others: Iterable[BaseException] = (), gone: Entry | None = None
    ) -> Callable[[], bool]:
        """Return a function that does what `mark_reported` does, and keeps none of the exceptions alive.

        Args:
            errors: Exceptions of failed calls.
            others: Other members of an exception group.
            gone: What is known of a failed call whose exception may be freed.
        """
        with self._lock:
            ours = [self._remembered(error) for error in errors]
            # Exceptions of built-in classes can't be remembered for long, so each is remembered with a failed call.
            beside = frozenset(_key(other) for other in others if not self._is_reported(other))

        def mark() -> bool:
            with self._lock:
                entries = [entry for one in ours if (entry := self._by_id(one)) is not None]
                if gone is not None:
                    entries.append(gone)
                known = frozenset[tuple[int, str]]().union(*(entry.beside for entry in entries))
                first = not entries or not all(entry.reported for entry in entries) or not beside <= known
                for entry in entries:
                    entry.reported = True
                    if beside and len(entry.beside) < MAX_BESIDE:
                        entry.beside |= beside
                return first

        return mark

    def _is_reported(self, error: BaseException) -> bool:
        entry = self._find(error)
        return entry is not None and entry.reported

    def _remembered(self, error: BaseException) -> int:
        self._entry(error)
        return id(error)

    def _by_id(self, address: int) -> Entry | None:
        for entries in (self._weak, self._kept_alive):
            entry = entries.get(address)
            if entry is not None and entry.error() is not None:
                return entry
        return None

    def _find(self, error: BaseException) -> Entry | None:
        for entries in (self._weak, self._kept_alive):
            entry = entries.get(id(error))
            # Python reuses the address of a freed exception.
            if entry is not None and entry.error() is error:
                return entry
        return None

    def _entry(self, error: BaseException) -> Entry:
        entry = self._find(error)
        if entry is not None:
            return entry
        try:
            entries, limit, entry = self._weak, MAX_REMEMBERED, Entry(weakref.ref(error))
        except TypeError:
            entries, limit, entry = self._kept_alive, MAX_KEPT_ALIVE, Entry(lambda: error)
        entries[id(error)] = entry
        entries.move_to_end(id(error))
        while len(entries) > limit:
            entries.popitem(last=False)
        return entry


def _key(error: BaseException) -> tuple[int, str]:
    return id(error), type(error).__qualname__


EXCEPTIONS: Final = ExceptionRegistry()
"""The registry of this process."""
