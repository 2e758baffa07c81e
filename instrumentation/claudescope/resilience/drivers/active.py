"""The policy that holds in this process, and what its calls share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from claudescope._internal import internal_errors
from claudescope.probe.sdk import operation_of, request_model
from claudescope.resilience.answers.deliver import scope_of
from claudescope.resilience.drivers.facts import conversation_of, own_retries, own_timeout
from claudescope.resilience.drivers.session import Session
from claudescope.resilience.engine.actions import RequestFacts
from claudescope.resilience.engine.plan import Plan
from claudescope.resilience.targets.places import Places
from claudescope.workflows import current_workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claudescope.resilience.engine.actions import PlanEvent
    from claudescope.resilience.engine.plan import Runtime
    from claudescope.resilience.engine.rules import CallPolicy, Target
    from claudescope.resilience.pipeline import Pipeline

__all__ = ["Active"]

_MAX_ROUTES: Final = 512
_HOPS: Final = frozenset({"chat", "count_tokens"})
"""The operations that another target can serve. Batches and files exist at one target only."""


class Active:
    """A policy and the state of its calls.

    Args:
        rules: Gives the rules of a call, by its workflow.
        targets: The targets of the policy, by name.
        runtime: What the engine's plans share.
        pipeline: What the policy asks for beside the plans.
    """

    def __init__(
        self,
        rules: Callable[[str | None], CallPolicy],
        targets: Mapping[str, Target],
        runtime: Runtime,
        pipeline: Pipeline,
    ) -> None:
        self.rules = rules
        self.runtime = runtime
        self.pipeline = pipeline
        self.places = Places(targets)
        self._routed: dict[tuple[int, str, bool], tuple[CallPolicy, CallPolicy]] = {}

    def session(
        self,
        original: Callable[..., Any],
        client: Any,
        cast_to: Any,
        options: Any,
        arguments: dict[str, Any],
        *,
        is_async: bool,
    ) -> Session | None:
        """Begin a call; None where an internal error kept it from being protected. Never raises."""
        try:
            workflow = current_workflow()
            rules = self.rules(workflow)
            operation = operation_of(options.method, options.url)
            own = self.places.own_name(client, rules.route)
            rules = self._route(rules, own, hops=operation in _HOPS)
            timeout = own_timeout(client, options)
            model = self.places.canonical(own, request_model(options))
            body = options.json_data
            request = RequestFacts(
                operation,
                model,
                workflow,
                bool(arguments.get("stream")),
                own_retries(client, options),
                timeout if isinstance(timeout, (int, float)) else None,
                conversation_of(body) if len(rules.route) > 1 else None,
                None,
                None,
                body,
            )
            make_plan = partial(self._plan, rules)
            session = Session(
                self.places, own, client, options, request, original, cast_to, arguments, make_plan, is_async=is_async
            )
            session.strategy, session.rounds = rules.stream, rules.continue_on_max_tokens
            session.steps = self.pipeline.begin(request, rules, partial(scope_of, client, options))
            if session.steps is None:
                session.begin(request)
        except Exception:  # noqa: BLE001 - the app's call goes on without protection
            internal_errors.record("resilience")
            return None
        return session

    def _plan(
        self, rules: CallPolicy, request: RequestFacts, on_event: Callable[[PlanEvent], None], since: float | None
    ) -> Plan:
        return Plan(rules, request, self.runtime, on_event, since=since)

    def _route(self, rules: CallPolicy, own: str, *, hops: bool) -> CallPolicy:
        """The rules with a route that the app's client can take.

        A client that is none of the policy's targets stays where it is: its calls must not go to another place, with
        another key, than the app has chosen.
        """
        if hops and own in self.places.targets:
            return rules
        key = (id(rules), own, hops)
        known = self._routed.get(key)
        if known is None or known[0] is not rules:
            if len(self._routed) >= _MAX_ROUTES:
                self._routed.clear()
            changed = replace(rules, route=(own,))
            known = self._routed[key] = (rules, changed if hops else replace(changed, models=(), then=()))
        return known[1]
