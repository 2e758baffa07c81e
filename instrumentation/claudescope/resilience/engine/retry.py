"""How errors are repeated: by the one table of error types, and what the policy changes of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from claudescope.resilience.engine.breaker import Verdict
from claudescope.resilience.engine.rules import RetryRule
from claudescope.schema.error_types import ERROR_TYPES, ErrorType, Retry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claudescope.resilience.engine.actions import Failed

__all__ = ["DEFAULT_RULES", "backoff", "is_degradable", "is_quota", "rule_of", "verdict_of", "was_billed"]

_BY_KIND: Final[Mapping[Retry, tuple[int, float, float]]] = {
    "backoff": (2, 0.5, 10.0),
    "backoff_longer": (2, 2.5, 30.0),
    "retry_after": (2, 1.0, 60.0),
    "once": (1, 0.5, 10.0),
    "later": (0, 1.0, 60.0),
    # A stream that broke before its first content: after that the plan repeats nothing.
    "by_app": (2, 0.5, 10.0),
    "never": (0, 1.0, 60.0),
}
"""Retries, base and cap in seconds for each kind of handling that the table of error types has."""

_JITTER: Final = 0.5
_HOPS: Final = frozenset({"provider", "network", "quota", "account", "either"})
"""Owners of errors that another target may not have."""


def _rule(error_type: ErrorType) -> RetryRule:
    retries, base, cap = _BY_KIND[error_type.retry]
    return RetryRule(retries, base, cap, _JITTER, hop=error_type.owner in _HOPS)


DEFAULT_RULES: Final[Mapping[str, RetryRule]] = MappingProxyType(
    {name: _rule(row) for name, row in ERROR_TYPES.items()}
)
"""How each error type is repeated where the policy says nothing."""


def rule_of(rules: Mapping[str, RetryRule], error_type: str) -> RetryRule:
    """The rule of an error type: the policy's, or the default."""
    return rules.get(error_type) or DEFAULT_RULES.get(error_type) or DEFAULT_RULES["unknown_error"]


def row_of(error_type: str) -> ErrorType:
    """The row of the table; that of `unknown_error` for a name that it doesn't have."""
    return ERROR_TYPES.get(error_type) or ERROR_TYPES["unknown_error"]


def backoff(rule: RetryRule, retry: int, random: float) -> float:
    """The wait before a retry that no server asked for: full jitter.

    Args:
        rule: The rule of the error type.
        retry: The number of the retry, from 1.
        random: A number from 0 up to 1.

    Returns:
        Seconds, below the smaller of the cap and the base doubled for each retry before.
    """
    return random * min(rule.cap, rule.base * 2.0 ** min(retry - 1, 60))


def is_quota(error_type: str) -> bool:
    """Whether it is a limit that resets by itself."""
    return row_of(error_type).owner == "quota"


def is_degradable(error_type: str) -> bool:
    """Whether another answer may stand in: not for mistakes in the request, which the app has to see."""
    return row_of(error_type).owner in _HOPS or row_of(error_type).owner == "local"


def verdict_of(fact: Failed) -> Verdict:
    """What a failed attempt says of its target."""
    owner = row_of(fact.error_type).owner
    if owner in {"provider", "network"}:
        return "bad"
    if owner == "either":  # a timeout of this side: the provider's failure only where the policy had set it
        return "bad" if fact.policy_timeout or not fact.sent else "none"
    return "answered" if owner in {"quota", "account", "caller"} and fact.status is not None else "none"


def was_billed(fact: Failed) -> bool:
    """Whether the provider may have billed a failed attempt: it worked on it, and its answer was lost."""
    return fact.sent and (fact.status is None or fact.status < 400 or fact.streamed)
