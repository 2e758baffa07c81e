"""Decides whether an exception that was raised while a failed call was handled stands for that call.

Without `from`, Python sets the context of every exception that is raised while another one is handled: of a wrapper, a
bug in the handler, and a fallback that fails too.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from types import CodeType, FrameType, TracebackType
from typing import Final

__all__ = ["wraps_in_handler"]

_RAISE: Final = dis.opmap["RAISE_VARARGS"]
_RETURNS: Final = frozenset(name for name in dis.opmap if name.startswith("RETURN_") and name != "RETURN_GENERATOR")
_MAX_FRAMES: Final = 64
_SERVER_ERROR: Final = 500
_OF_OTHERS: Final = ("site-packages", "dist-packages")


def wraps_in_handler(error: BaseException, context: BaseException) -> bool:
    """Whether `error` was raised to stand for `context`, rather than by a bug or a failing fallback.

    It was if a `raise` raised it in the function that caught `context`, or in a helper of that function: one that got
    `context` to work with, such as `__exit__`, or that does nothing but raise an error of the app.

    Args:
        error: The exception.
        context: Its context.
    """
    if type(error) is AssertionError:
        return False  # of an `assert`, which is a bug
    last, caught = error.__traceback__, context.__traceback__
    if last is None or caught is None:
        return True  # created without being raised
    tracebacks = list(_tracebacks(last))
    raising = tracebacks[-1].tb_frame
    if raising.f_code.co_code[tracebacks[-1].tb_lasti] != _RAISE:
        return False
    catching = {id(traceback.tb_frame) for traceback in _tracebacks(caught)}
    if id(raising) in catching:
        return True
    helpers = _helpers([traceback.tb_frame for traceback in tracebacks], catching)
    if helpers is None:
        return False
    return (
        _has(raising, context)
        or _is_answer(error)
        or (
            all(_has(frame, context) or _only_raises(frame.f_code) for frame in helpers) and _is_general(error, raising)
        )
    )


def _helpers(frames: list[FrameType], catching: set[int]) -> list[FrameType] | None:
    """Return what the function that caught an exception has called; None if it is not among the callers."""
    for index in range(len(frames) - 1, -1, -1):
        if id(frames[index]) in catching:
            return frames[index + 1 :]
    called: list[FrameType] = []
    for caller in _callers(frames[0]):
        if id(caller) in catching:
            return [*called, *frames]
        called.append(caller)
    return None


def _tracebacks(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _callers(frame: FrameType) -> Iterator[FrameType]:
    """Yield what called a function that still runs: it may report its error before it passes it on."""
    caller = frame.f_back
    for _ in range(_MAX_FRAMES):
        if caller is None:
            return
        yield caller
        caller = caller.f_back


def _has(frame: FrameType, error: BaseException) -> bool:
    return any(value is error for value in list(frame.f_locals.values()))


def _only_raises(code: CodeType) -> bool:
    """Whether a function can't return. A fallback can."""
    return not any(instruction.opname in _RETURNS for instruction in dis.get_instructions(code))


def _is_general(error: BaseException, frame: FrameType) -> bool:
    """Whether the class of an exception is the app's own, or says nothing of what happened."""
    cls = type(error)
    package = cls.__module__.partition(".")[0]
    if cls in {Exception, RuntimeError} or package == str(frame.f_globals.get("__name__")).partition(".")[0]:
        return True
    if package in sys.stdlib_module_names:
        return False
    file = str(getattr(sys.modules.get(cls.__module__), "__file__", None))
    return not any(folder in file for folder in _OF_OTHERS)


def _is_answer(error: BaseException) -> bool:
    """Whether an exception is how a web framework tells the app's own caller of an error of the server."""
    status: object = getattr(error, "status_code", None) or getattr(error, "code", None)
    is_answer = any(
        base.__name__ == "HTTPException" and base.__module__ != "http.client" for base in type(error).__mro__
    )
    return is_answer and isinstance(status, int) and status >= _SERVER_ERROR
