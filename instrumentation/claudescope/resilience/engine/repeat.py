"""Decides whether a failed attempt is repeated at the same target and model, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from claudescope.resilience.engine.actions import Failed, RequestFacts
from claudescope.resilience.engine.candidates import Candidate
from claudescope.resilience.engine.progress import Progress
from claudescope.resilience.engine.retry import backoff, row_of, rule_of
from claudescope.resilience.engine.rules import CallPolicy, RetryRule
from claudescope.resilience.engine.runtime import Runtime

__all__ = ["Repeat", "decide", "most_attempts"]


@dataclass(frozen=True, slots=True)
class Repeat:
    """Repeat the attempt.

    Attributes:
        candidate: Where.
        at: When.
        why: What it waits for.
    """

    candidate: Candidate
    at: float
    why: Literal["backoff", "retry_after", "quota"]


def decide(
    policy: CallPolicy,
    request: RequestFacts,
    runtime: Runtime,
    progress: Progress,
    at: Candidate,
    fact: Failed,
    now: float,
) -> Repeat | None:
    """Whether the attempt that failed is repeated where it was. Takes a token of the retry budget if so.

    Returns:
        The repetition; None where there is none. The reason is noted in `progress`.
    """
    rule = rule_of(policy.error_types, fact.error_type)
    if not _may_repeat(policy, request, runtime, progress, at, fact, rule, now):
        return None
    hold = runtime.quota.held(*at, now)
    why: Literal["backoff", "retry_after", "quota"]
    if fact.retry_after is not None:
        asked, why = fact.retry_after, "retry_after"
    elif hold is not None and row_of(fact.error_type).owner == "quota":
        asked, why = hold.until - now, "quota"
    else:
        asked, why = None, "backoff"
    if asked is not None and asked > rule.cap:
        progress.note(f"{at.target} asks for a wait of {asked:g} s, which is above the cap of {rule.cap:g} s")
        return None
    wait = (
        backoff(rule, progress.sent[at], runtime.random()) if asked is None else asked + rule.jitter * runtime.random()
    )
    if not progress.ends_in_time(wait, now):
        progress.note(f"a wait of {wait:.1f} s would pass the deadline of {policy.deadline:g} s")
        return None
    if policy.retry_budget is not None:
        tokens = 2.0 if row_of(fact.error_type).retry == "once" else 1.0
        if not runtime.budgets.of(policy.budget_key, policy.retry_budget).take(tokens):
            progress.note("the retry budget is used up")
            return None
    return Repeat(at, now + wait, why)


def _may_repeat(
    policy: CallPolicy,
    request: RequestFacts,
    runtime: Runtime,
    progress: Progress,
    at: Candidate,
    fact: Failed,
    rule: RetryRule,
    now: float,
) -> bool:
    """Whether the error, the server, the app and the limits of the policy allow it."""
    if fact.should_retry is False:
        progress.note(f"{at.target} asks not to retry")
        return False
    retries = rule.retries
    if fact.should_retry and not retries:
        retries = policy.attempts - 1
    limit = 1 + retries if rule.explicit else min(policy.attempts, 1 + retries)
    if progress.sent[at] >= limit or progress.total >= policy.total_attempts:
        return False
    if request.max_retries is not None and progress.repeats >= request.max_retries:
        progress.note(f"the client's max_retries={request.max_retries} allows no further retry")
        return False
    if row_of(fact.error_type).retry == "once" and fact.sent:
        if progress.timeouts > retries:
            return False
        # Each attempt may have been billed: the one that is left goes where the same is less likely.
        return not any(
            other.model == at.model
            and other.target != at.target
            and other not in progress.gone
            and not runtime.health.blocked(*other, now)
            for other in progress.order
        )
    return True


def most_attempts(policy: CallPolicy, request: RequestFacts, progress: Progress, last: Failed | None) -> int:
    """The most attempts that a call may make, at all targets.

    Args:
        policy: The rules of the call.
        request: The call.
        progress: Its state.
        last: Why the last attempt failed; None where none did.
    """
    retries = policy.attempts - 1
    if last is not None:
        rule = rule_of(policy.error_types, last.error_type)
        retries = rule.retries if rule.explicit else min(retries, rule.retries)
    if request.max_retries is not None:
        retries = min(retries, request.max_retries)
    return max(min(policy.total_attempts, (1 + retries) * len(progress.order)), progress.total + 1)
