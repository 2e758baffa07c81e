"""What counts as the failure of a call, and what stays an error of its own."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import sys
import types
from collections.abc import Callable, Generator
from importlib import import_module
from typing import Any

import anthropic
import flask
import pydantic
import pytest
import sentry_sdk

import claudescope
from claudescope.sentry import Options
from tests.scripted import REQUEST, ScriptedAPI, message
from tests.sentry.conftest import Start
from tests.sentry.failures import ERROR_TYPES, AppError, fail, rate_limit

# Python 3.10 has it from a package that anyio brings along.
ExceptionGroup: Any = getattr(builtins, "ExceptionGroup", None) or import_module("exceptiongroup").ExceptionGroup

_OURS = ["claude-api-error", "rate_limit_error"]


def _explicit(error: Exception) -> None:
    raise AppError("wrapped") from error


def _implicit(error: Exception) -> None:
    try:
        raise error
    except anthropic.APIError:
        raise AppError("wrapped")  # noqa: B904 - as apps do


def _twice(error: Exception) -> None:
    try:
        _implicit(error)
    except AppError as caught:
        raise RuntimeError("wrapped again") from caught


def _bug_in_handler(error: Exception) -> None:
    try:
        raise error
    except anthropic.APIError:
        print(1 / 0)  # noqa: T201 - the bug


def _failing_fallback(error: Exception) -> None:
    try:
        raise error
    except anthropic.APIError:
        _fallback()


def _fallback() -> None:
    raise OSError("the cache is down too")


class _Guard:
    """Raises an error of the app's own in place of the SDK's."""

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, cls: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            raise AppError("guarded")


def _guarded(error: Exception) -> None:
    with _Guard():
        raise error


def _give_up(text: str) -> None:
    raise AppError(text)


def _helper_that_raises(error: Exception) -> None:
    try:
        raise error
    except anthropic.APIError:
        _give_up("wrapped")


def _translate(error: Exception, *, again: bool) -> None:
    if again:
        return
    raise ValueError(f"wrapped {type(error).__name__}")


def _helper_that_gets_the_error(error: Exception) -> None:
    try:
        raise error
    except anthropic.APIError as caught:
        _translate(caught, again=False)


def _module(name: str, source: str) -> Any:
    """A module of the app, or with another file of somebody else."""
    made = types.ModuleType(name)
    made.__dict__["__file__"] = f"/srv/app/{name}.py"
    sys.modules[name] = made
    exec(compile(source, made.__file__ or "", "exec"), made.__dict__)  # noqa: S102 - the only way to a module
    return made


_module("errors_of_the_app", "class BusyError(Exception): pass")
_helpers = _module(
    "helpers_of_the_app",
    """
from errors_of_the_app import BusyError
def give_up(text):
    raise BusyError(text)
def deeper(text):
    give_up(text)
    raise RuntimeError("not reached")
async def give_up_async(text):
    raise BusyError(text)
""",
)
_library = _module(
    "library",
    """
class LibraryError(Exception): pass
def fail():
    raise LibraryError("no connection")
def get(key):
    if key:
        fail()
    return key
