"""Colours by meaning, the same on all dashboards. All are in Grafana's palette, which suits light and dark themes.

Error types have the hue of their owner: orange for quota, red for provider, yellow for account, purple for network and
local, blue for caller.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

__all__ = ["BAD", "ERROR_TYPE_COLOURS", "GOOD", "NEUTRAL", "OUTCOME_COLOURS", "OWNER_COLOURS", "TOKENS", "WARNING"]

GOOD: Final = "green"
WARNING: Final = "orange"
BAD: Final = "red"
NEUTRAL: Final = "blue"

ERROR_TYPE_COLOURS: Final = MappingProxyType(
    {
        "rate_limit_error": "orange",
        "ramp_limit_error": "super-light-orange",
        "overloaded_error": "red",
        "api_error": "dark-red",
        "timeout_error": "super-light-red",
        "stream_interrupted_error": "light-red",
        "spend_limit_error": "dark-yellow",
        "authentication_error": "yellow",
        "permission_error": "light-yellow",
        "billing_error": "semi-dark-yellow",
        "connection_error": "purple",
        "client_timeout_error": "light-purple",
        "pool_timeout_error": "dark-purple",
        "circuit_open_error": "super-light-purple",
        "not_found_error": "light-blue",
        "request_too_large": "super-light-blue",
        "content_policy_error": "dark-blue",
        "invalid_request_error": "blue",
        "response_validation_error": "semi-dark-blue",
        "unknown_error": "text",
    }
)
"""Colour by error type."""

OWNER_COLOURS: Final = MappingProxyType(
    {
        "quota": "orange",
        "provider": "red",
        "account": "yellow",
        "network": "purple",
        "either": "light-purple",
        "local": "dark-purple",
        "caller": "blue",
        "unknown": "text",
    }
)
"""Colour by owner of an error."""

OUTCOME_COLOURS: Final = MappingProxyType({"ok": "green", "error": "red", "cancelled": "blue", "abandoned": "purple"})
"""Colour by outcome of a call."""

TOKENS: Final = MappingProxyType(
    {
        "input": "blue",
        "cache read": "green",
        "cache write 5m": "light-orange",
        "cache write 1h": "orange",
        "output": "purple",
        "reasoning": "light-purple",
    }
)
"""Colour by class of tokens."""
