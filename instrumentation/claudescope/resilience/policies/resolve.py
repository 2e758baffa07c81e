"""What a policy means for one call: its defaults, its workflow, the blocks around the call. The last one wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from claudescope._internal.exceptions import BadInputError, did_you_mean
from claudescope.resilience.engine.actions import Answer, Timeouts
from claudescope.resilience.engine.rules import (
    PRIMARY,
    AnswerCache,
    BreakerRule,
    Budget,
    CallPolicy,
    Check,
    Concurrency,
    Needs,
    RetryRule,
    Target,
)
from claudescope.resilience.policies.defaults import DEFAULT_FAILURES, DEFAULT_POLICY

if TYPE_CHECKING:
    from claudescope.resilience.policies.model import PolicyFile
    from claudescope.resilience.policies.sections import Breaker, CallSection

__all__ = ["Policy"]

_CHECKS: Final[frozenset[Check]] = frozenset({"roles", "empty", "size", "max_tokens", "window", "retired"})
_MAX_WORKFLOWS: Final = 1000


class Policy:
    """A policy, ready for calls.

    Args:
        file: The file; None for the built-in policy.
        source: Where it comes from, for messages.

    Attributes:
        source: Where it comes from.
        targets: The targets by name; at least one.
        named_targets: Those that the file names; without any, each client of the app is a target of its own.
        budgets: Budgets in US dollars.
        share: URL of the Redis that shares circuits; None for none.
    """

    def __init__(self, file: PolicyFile | None = None, source: str = "the built-in policy") -> None:
        self.source = source
        self._file = file
        self.targets: Mapping[str, Target] = MappingProxyType(_targets(file))
        self.named_targets: Mapping[str, Target] = self.targets if file is not None and file.targets else {}
        self.budgets: tuple[Budget, ...] = _budgets(file)
        self._base = self._with_file(file)
        self.share = None if self._base.breaker is None else self._base.breaker.share
        self._resolved: dict[str | None, CallPolicy] = {}

    @property
    def workflows(self) -> tuple[str, ...]:
        """The workflows that have rules of their own."""
        return () if self._file is None else tuple(self._file.workflows)

    def of(self, workflow: str | None, blocks: Sequence[CallSection] = ()) -> CallPolicy:
        """What holds for a call.

        Args:
            workflow: The workflow of the call; None outside of one.
            blocks: The `policy(...)` blocks around it, outermost first.

        Raises:
            BadInputError: A block routes to a target that the policy does not have.
        """
        found = self._resolved.get(workflow)
        if found is None:
            sections = () if self._file is None else (self._file.defaults, self._file.workflows.get(workflow or ""))
            found = _apply(self._base, [section for section in sections if section is not None])
            own = None if self._file is None or workflow is None else self._file.workflows.get(workflow)
            has_own_budget = own is not None and "retry_budget" in own.model_fields_set
            found = replace(found, workflow=workflow, budget_key=workflow or "" if has_own_budget else "")
            if len(self._resolved) < _MAX_WORKFLOWS:  # an app may invent names
                self._resolved[workflow] = found
        if not blocks:
            return found
        for name in (name for section in blocks for name in section.route or () if name not in self.targets):
            known = ", ".join(self.targets)
            hint = did_you_mean(name, self.targets)
            raise BadInputError(f"policy(route=...): there is no target {name!r}.{hint} The targets are {known}")
        return _apply(found, blocks)

    def _with_file(self, file: PolicyFile | None) -> CallPolicy:
        base = replace(DEFAULT_POLICY, route=tuple(self.targets))
        if file is None:
            return base
        if "breaker" in file.model_fields_set:
            base = replace(base, breaker=_breaker(file.breaker))
        return replace(base, error_types=_error_types(base.error_types, file.error_types))


def _targets(file: PolicyFile | None) -> dict[str, Target]:
    if file is None or not file.targets:
        return {PRIMARY: Target(PRIMARY)}
    return {
        name: Target(
            name,
            section.client or "anthropic",
            section.base_url,
            section.api_key_env,
            section.region,
            section.project,
            MappingProxyType(dict(section.models)),
        )
        for name, section in file.targets.items()
    }


def _budgets(file: PolicyFile | None) -> tuple[Budget, ...]:
    if file is None:
        return ()
    return tuple(Budget(section.workflow, section.usd_per_day, section.then) for section in file.budgets)


def _breaker(section: Breaker | None) -> BreakerRule | None:
    if section is None:
        return None
    failures = section.failures
    if failures is None and section.rate is None:
        failures = DEFAULT_FAILURES
    return BreakerRule(
        failures,
        section.rate,
        section.minimum_calls,
        section.window,
        section.cooldown,
        section.successes,
        section.ramp,
        section.share,
    )


def _error_types(rules: Mapping[str, RetryRule], sections: Mapping[Any, Any]) -> Mapping[str, RetryRule]:
    if not sections:
        return rules
    changed = dict(rules)
    for name, section in sections.items():
        values = {key: value for key, value in section.model_dump(exclude_unset=True).items() if value is not None}
        rule = replace(changed[name], **values, explicit=changed[name].explicit or "retries" in values)
        # A base that is raised alone must not stay without effect.
        changed[name] = replace(rule, cap=max(rule.cap, rule.base) if "cap" not in values else rule.cap)
    return MappingProxyType(changed)


def _apply(policy: CallPolicy, sections: Iterable[CallSection]) -> CallPolicy:
    for section in sections:
        changes: dict[str, Any] = {}
        for name in section.model_fields_set:
            convert = _CONVERT.get(name)
            value = getattr(section, name)
            changes[name] = value if convert is None else convert(policy, value)
        policy = replace(policy, **changes)
    return policy


def _timeouts(policy: CallPolicy, section: Any) -> Timeouts:
    return replace(policy.timeouts, **{name: getattr(section, name) for name in section.model_fields_set})


def _then(_policy: CallPolicy, sections: Any) -> tuple[Answer, ...]:
    found: list[Answer] = []
    for section in sections:
        ((kind, value),) = section.model_dump(exclude_unset=True).items()
        found.append(Answer(kind, value))
    return tuple(found)


_CONVERT: Final[Mapping[str, Callable[[CallPolicy, Any], Any]]] = {
    "timeouts": _timeouts,
    "concurrency": lambda _, section: None if section is None else Concurrency(section.max, section.queue_timeout),
    "throttle": lambda _, value: frozenset(value),
    "error_types": lambda policy, sections: _error_types(policy.error_types, sections),
    "route": lambda policy, value: policy.route if value is None else tuple(value),
    "models": lambda _, value: tuple(value),
    "then": _then,
    "checks": lambda _, value: _CHECKS if value == "all" else frozenset(value),
    "needs": lambda _, section: Needs(section.input_tokens, section.max_tokens, frozenset(section.features)),
    "cache": lambda _, section: None if section is None else AnswerCache(section.ttl, section.share, section.max_bytes),
}
"""How the values of a section are read that the engine has in another form: by the policy before it, and the value."""
