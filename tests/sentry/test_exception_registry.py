"""The memory of exceptions: by identity, bounded, and without keeping any alive."""

from __future__ import annotations

import gc
import weakref

import pytest

from claudescope.sentry.exception_registry import MAX_KEPT_ALIVE, MAX_REMEMBERED, ExceptionRegistry
from tests.records import make_record
from tests.sentry.failures import AppError


def test_by_identity() -> None:
    """Equal exceptions are different failures."""
    memory, first, second = ExceptionRegistry(), AppError("x"), AppError("x")
    record = make_record()
    memory.remember(first, record)
    assert (memory.record_of(first), memory.record_of(second)) == (record, None)


def test_keeps_nothing_alive() -> None:
    """An exception goes, with its frames, when the app lets go of it."""
    memory, error = ExceptionRegistry(), AppError("x")
    memory.remember(error, make_record())
    gone = weakref.ref(error)
    del error
    gc.collect()
    assert gone() is None


def test_is_bounded() -> None:
    """Only the last ones are remembered."""
    memory = ExceptionRegistry()
    errors = [AppError(str(number)) for number in range(MAX_REMEMBERED + 10)]
    for error in errors:
        memory.remember(error, make_record())
    assert [memory.record_of(error) is not None for error in errors] == [False] * 10 + [True] * MAX_REMEMBERED


def test_classes_that_allow_no_weak_reference() -> None:
    """Of built-in classes the last few are remembered."""
    memory = ExceptionRegistry()
    errors = [TypeError(str(number)) for number in range(MAX_KEPT_ALIVE + 2)]
    for error in errors:
        assert memory.mark_reported([error])
        assert not memory.mark_reported([error])
    assert [memory.is_reported(error) for error in errors] == [False] * 2 + [True] * MAX_KEPT_ALIVE


@pytest.mark.parametrize("cls", [AppError, TypeError])
def test_an_address_that_is_used_again(cls: type[Exception]) -> None:
    """A new exception at the address of a forgotten one is not taken for it."""
    memory = ExceptionRegistry()
    for _ in range(1000):
        error = cls("x")
        assert memory.mark_reported([error])
        del error