""",
)


def _helper_of_another_module(error: Exception) -> None:
    try:
        raise error
    except anthropic.APIError:
        _helpers.deeper("wrapped")


def _async_helper(error: Exception) -> None:
    async def handle() -> None:
        try:
            raise error
        except anthropic.APIError:
            await _helpers.give_up_async("wrapped")

    asyncio.run(handle())


def _helper_in_a_context_manager(error: Exception) -> None:
    @contextlib.contextmanager
    def guard() -> Generator[None]:
        try:
            yield
        except anthropic.APIError:
            _helpers.give_up("wrapped")

    with guard():
        raise error


def _answer_of_the_app(error: Exception) -> None:
    try:
        raise error
    except anthropic.APIError:
        flask.abort(503)


def _failing_library(error: Exception) -> None:
    try:
        raise error
    except anthropic.APIError:
        _library.get("summary")


def _failing_assertion(error: Exception) -> None:
    try:
        raise error
    except anthropic.APIError:
        assert not _OURS, "a bug"


def _failing_fallback_of_the_app(error: Exception) -> None:
    try:
        raise error
    except anthropic.APIError:
        _from_cache("")


def _from_cache(key: str) -> str:
    if key:
        return key
    raise AppError("the cache is down too")


def _hidden(error: Exception) -> None:
    try:
        raise error
    except anthropic.APIError:
        raise AppError("something else") from None


def _one_group(error: Exception) -> None:
    raise ExceptionGroup("all failed", [error, AppError("x"), fail(rate_limit())][::2])


def _mixed_group(error: Exception) -> None:
    raise ExceptionGroup("some failed", [KeyError("a bug"), error])


def _reported(start: Start, cause: Callable[[Exception], None]) -> dict[str, Any]:
    recorder = start()
    error = fail(rate_limit())
    with pytest.raises(Exception) as raised:  # noqa: PT011 - of any class
        cause(error)
    sentry_sdk.capture_exception(raised.value)
    return recorder.event


@pytest.mark.parametrize(
    "cause",
    [
        *(_explicit, _implicit, _twice, _one_group, _guarded, _helper_that_raises, _helper_that_gets_the_error),
        *(_helper_of_another_module, _async_helper, _helper_in_a_context_manager, _answer_of_the_app),
    ],
)
def test_the_failure_of_a_call(start: Start, cause: Callable[[Exception], None]) -> None:
    """However it is wrapped, it goes to the one issue of its kind."""
    event = _reported(start, cause)
    assert (event["fingerprint"], event["level"]) == (_OURS, "warning")


@pytest.mark.parametrize(
    "cause",
    [
        *(_bug_in_handler, _failing_fallback, _failing_fallback_of_the_app, _hidden),
        *(_failing_library, _failing_assertion),
    ],
)
def test_an_error_of_its_own(start: Start, cause: Callable[[Exception], None]) -> None:
    """A bug in the handler of a failed call, a fallback that fails too, and what hides the call are other issues."""
    event = _reported(start, cause)
    assert "fingerprint" not in event
    assert "claude.error_type" not in event.get("tags", {})
    assert event["level"] == "error"


def test_a_group_with_others(start: Start) -> None:
    """A group that holds a bug too is tagged, and keeps its own issue and level."""
    event = _reported(start, _mixed_group)
    assert (event.get("fingerprint"), event["level"]) == (None, "error")
    assert event["tags"]["claude.error_type"] == "rate_limit_error"


def test_a_group_with_a_new_bug_is_no_repetition(start: Start) -> None:
    """The bug beside a failure that Sentry has had still arrives, also in a storm of that failure."""
    recorder = start(Options(burst=1, per_minute=1e-9))
    error = fail(rate_limit())
    for _ in range(3):
        sentry_sdk.capture_exception(fail(rate_limit()))
    sentry_sdk.capture_exception(_group_of(error, KeyError("a bug")))
    assert len(recorder.events) == 2


def _group_of(*members: Exception) -> Exception:
    group: Exception = ExceptionGroup("some failed", members)
    return group


def test_a_storm_of_groups_with_others_is_limited(start: Start) -> None:
    """Groups of a failure with a bug have a limit of their own, and a group with another bug still arrives."""
    recorder = start(Options(burst=2, per_minute=1e-9))
    for _ in range(50):
        sentry_sdk.capture_exception(_group_of(KeyError("a bug"), fail(rate_limit())))
    sentry_sdk.capture_exception(_group_of(OSError("another"), fail(rate_limit())))
    assert len(recorder.events) == 3


def test_a_group_and_its_members(start: Start) -> None:
    """A group, the same group again and its failed call are one event; its bug is the app's to report."""
    recorder = start()
    error, bug = fail(rate_limit()), KeyError("a bug")
    group = _group_of(bug, error)
    sentry_sdk.capture_exception(group)
    sentry_sdk.capture_exception(error)
    sentry_sdk.capture_exception(_group_of(error))
    sentry_sdk.capture_exception(group)
    assert len(recorder.events) == 1
    sentry_sdk.capture_exception(bug)
    assert [event.get("fingerprint") for event in recorder.events] == [None, None]


def test_groups_that_are_reported_in_turns(start: Start) -> None:
    """Ten groups, each reported twice: of a bug of a built-in class no reference is kept, and each is one event."""
    recorder = start(Options(burst=None))
    groups = [_group_of(KeyError(number), fail(rate_limit())) for number in range(10)]
    for _ in range(2):
        for group in groups:
            sentry_sdk.capture_exception(group)
    assert len(recorder.events) == 10


def test_made_by_hand(start: Start) -> None:
    """An exception that was chained without being raised counts as a wrapper."""
    recorder = start()
    error = AppError("wrapped")
    error.__context__ = fail(rate_limit())
    sentry_sdk.capture_exception(error)
    assert recorder.event["fingerprint"] == _OURS


def test_a_chain_in_a_circle(start: Start) -> None:
    """A chain that leads back to itself ends."""
    recorder = start()
    first, second = AppError("first"), AppError("second")
    first.__cause__, second.__cause__ = second, first
    sentry_sdk.capture_exception(first)
    assert "fingerprint" not in recorder.event


def test_an_answer_that_the_schema_refused(start: Start) -> None:
    """An error of pydantic's own, raised by `parse`, is a failure of the call; raised elsewhere it is not."""
    recorder = start()
    claudescope.instrument()

    class Sky(pydantic.BaseModel):
        colour: str

    with pytest.raises(pydantic.ValidationError) as raised:
        ScriptedAPI(message()).client().messages.parse(**REQUEST, output_format=Sky)
    sentry_sdk.capture_exception(raised.value)
    with pytest.raises(pydantic.ValidationError) as raised:
        Sky.model_validate({})
    sentry_sdk.capture_exception(raised.value)
    assert [event.get("fingerprint") for event in recorder.events] == [
        ["claude-api-error", "response_validation_error"],
        None,
    ]


@pytest.mark.parametrize("instrumented", [True, False])
def test_a_missing_key(start: Start, instrumented: bool) -> None:
    """The SDK's plain TypeError for a missing key is a failure of the call, once; other TypeErrors are not."""
    recorder = start()
    if instrumented:
        claudescope.instrument()
    client = ScriptedAPI().client()
    client.api_key = None
    with pytest.raises(TypeError) as raised:
        client.messages.create(**REQUEST)
    for _ in range(2):
        sentry_sdk.capture_exception(raised.value)
    sentry_sdk.capture_exception(TypeError("a bug"))
    assert [event.get("fingerprint") for event in recorder.events] == [
        ["claude-api-error", "authentication_error"],
        None,
    ]


@pytest.mark.parametrize("kind", ERROR_TYPES)
def test_every_kind(start: Start, kind: str) -> None:
    """Each kind of the classification is the fingerprint and the tag."""
    recorder = start()
    sentry_sdk.capture_exception(fail(ERROR_TYPES[kind]))
    event = recorder.event
    assert (event["fingerprint"], event["tags"]["claude.error_type"]) == (["claude-api-error", kind], kind)
