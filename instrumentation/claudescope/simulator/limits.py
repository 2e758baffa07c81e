"""Rate limits in fixed windows, one set per model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from claudescope.simulator.errors import RATE_LIMIT_ADVICE, ApiError, retry_after_header
from claudescope.simulator.scenario import Limits

__all__ = ["RateLimits"]


@dataclass
class _Window:
    start: float
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class RateLimits:
    """Tracks what each model has used in its current window.

    Args:
        limits: The limits and the length of the window.
        clock: Monotonic clock, in seconds.
        now: Wall clock, for the timestamps in headers.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float], now: Callable[[], datetime]) -> None:
        self._limits = limits
        self._clock = clock
        self._now = now
        self._windows: dict[str, _Window] = {}

    def admit(self, model: str, input_tokens: int) -> None:
        """Count a request and its input tokens, cache reads excluded.

        Raises:
            ApiError: 429, when one of the limits would be passed.
        """
        window, limits = self._window(model), self._limits
        refused = (
            ("requests", "requests", limits.requests, window.requests + 1 > limits.requests),
            (
                "input-tokens",
                "input tokens",
                limits.input_tokens,
                window.input_tokens + input_tokens > limits.input_tokens,
            ),
            ("output-tokens", "output tokens", limits.output_tokens, window.output_tokens >= limits.output_tokens),
        )
        for name, words, limit, passed in refused:
            if passed:
                wait = math.ceil(window.start + limits.window - self._clock())
                raise ApiError(
                    429,
                    "rate_limit_error",
                    f"This request would exceed your organization's rate limit of {limit:,} {words} per "
                    f"{limits.window:g} seconds (model: {model}). {RATE_LIMIT_ADVICE}",
                    retry_after=max(1, wait),
                    exhausted=name,
                )
        window.requests += 1
        window.input_tokens += input_tokens

    def spend(self, model: str, output_tokens: int) -> None:
        """Count the output tokens of a response."""
        self._window(model).output_tokens += output_tokens

    def headers(self, model: str, error: ApiError | None = None) -> dict[str, str]:
        """The `anthropic-ratelimit-*` headers, and `retry-after` for an error that has one."""
        window, limits = self._window(model), self._limits
        reset_in = window.start + limits.window - self._clock()
        used = {
            "requests": (limits.requests, window.requests),
            "input-tokens": (limits.input_tokens, window.input_tokens),
            "output-tokens": (limits.output_tokens, window.output_tokens),
            "tokens": (limits.tokens, window.input_tokens + window.output_tokens),
        }
        headers: dict[str, str] = {}
        for name, (limit, taken) in used.items():
            remaining, seconds = max(0, limit - taken), reset_in
            if error is not None and error.exhausted == name:
                remaining, seconds = 0, error.retry_after or reset_in
            reset = self._now() + timedelta(seconds=seconds)
            headers[f"anthropic-ratelimit-{name}-limit"] = str(limit)
            headers[f"anthropic-ratelimit-{name}-remaining"] = str(remaining)
            headers[f"anthropic-ratelimit-{name}-reset"] = (
                reset.astimezone(timezone.utc).replace(microsecond=0).isoformat().replace("+00:00", "Z")
            )
        if error is not None and error.retry_after:
            headers["retry-after"] = retry_after_header(error.retry_after)
        return headers

    def _window(self, model: str) -> _Window:
        now = self._clock()
        window = self._windows.get(model)
        if window is None or now >= window.start + self._limits.window:
            window = self._windows[model] = _Window(now)
        return window
