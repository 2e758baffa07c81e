"""Makes the SDK's client of a target, and keeps it: one per process and, for async clients, per event loop."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import anthropic

from claudescope._internal.exceptions import BadInputError
from claudescope._internal.fork import renew_in_child, run_in_child
from claudescope.resilience.engine.rules import Target

__all__ = ["Clients", "credentials_problem"]


class _Kind(NamedTuple):
    """How a kind of target is made.

    Attributes:
        sync: Name of the sync client in the SDK.
        is_async: Name of the async client.
        options: The client's option for each field of a `Target`.
        since: The version of the SDK that first has it.
        environment: For each variable that the client reads by itself, what it holds, in words.
    """

    sync: str
    is_async: str
    options: Mapping[str, str]
    since: str = "0.51"


_KINDS: Final[Mapping[str, _Kind]] = {
    "anthropic": _Kind("Anthropic", "AsyncAnthropic", {"base_url": "base_url", "key": "api_key"}),
    "bedrock": _Kind(
        "AnthropicBedrock",
        "AsyncAnthropicBedrock",
        {"base_url": "base_url", "key": "api_key", "region": "aws_region"},
    ),
    "vertex": _Kind(
        "AnthropicVertex",
        "AsyncAnthropicVertex",
        {"base_url": "base_url", "key": "access_token", "region": "region", "project": "project_id"},
    ),
    "foundry": _Kind(
        "AnthropicFoundry",
        "AsyncAnthropicFoundry",
        {"base_url": "base_url", "key": "api_key", "project": "resource"},
        "0.74",
    ),
    "aws": _Kind(
        "AnthropicAWS",
        "AsyncAnthropicAWS",
        {"base_url": "base_url", "key": "api_key", "region": "aws_region", "project": "workspace_id"},
        "0.96",
    ),
}


def credentials_problem(target: Target) -> str | None:
    """Why a target can't be asked: what is missing, and how to set it. None where nothing is."""
    try:
        _make(target, is_async=False)
    except Exception as error:  # noqa: BLE001 - each client of the SDK says in its own way what is missing
        return str(error)
    return None


def _make(target: Target, *, is_async: bool) -> Any:
    """Make the client of a target.

    Raises:
        BadInputError: The SDK lacks the client, or a variable that holds its key is not set.
    """
    kind = _KINDS[target.client or "anthropic"]
    name = kind.is_async if is_async else kind.sync
    made = getattr(anthropic, name, None)
    if made is None:
        raise BadInputError(
            f"target {target.name!r}: anthropic {anthropic.__version__} has no {name}. "
            f"Install anthropic {kind.since} or newer"
        )
    key = None
    if target.api_key_env is not None:
        key = os.environ.get(target.api_key_env)
        if not key:
            raise BadInputError(f"target {target.name!r}: the environment variable {target.api_key_env} is not set")
    values = {"base_url": target.base_url, "key": key, "region": target.region, "project": target.project}
    options: dict[str, Any] = {
        kind.options[field]: value for field, value in values.items() if value is not None and field in kind.options
    }
    try:
        client = made(max_retries=0, **options)
    except BadInputError:
        raise
    except Exception as error:
        raise BadInputError(f"target {target.name!r}: its client can't be made: {error}") from error
    if made.__name__.endswith("Anthropic") and getattr(client, "api_key", None) is None and not client.auth_headers:
        raise BadInputError(
            f"target {target.name!r} has no credentials. Set ANTHROPIC_API_KEY, or give the target an `api_key_env`"
        )
    return client


class Clients:
    """The clients of the targets of this process.

    Args:
        targets: The targets by name.
    """

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self._targets = targets
        self._lock = threading.Lock()
        renew_in_child(self, "_lock")
        self._forget()
        # A forked child must not use the connections of its parent.
        run_in_child(self, Clients._forget)

    def _forget(self) -> None:
        self._sync: dict[str, Any] = {}
        self._async: WeakKeyDictionary[object, dict[str, Any]] = WeakKeyDictionary()
        self._copies: WeakKeyDictionary[object, dict[str, tuple[Any, Any]]] = WeakKeyDictionary()

    def check(self, names: Iterable[str]) -> None:
        """Check that the clients of targets can be made, which have what they need in the environment.

        Raises:
            BadInputError: One can't. The message says for each what is missing.
        """
        found = [problem for name in names if (problem := credentials_problem(self._targets[name])) is not None]
        if found:
            raise BadInputError("\n".join(found))

    def get(self, name: str, app_client: Any, *, is_async: bool) -> Any:
        """The client of a target, with the middleware of the app's client.

        Args:
            name: The target's name.
            app_client: The client that the app called.
            is_async: Whether an async client is asked for.

        Raises:
            BadInputError: The client can't be made.
        """
        known = self._async.setdefault(_loop(), {}) if is_async else self._sync
        client = known.get(name)
        if client is None:
            client = _make(self._targets[name], is_async=is_async)
            with self._lock:
                client = known.setdefault(name, client)
        middleware = getattr(app_client, "_middleware", None)
        return self._with_middleware(name, client, app_client, middleware) if middleware else client

    def _with_middleware(self, name: str, client: Any, app_client: Any, middleware: Any) -> Any:
        copies = self._copies.setdefault(app_client, {})
        of, copy = copies.get(name, (None, None))
        if of is not client:
            copy = client.copy(middleware=middleware)
            copies[name] = (client, copy)
        return copy


def _loop() -> object:
    """What the connections of an async client belong to: asyncio's loop, or trio's token."""
    if "trio" in sys.modules:
        from trio.lowlevel import current_trio_token  # an app on asyncio need not have it

        try:
            return current_trio_token()
        except RuntimeError:
            pass
    import asyncio  # the async driver runs on it or on trio

    return asyncio.get_running_loop()
