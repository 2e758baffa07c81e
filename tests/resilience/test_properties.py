"""What holds for every policy, every outcome and every order of events."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from claudescope.resilience.engine.actions import (
    Answer,
    Fail,
    Failed,
    Limit,
    PlanEvent,
    RequestFacts,
    Send,
    Succeeded,
    Timeouts,
    Wait,
)
from claudescope.resilience.engine.breaker import Permit, lease_of
from claudescope.resilience.engine.plan import Plan
from claudescope.resilience.engine.retry import DEFAULT_RULES
from claudescope.resilience.engine.retry_budget import CAPACITY
from claudescope.resilience.engine.rules import BreakerRule, CallPolicy, RetryRule
from claudescope.schema.error_types import ERROR_TYPES
from tests.resilience.engine import World

_SECONDS = st.sampled_from([0.0, 0.25, 1.0, 7.0, 30.0, 60.0, 3600.0])
_TARGETS = ("a", "b", "c")
_MODELS = ("opus", "sonnet", "haiku")

_breakers = st.one_of(
    st.none(),
    st.builds(
        BreakerRule,
        failures=st.integers(1, 4),
        rate=st.one_of(st.none(), st.sampled_from([0.1, 0.5, 1.0])),
        minimum_calls=st.integers(1, 5),
        window=st.sampled_from([1.0, 30.0]),
        cooldown=st.sampled_from([0.5, 5.0, 60.0]),
        successes=st.integers(1, 3),
        ramp=st.sampled_from([0.0, 10.0]),
    ),
)
_rules = st.builds(
    RetryRule,
    retries=st.integers(0, 5),
    base=_SECONDS,
    cap=st.sampled_from([0.25, 7.0, 60.0]),
    jitter=st.sampled_from([0.0, 0.5]),
    hop=st.booleans(),
    explicit=st.booleans(),
)
_policies = st.builds(
    CallPolicy,
    deadline=st.one_of(st.none(), st.sampled_from([0.5, 10.0, 90.0])),
    retry_budget=st.one_of(st.none(), st.sampled_from([0.0, 0.1, 1.0])),
    attempts=st.integers(1, 4),
    total_attempts=st.integers(1, 8),
    timeouts=st.builds(Timeouts, whole=st.one_of(st.none(), st.just(20.0))),
    throttle=st.frozensets(st.sampled_from(["rate-limit-headers", "adaptive"])),
    error_types=st.dictionaries(st.sampled_from(list(ERROR_TYPES)), _rules).map(lambda own: {**DEFAULT_RULES, **own}),
    breaker=_breakers,
    route=st.lists(st.sampled_from(_TARGETS), min_size=1, max_size=3, unique=True).map(tuple),
    models=st.lists(st.sampled_from(_MODELS), max_size=3, unique=True).map(tuple),
    stick=st.sampled_from([0.0, 300.0]),
    then=st.sampled_from([(), (Answer("static", "sorry"),)]),
)
_limits = st.dictionaries(
    st.sampled_from(["requests", "input_tokens"]),
    st.builds(
        Limit,
        limit=st.sampled_from([None, 0, 60]),
        remaining=st.sampled_from([None, 0, 1, 60]),
        reset_after=st.sampled_from([None, 0.0, 30.0]),
    ),
    max_size=2,
)
_failures = st.builds(
    Failed,
    error_type=st.sampled_from([*ERROR_TYPES, "no_such_error"]),
    status=st.sampled_from([None, 400, 429, 500, 529]),
    retry_after=st.one_of(st.none(), st.none(), st.sampled_from([0.0, 3.0, 30.0, 86400.0])),
    should_retry=st.sampled_from([None, None, True, False]),
    limits=_limits,
    sent=st.booleans(),
    policy_timeout=st.booleans(),
)
_successes = st.builds(Succeeded, limits=_limits)
_requests = st.builds(
    RequestFacts,
    model=st.sampled_from([None, *_MODELS]),
    stream=st.booleans(),
    max_retries=st.sampled_from([None, None, 0, 1]),
    timeout=st.sampled_from([None, 15.0]),
    conversation=st.sampled_from([None, "c1", "c2"]),
    input_tokens=st.sampled_from([None, 10, 10**9]),
)
_Outcome = Failed | Succeeded | str
_outcomes: st.SearchStrategy[_Outcome] = st.one_of(
    _failures, _failures, _successes, st.sampled_from(["cancelled", "not_sent", "stream", "broken stream"])
)


@dataclass
class Checked:
    """One call among others, and what has to hold for it.

    Attributes:
        plan: Its plan.
        policy: Its policy.
        request: The call.
        started: When it started.
        sends: Its attempts.
        under_way: The attempt that has not ended yet.
        sent_at: When that was sent.
        resumes: When its wait ends; None where it doesn't wait.
        events: What it told.
    """

    plan: Plan
    policy: CallPolicy
    request: RequestFacts
    started: float
    sends: list[Send] = field(default_factory=list)
    under_way: Send | None = None
    sent_at: float = 0.0
    resumes: float | None = None
    events: list[PlanEvent] = field(default_factory=list)
    waits: int = 0

    @property
    def deadline(self) -> float:
        """When it has to be over."""
        return float("inf") if self.policy.deadline is None else self.started + self.policy.deadline


class Universe:
    """Calls that run at the same time, in an order that a seed decides. Every step is checked."""

    def __init__(self, policy: CallPolicy, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a test's
        self.world = World({}, random=self.random.random)
        self.policy = policy
        self.not_before: dict[tuple[str, str | None], float] = {}

    def start(self, request: RequestFacts) -> Checked:
        """Start a call."""
        events: list[PlanEvent] = []
        plan = self.world.plan(self.policy, request, events)
        return Checked(plan, self.policy, request, self.world.now, events=events)

    def step(self, call: Checked, outcome: _Outcome) -> bool:
        """Let a call go on, and return whether it is over."""
        if call.under_way is not None:
            send, call.under_way = call.under_way, None
            if self._end(call, send, outcome):
                return True
        action = call.plan.next()
        if isinstance(action, Wait):
            assert action.seconds > 0
            assert self.world.now + action.seconds < call.deadline
            call.resumes = self.world.now + action.seconds
            call.waits += 1
            assert call.waits < 1000
            return False
        if isinstance(action, Send):
            self._sent(call, action)
            return False
        assert isinstance(action, (Fail, Answer))
        if isinstance(action, Answer):
            call.plan.answered()
        else:
            assert action.reason is None or not call.sends
            assert action.detail
        return True

    def _sent(self, call: Checked, send: Send) -> None:
        policy, place = call.policy, (send.target, send.model)
        assert send.target in policy.route
        assert send.model in policy.chain(call.request.model)
        assert self.world.now < call.deadline
        assert send.timeouts.whole is None or self.world.now + send.timeouts.whole <= call.deadline + 1e-6
        assert self.world.now >= self.not_before.get(place, 0.0) - 1e-6
        call.sends.append(send)
        assert len(call.sends) <= policy.total_attempts
        most = max([policy.attempts, *(1 + rule.retries for rule in policy.error_types.values() if rule.explicit)])
        counts = Counter((sent.target, sent.model) for sent in call.sends)
        assert max(counts.values()) <= most
        repeats = sum(one == two for one, two in zip(call.sends, call.sends[1:], strict=False))
        if call.request.max_retries is not None:
            assert repeats <= call.request.max_retries
        state = self.world.runtime.health.state(*place)
        if send.all_open:
            assert len(call.sends) == 1
            assert state != "closed"
        elif policy.breaker is not None:
            assert state != "open"
            assert isinstance(send.permit, Permit)
            assert (send.permit.token is not None) == (state == "half_open")
        call.under_way, call.sent_at = send, self.world.now

    def check_probes(self, running: list[Checked]) -> None:
        """Each circuit has one probe at most whose lease has not expired."""
        rule, now = self.policy.breaker, self.world.now
        probes = Counter(
            (call.under_way.target, call.under_way.model)
            for call in running
            if call.under_way is not None
            and isinstance(call.under_way.permit, Permit)
            and call.under_way.permit.token is not None
            and rule is not None
            and now < call.sent_at + lease_of(rule)
        )
        assert not probes or max(probes.values()) == 1

    def _end(self, call: Checked, send: Send, outcome: _Outcome) -> bool:
        """End an attempt, and return whether the call is over with it."""
        plan, place = call.plan, (send.target, send.model)
        if isinstance(outcome, Succeeded):
            plan.succeeded(outcome)
            return True
        if outcome == "cancelled":
            plan.cancelled()
            return True
        if outcome == "not_sent":
            call.sends.remove(send)
            plan.not_sent("queue_timeout")
            return False
        if isinstance(outcome, str):
            plan.succeeded(Succeeded(stream=True))
            if outcome == "stream":
                plan.stream_opened()
                plan.stream_ended(None)
                return True
            plan.stream_ended("overloaded_error")
            return False
        plan.failed(outcome)
        if (
            outcome.retry_after is not None
            and ERROR_TYPES.get(outcome.error_type, ERROR_TYPES["api_error"]).owner == "quota"
        ):
            until = self.world.now + outcome.retry_after
            self.not_before[place] = max(until, self.not_before.get(place, 0.0))
        return False


@settings(max_examples=150, deadline=None)
@given(
    _policies, st.lists(_requests, min_size=1, max_size=12), st.lists(_outcomes, min_size=1, max_size=60), st.integers()
)
def test_every_call_ends_within_its_bounds(
    policy: CallPolicy, requests: list[RequestFacts], outcomes: list[_Outcome], seed: int
) -> None:
    """Attempts are bounded, no open target is used, no deadline passed, no reset missed, no budget overdrawn."""
    universe = Universe(policy, seed)
    waiting = list(requests)
    running: list[Checked] = []
    results = outcomes[::-1]
    for _ in range(20_000):
        if waiting and (not running or universe.random.random() < 0.3):
            running.append(universe.start(waiting.pop()))
        ready = [call for call in running if call.resumes is None or call.resumes <= universe.world.now]
        if not ready:
            if not running:
                break
            universe.world.now = min(call.resumes for call in running if call.resumes is not None)
            continue
        call = universe.random.choice(ready)
        call.resumes = None
        if universe.step(call, results.pop() if len(results) > 1 else results[0]):
            running.remove(call)
        universe.world.now += universe.random.choice([0.0, 0.0, 0.1, 3.0])
        remaining = universe.world.runtime.budgets.remaining
        assert remaining is None or 0 <= remaining <= CAPACITY
        universe.check_probes(running)
    assert not running
    assert not waiting


@settings(max_examples=50, deadline=None)
@given(_policies, _requests, st.integers())
def test_an_outage_ends_every_call(policy: CallPolicy, request: RequestFacts, seed: int) -> None:
    """In a total outage each of a hundred calls ends, and retries stay within the budget."""
    draw = random.Random(seed).random  # noqa: S311 - a test's
    outage = Failed("overloaded_error", status=529)
    world = World(dict.fromkeys(_TARGETS, outage), random=draw)
    repeats = 0
    for _ in range(100):
        call = world.call(policy, request)
        repeats += sum(one == two for one, two in zip(call.places, call.places[1:], strict=False))
        assert call.failure is not None or call.answer is not None
    if policy.retry_budget is not None:
        assert repeats <= CAPACITY
