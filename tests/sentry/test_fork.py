"""A child of a process whose threads report failures reports its own, and ends."""

from __future__ import annotations

import os
import sys
import threading

import pytest
import sentry_sdk

from claudescope.sentry import Options
from tests.sentry.conftest import Recorder, Start
from tests.sentry.failures import AppError, fail, rate_limit

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

_DEADLINE = 30
"""Seconds after which a child counts as hung. One that does not hang needs a few milliseconds."""


def _child(recorder: Recorder, error: Exception) -> int:
    """Fork a child that reports a failure. Returns its exit code: 0 where the event was sent."""
    number = os.fork()
    if number == 0:
        code = 1
        try:
            recorder.sent.clear()
            threading.Timer(_DEADLINE, os._exit, (2,)).start()
            wrapped = AppError("in the child")
            wrapped.__cause__ = error
            sentry_sdk.capture_exception(wrapped)
            code = 0 if recorder.sent else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


@pytest.mark.parametrize("children", [20, pytest.param(300, marks=[pytest.mark.release, pytest.mark.timeout(300)])])
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_children_of_busy_threads(start: Start, children: int) -> None:
    """Threads that change a hundred times more often than usual leave no lock behind that a child waits for."""
    recorder = start(Options(burst=None), before_send=lambda event, _hint: event)
    errors = [fail(rate_limit(f"The limit {number} " + "x" * 3000)) for number in range(children)]
    stopped = threading.Event()

    def storm(text: str) -> None:
        while not stopped.is_set():
            error = AppError(text)
            error.__cause__ = errors[0]
            sentry_sdk.capture_exception(error)

    threads = [threading.Thread(target=storm, args=(str(number),)) for number in range(4)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        codes = [_child(recorder, error) for error in errors]
    finally:
        sys.setswitchinterval(before)
        stopped.set()
        for thread in threads:
            thread.join()
    assert codes[1:] == [0] * (children - 1)
