"""`protect()` and what belongs to it: the policy of this process, of a block, and the functions that answer instead."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar, Token
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from anthropic import _base_client  # pyright: ignore[reportPrivateUsage]

from claudescope._internal.exceptions import BadInputError
from claudescope._internal.fork import renew_in_child
from claudescope.resilience.answers.functions import register
from claudescope.resilience.drivers import hooks
from claudescope.resilience.drivers.active import Active
from claudescope.resilience.pipeline import Pipeline
from claudescope.resilience.policies.load import block, load_policy, policy_from_environment
from claudescope.resilience.policies.resolve import Policy
from claudescope.resilience.stores.runtime import make_runtime

if TYPE_CHECKING:
    from claudescope.resilience.engine.rules import CallPolicy
    from claudescope.resilience.policies.sections import CallSection

__all__ = ["complete", "fallback", "policy", "protect", "unprotect"]

_F = TypeVar("_F", bound=Callable[..., Any])

_lock = threading.RLock()
renew_in_child(sys.modules[__name__], "_lock")

_blocks: Final[ContextVar[tuple[CallSection, ...]]] = ContextVar("claudescope_policy_blocks", default=())
"""The `policy(...)` blocks around this code, outermost first."""


def protect(policy: str | Path | Policy | None = None) -> Policy:
    """Let every call survive what the API does to it, as a policy says, from now on.

    It holds for all clients of the `anthropic` SDK, made before or after, sync and async, on every platform. Types,
    exceptions and attributes of clients stay as they are. A call stays one call: one record, one span, one cost. It
    works with and without `instrument()`. Where a policy holds already, the new one replaces it, with new circuits.

    Args:
        policy: The path of a policy file, or a policy that `claudescope.resilience.load_policy` has read. None takes
            the file that `CLAUDESCOPE_POLICY` names, and without that the built-in policy, which needs no file: retries
            by error type, a retry budget, a deadline of ten minutes, circuits, and rate limits that are kept.

    Returns:
        The policy that holds now.

    Raises:
        BadInputError: The policy has mistakes, or a target has no credentials. The message names file and line.
        MissingExtraError: A feature of the policy needs a package that is missing.
    """
    if isinstance(policy, Policy):
        found = policy
    elif policy is None:
        found = policy_from_environment() or Policy()
    else:
        found = load_policy(policy)
    with _lock:
        pipeline = Pipeline(found)
        runtime = make_runtime(found, pipeline.plan)
        active = Active(lambda workflow: _rules(found, workflow), found.named_targets, runtime, pipeline)
        # The first target of a route is the app's own client, whose credentials the app may have in its code.
        routes = [found.of(workflow).route for workflow in (None, *found.workflows)]
        first = {route[0] for route in routes}
        active.places.clients.check(
            sorted({name for route in routes for name in route if name in found.named_targets} - first)
        )
        hooks.install(active)
    return found


def unprotect() -> None:
    """Let calls go as the SDK alone sends them. Calls and streams under way end under their policy."""
    with _lock:
        hooks.remove()


def fallback(workflow: str) -> Callable[[_F], _F]:
    """Let a function answer the calls of a workflow that no target answers, if it has `then: {function: registered}`.

    The function gets the body of the request, as a mapping, and returns a text, a message of the SDK, or None where it
    has no answer. An async one answers only calls of async clients.

    Args:
        workflow: The name that `claudescope.workflow` gives the calls.

    Returns:
        The decorator, which returns the function as it is.
    """

    def register_it(function: _F) -> _F:
        register(workflow, function)
        return function

    return register_it


def complete(client: Any, *, rounds: int = 8, **params: Any) -> Any:
    """Create a message that `max_tokens` does not cut: the rest is asked for, and all answers become one.

    The same as a call under `policy(continue_on_max_tokens=rounds)`: one record with the cost of all rounds. A tool's
    input, structured output or thinking that is cut is not carried on, but asked for again with twice the room.

    Args:
        client: A client of the `anthropic` SDK, sync or async.
        rounds: How often more is asked for, 1 to 20.
        params: The parameters of `client.messages.create`, without `stream`.

    Returns:
        The message; of an async client, an awaitable of it. Where it is still cut after all rounds, its `stop_reason`
        is `max_tokens`.

    Raises:
        BadInputError: `protect()` does not hold, `stream` is given, or `rounds` can't be used.
    """
    if hooks.active() is None:
        raise BadInputError("complete() needs a policy: call claudescope.protect() before")
    if params.get("stream"):
        raise BadInputError(
            "complete() makes no stream. Make the stream inside `with claudescope.policy(continue_on_max_tokens=8):`"
        )
    block_of_call = policy(continue_on_max_tokens=rounds)
    if isinstance(client, _base_client.AsyncAPIClient):

        async def run() -> Any:
            with block_of_call:
                return await cast("Any", client).messages.create(**params)

        return run()
    with block_of_call:
        return client.messages.create(**params)


def _rules(found: Policy, workflow: str | None) -> CallPolicy:
    return found.of(workflow, _blocks.get())


class policy:  # noqa: N801 - reads as a statement, like contextlib.suppress
    """Change the policy for the calls made inside, sync and async. It holds only where `protect()` does.

    Args:
        keys: The keys of a workflow in a policy file, such as `deadline=20` or `route=["aws"]`. A number is a duration
            in seconds.

    Raises:
        BadInputError: A key is unknown, or a value can't be used.
        MissingExtraError: pydantic or PyYAML is missing, which the extra `resilience` installs.

    Example:
        >>> with policy(deadline=20):
        ...     pass
    """

    def __init__(self, **keys: Any) -> None:
        if not keys:
            raise BadInputError("policy() needs a key, such as policy(deadline=20)")
        self._section = block(**keys)
        self._tokens: list[Token[tuple[CallSection, ...]]] = []

    def __enter__(self) -> policy:
        self._tokens.append(_blocks.set((*_blocks.get(), self._section)))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._tokens:
            return
        try:
            _blocks.reset(self._tokens.pop())
        except ValueError:  # left in another context, as by a generator that the garbage collector closes
            _blocks.set(tuple(section for section in _blocks.get() if section is not self._section))

    async def __aenter__(self) -> policy:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(exc_type, exc, traceback)
