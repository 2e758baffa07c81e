"""Reads what the engine wants to know of requests, responses and exceptions of the SDK."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, cast

from claudescope.probe.attempts import error_type_of
from claudescope.probe.headers import read_headers
from claudescope.resilience.engine.actions import Failed, Limit

__all__ = ["NO_LIMITS", "LazyLimits", "conversation_of", "failure_of", "own_retries", "own_timeout", "response_of"]

NO_LIMITS: Final[Mapping[str, Limit]] = {}
_DEFAULT_RETRIES: Final = 2
_DEFAULT_TIMEOUT: Final = 600.0
_LONGEST_KEY: Final = 4000


class LazyLimits(Mapping[str, Limit]):
    """The rate limits of a response, parsed when they are first read: most policies read none.

    Args:
        response: The response.
    """

    __slots__ = ("_limits", "_raw")

    def __init__(self, response: Any) -> None:
        self._raw = response.headers.raw
        self._limits: dict[str, Limit] | None = None

    def _read(self) -> dict[str, Limit]:
        if self._limits is None:
            found: Mapping[Any, Any] = read_headers(self._raw).rate_limits or {}
            now = time.time()
            self._limits = {
                name: Limit(limit.limit, limit.remaining, _seconds_until(limit.reset, now))
                for name, limit in found.items()
            }
        return self._limits

    def __getitem__(self, key: str) -> Limit:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def _seconds_until(reset: str | None, now: float) -> float | None:
    if reset is None:
        return None
    try:
        at = datetime.fromisoformat(reset.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
    return max(at - now, 0.0)


def response_of(error: BaseException) -> Any:
    """The failed response that an exception of the SDK carries; None where no response came."""
    try:
        return getattr(error, "response", None)
    except Exception:  # noqa: BLE001 - of a third-party exception
        return None


def failure_of(client: Any, error: BaseException, elapsed: float, *, policy_timeout: bool) -> Failed:
    """What the engine wants to know of an attempt that raised.

    Args:
        client: The client that sent it.
        error: What it raised.
        elapsed: Seconds that it took.
        policy_timeout: Whether the timeout that held for it was the policy's.
    """
    name = error_type_of(error, streaming=False)
    response = response_of(error)
    if response is None:
        sent = getattr(error, "request", None) is not None if _has_request(error) else False
        timed_out = name == "client_timeout_error"
        return Failed(name, sent=sent, elapsed=elapsed, policy_timeout=policy_timeout and timed_out)
    headers = response.headers
    wanted = headers.get("x-should-retry")
    after = client._parse_retry_after_header(headers)  # noqa: SLF001 - understands dates as the SDK does
    return Failed(
        name,
        response.status_code,
        after if after is not None and after >= 0 else None,
        None if wanted is None else wanted == "true",
        LazyLimits(response),
        sent=True,
        elapsed=elapsed,
    )


def _has_request(error: BaseException) -> bool:
    try:
        return hasattr(error, "request")
    except Exception:  # noqa: BLE001 - httpx raises RuntimeError where there is none
        return False


def own_retries(client: Any, options: Any) -> int | None:
    """The app's own `max_retries`; None where it left the SDK's default, which is no word of the app."""
    given: object = options.max_retries
    if isinstance(given, int):
        return given
    retries: int = client.max_retries
    return None if retries == _DEFAULT_RETRIES else retries


def own_timeout(client: Any, options: Any) -> Any:
    """The app's timeout as the SDK has it: seconds, a `Timeout`, or None for no limit."""
    given = options.timeout
    return client.timeout if _is_not_given(given) else given


def _is_not_given(value: object) -> bool:
    return type(value).__name__ in {"NotGiven", "Omit"}


def conversation_of(body: object) -> str | None:
    """What is the same in all turns of a conversation: a hash of its first message. None without messages."""
    if not isinstance(body, dict):
        return None
    messages = cast("dict[str, object]", body).get("messages")
    if not isinstance(messages, list) or not messages:
        return None
    return str(hash(repr(cast("list[object]", messages)[0])[:_LONGEST_KEY]))
