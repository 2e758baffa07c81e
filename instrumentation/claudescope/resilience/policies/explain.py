"""Says in words what a policy does with a call: by running its plan in a world in which every attempt fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from claudescope._internal.exceptions import BadInputError, did_you_mean
from claudescope._internal.yaml_model import format_duration
from claudescope.resilience.engine.actions import Action, Answer, Fail, Failed, RequestFacts, Send, Wait
from claudescope.resilience.engine.health import Health
from claudescope.resilience.engine.plan import Plan
from claudescope.resilience.engine.retry import row_of, rule_of, verdict_of
from claudescope.resilience.engine.rules import CallPolicy
from claudescope.resilience.engine.runtime import Runtime
from claudescope.resilience.policies.resolve import Policy
from claudescope.schema.classify import STATUSES
from claudescope.schema.error_types import ERROR_TYPES, Owner

__all__ = ["describe", "explain"]

_ALMOST_ONE: Final = 1 - 1e-9
_OWNERS: Final[dict[Owner, str]] = {
    "provider": "the provider",
    "quota": "the rate limits",
    "network": "the network",
    "account": "the account",
    "local": "this process",
    "caller": "the request",
    "either": "the provider or the app",
    "unknown": "an unknown kind",
}


def explain(policy: Policy, workflow: str | None, error_type: str, *, retry_after: float | None = None) -> list[str]:
    """Say what happens to a call whose every attempt fails with one error type.

    Args:
        policy: The policy.
        workflow: The workflow of the call; None for one outside of any.
        error_type: The error type.
        retry_after: Seconds that each response asks to wait; None where it doesn't.

    Returns:
        One line for each step.

    Raises:
        BadInputError: There is no such error type.
    """
    if error_type not in ERROR_TYPES:
        hint = did_you_mean(error_type, ERROR_TYPES)
        raise BadInputError(
            f"there is no error type {error_type!r}.{hint} The error types are {', '.join(ERROR_TYPES)}"
        )
    rules = policy.of(workflow)
    statuses = [status for status, name in STATUSES.items() if name == error_type]
    row = row_of(error_type)
    answers = row.owner in {"provider", "quota", "account", "caller"}
    fact = Failed(error_type, status=statuses[0] if statuses else 400 if answers else None, retry_after=retry_after)
    lines = [_counts(rules, fact)]
    if row.owner == "local":
        lines.append("the request does not leave this process")
    return [*lines, *_steps(rules, fact)]


def _counts(rules: CallPolicy, fact: Failed) -> str:
    owner = row_of(fact.error_type).owner
    counts = "does not count for the circuit"
    if rules.breaker is None:
        counts = "counts for no circuit, as there are none"
    elif verdict_of(fact) == "bad":
        counts = f"counts for the circuit, which opens at {_threshold(rules)}"
    elif owner == "quota":
        counts = "does not count for the circuit, but holds the target and the model back until the limit is reset"
    elif owner == "either":
        counts = "counts for the circuit where a timeout of the policy ended the attempt"
    return f"{fact.error_type}, a problem of {_OWNERS[owner]}, {counts}"


def _threshold(rules: CallPolicy) -> str:
    breaker = rules.breaker
    if breaker is None:
        return "nothing"
    parts = [f"{breaker.failures} failures"] if breaker.failures is not None else []
    if breaker.rate is not None:
        parts.append(f"{100 * breaker.rate:g}% of at least {breaker.minimum_calls} attempts")
    window, cooldown = format_duration(breaker.window), format_duration(breaker.cooldown)
    return f"{' or '.join(parts)} within {window}, and stays open for {cooldown} and up to a quarter more"


def _steps(rules: CallPolicy, fact: Failed) -> Iterator[str]:
    now = 0.0
    draw = _ALMOST_ONE
    runtime = Runtime(lambda: now, lambda: draw, None, Health(lambda: draw))
    model = rules.models[0] if rules.models else None
    plan = Plan(rules, RequestFacts(model=model, workflow=rules.workflow), runtime, lambda _: None)
    number = 0
    while True:
        action = plan.next()
        number += 1
        yield f"{number}. {_told(action, rules, fact)}"
        if isinstance(action, Send):
            plan.failed(fact)
        elif isinstance(action, Wait):
            now += action.seconds
        elif isinstance(action, Answer) and action.kind == "cache":
            plan.declined()
        else:
            return


def _told(action: Action, rules: CallPolicy, fact: Failed) -> str:
    if isinstance(action, Send):
        return f"send to {action.target}{f' with {action.model}' if action.model else ''}: it fails"
    if isinstance(action, Wait):
        if action.why == "backoff":
            return f"wait up to {action.seconds:.3g} s"
        jitter = rule_of(rules.error_types, fact.error_type).jitter
        return f"wait {action.seconds - jitter:.3g} s, as the server asks, and up to {jitter:.3g} s more"
    if isinstance(action, Answer):
        words = {
            "static": f"answer with the text {action.value!r}",
            "function": f"answer with what {action.value or 'the registered function'} returns",
            "cache": "answer with the last answer to an equal request; if there is none:",
            "defer": f"hand the call to the queue {action.value!r} of jobs",
        }
        return words[action.kind]
    if isinstance(action, Fail):
        what = "raise the last error" if action.reason is None else f"reject the call ({action.reason})"
        return f"{what}. {action.detail}"
    return "ask the shared store"


def describe(rules: CallPolicy) -> str:
    """One line on what holds for the calls of a workflow: where they go, and how long they may take."""
    parts = [f"route {' > '.join(rules.route)}"]
    if rules.models:
        parts.append(f"models {' > '.join(rules.models)}")
    if rules.deadline is not None:
        parts.append(f"deadline {format_duration(rules.deadline)}")
    parts.append(f"{rules.attempts} attempts on a target, {rules.total_attempts} in all")
    if rules.then:
        parts.append(f"then {', '.join(answer.kind for answer in rules.then)}")
    return "; ".join(parts)
