"""The plan of a call: every rule of the table of rules that experts get right and toys don't, as far as it decides."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from claudescope.resilience.engine.actions import (
    Answer,
    Degraded,
    Fail,
    Hop,
    Limit,
    Queued,
    Rejected,
    RequestFacts,
    Send,
    Succeeded,
    Timeouts,
    Transition,
    Wait,
)
from claudescope.resilience.engine.plan import Plan
from claudescope.resilience.engine.retry import DEFAULT_RULES
from claudescope.resilience.engine.retry_budget import CAPACITY
from claudescope.resilience.engine.rules import BreakerRule, CallPolicy, RetryRule
from claudescope.schema.error_types import ERROR_TYPES
from tests.resilience.engine import Outcome, World, error

COUNT = BreakerRule(failures=5, window=30, cooldown=60)
BARE = CallPolicy(deadline=600, error_types=DEFAULT_RULES)
GUARDED = replace(BARE, breaker=COUNT, retry_budget=0.1)
TWO = replace(BARE, route=("a", "b"))
ONE = RequestFacts(model="opus")
OK = Succeeded()
OVERLOADED = error("overloaded_error", status=529)


def _rules(**changes: RetryRule) -> dict[str, RetryRule]:
    return {**DEFAULT_RULES, **changes}


def _open(world: World, policy: CallPolicy, target: str = "a") -> None:
    """Fail until the circuit of a target is open."""
    world.targets[target] = OVERLOADED
    once = replace(policy, route=(target,), attempts=1, deadline=None)
    while world.runtime.health.state(target, "opus") != "open":
        world.call(once)


class TestOneLoop:
    """One loop owns retries; never nest loops. Total attempts of a call are bounded over all hops."""

    def test_attempts_are_bounded_over_targets_and_models(self) -> None:
        """Three targets and three models that all fail get eight attempts in all, not 27."""
        world = World(dict.fromkeys("abc", OVERLOADED))
        call = world.call(replace(BARE, deadline=None, route=("a", "b", "c"), models=("opus", "sonnet", "haiku")))
        assert len(call.sends) == 8
        assert call.failure is not None
        assert "8 attempts are the most" in call.failure.detail

    def test_three_attempts_on_one_target(self) -> None:
        """One target and model gets three attempts, with waits between them."""
        call = World({"a": OVERLOADED}).call(replace(BARE, route=("a",)))
        assert call.targets == ["a"] * 3
        assert call.waits == [1.25, 2.5]
        assert call.failure == Fail(None, "overloaded_error", "3 attempts: 3 at a with opus", None)

    def test_retries_of_the_policy_hold_beyond_attempts(self) -> None:
        """A policy that asks for five retries of an error type gets six attempts."""
        rules = _rules(overloaded_error=RetryRule(5, 1, 30, 0, hop=True, explicit=True))
        assert len(World({"a": OVERLOADED}).call(replace(BARE, route=("a",), error_types=rules)).sends) == 6

    def test_the_app_caps_retries(self) -> None:
        """`max_retries=0` of the app means one attempt on a target; the call may still go to another."""
        never = replace(ONE, max_retries=0)
        assert World({"a": OVERLOADED}).call(replace(BARE, route=("a",)), never).targets == ["a"]
        assert World({"a": OVERLOADED, "b": OVERLOADED}).call(TWO, never).targets == ["a", "b"]

    def test_an_error_that_passes_costs_no_second_call(self) -> None:
        """A call whose second attempt succeeds made two attempts, and its numbers count up."""
        call = World({"a": [OVERLOADED]}).call(replace(BARE, route=("a",)))
        assert [send.number for send in call.sends] == [1, 2]
        assert call.failure is None


class TestRetryBudget:
    """Retry budget as a token bucket: in a total outage a fleet must not send three times its traffic."""

    def test_an_outage_sends_hardly_more_than_is_asked(self) -> None:
        """In a total outage without a breaker, ten retries come out of the full bucket, and then none."""
        world, policy = World({"a": OVERLOADED}), replace(BARE, route=("a",), retry_budget=0.1)
        attempts = [len(world.call(policy).sends) for _ in range(200)]
        assert sum(attempts) == 200 + CAPACITY
        assert set(attempts[100:]) == {1}

    def test_successes_fill_it(self) -> None:
        """Ten successful calls pay for one retry."""
        world, policy = World({"a": OVERLOADED}), replace(BARE, route=("a",), retry_budget=0.1)
        for _ in range(10):
            world.call(policy)
        world.targets["a"] = OK
        for _ in range(10):
            world.call(policy)
        world.targets["a"] = OVERLOADED
        assert len(world.call(policy).sends) == 2
        assert len(world.call(policy).sends) == 1

    def test_the_error_says_so(self) -> None:
        """A call that isn't repeated because of the budget raises the real error, and says why it gave up."""
        world, policy = World({"a": OVERLOADED}), replace(BARE, route=("a",), retry_budget=0.0)
        call = [world.call(policy) for _ in range(20)][-1]
        assert call.failure is not None
        assert call.failure.reason is None
        assert "the retry budget is used up" in call.failure.detail

    def test_a_timeout_takes_two(self) -> None:
        """A repeated timeout takes two tokens, so that five empty the bucket."""
        world = World({"a": error("client_timeout_error", status=None)})
        policy = replace(BARE, route=("a",), retry_budget=0.0)
        assert [len(world.call(policy).sends) for _ in range(7)] == [2, 2, 2, 2, 2, 1, 1]


class TestAdaptiveThrottle:
    """Adaptive throttling: reject locally with probability max(0, (requests - 2 accepts) / (requests + 1))."""

    POLICY = replace(BARE, route=("a",), attempts=1, throttle=frozenset({"adaptive"}))

    def test_a_dead_target_gets_few_requests(self) -> None:
        """With a random number of 0.5, a target that accepts nothing gets two requests, and then none."""
        world = World({"a": OVERLOADED})
        calls = [world.call(self.POLICY) for _ in range(10)]
        assert [len(call.sends) for call in calls] == [1, 1] + [0] * 8
        assert calls[-1].failure is not None
        assert calls[-1].failure.reason == "throttled"
        assert calls[-1].events == [Rejected("throttled")]

    def test_it_follows_the_formula(self) -> None:
        """With one request accepted of eight, a draw just below (8 - 2) / 9 rejects, and one just above sends."""
        for draw, sent in ((0.66, 0), (0.67, 1)):
            world = World({"a": [OK, *[OVERLOADED] * 7]}, random=1.0)
            for _ in range(8):
                world.call(self.POLICY)
            world.runtime.random = lambda draw=draw: draw  # type: ignore[misc]
            assert len(world.call(self.POLICY).sends) == sent

    def test_a_target_that_accepts_half_is_not_throttled(self) -> None:
        """Up to half of the requests may fail, and errors of the caller are accepted requests."""
        world = World({"a": [OK, OVERLOADED] * 50}, random=0.0)
        assert all(world.call(self.POLICY).sends for _ in range(100))
        world = World({"a": error("invalid_request_error", status=400)}, random=0.0)
        assert all(world.call(self.POLICY).sends for _ in range(20))

    def test_it_forgets_after_two_minutes(self) -> None:
        """What happened more than two minutes ago counts no more."""
        world = World({"a": OVERLOADED}, random=0.0)
        while world.call(self.POLICY).sends:
            pass
        world.now += 121
        assert world.call(self.POLICY).sends


class TestDeadline:
    """The deadline spans retries, hops and stream; a wait that would pass it is not begun."""

    def test_a_wait_that_would_pass_it_is_not_begun(self) -> None:
        """With two seconds left a wait of 2.5 is not begun, and the real error is raised at once."""
        call = World({"a": OVERLOADED}).call(replace(BARE, route=("a",), deadline=3))
        assert call.waits == [1.25]
        assert call.ended - call.started == 1.25
        assert call.failure is not None
        assert "a wait of 2.5 s would pass the deadline of 3 s" in call.failure.detail

    def test_attempts_get_what_is_left(self) -> None:
        """Each attempt may take what is left of the deadline, and no part of it may take more."""
        world = World({"a": OVERLOADED}, latency=4)
        policy = replace(BARE, route=("a",), deadline=20, timeouts=Timeouts(connect=5, first_token=30))
        first, second, third = world.call(policy).sends
        assert first.timeouts == Timeouts(connect=5, first_token=20, whole=20)
        assert second.timeouts.whole == pytest.approx(14.75)
        assert third.timeouts == Timeouts(connect=5, first_token=8.25, whole=8.25)

    def test_the_apps_timeout_caps_the_policys(self) -> None:
        """A timeout that the app has set is not raised by the policy."""
        policy = replace(BARE, route=("a",), timeouts=Timeouts(first_token=30, stall=5))
        sent = World({"a": OK}).call(policy, replace(ONE, timeout=10)).sends[0]
        assert sent.timeouts == Timeouts(first_token=10, stall=5, whole=600)

    def test_it_ends_hops(self) -> None:
        """After the deadline the call goes to no other target, and raises the real error."""
        world = World({"a": OVERLOADED, "b": OK}, latency=6)
        call = world.call(replace(TWO, deadline=5))
        assert call.targets == ["a"]
        assert call.failure is not None
        assert (call.failure.reason, call.failure.error_type) == (None, "overloaded_error")

    def test_nothing_sent_is_a_rejection(self) -> None:
        """A call that was held up until its deadline before it was sent is rejected for that reason."""
        world = World({"a": OK})
        events: list[object] = []
        plan = Plan(replace(BARE, route=("a",), deadline=5), ONE, world.runtime, events.append)
        world.now += 5
        action = plan.next()
        assert isinstance(action, Fail)
        assert (action.reason, events) == ("deadline", [Rejected("deadline")])


class TestRetryAfter:
    """Honour `retry-after`, jitter on top; above the cap hop or fail at once, never retry early."""

    def test_it_is_waited_for_with_jitter(self) -> None:
        """A `retry-after` of 7 s makes a wait of 7.25 s with half of the jitter."""
        call = World({"a": [error("rate_limit_error", status=429, retry_after=7)]}).call(replace(BARE, route=("a",)))
        assert call.waits == [7.25]
        assert call.failure is None

    def test_it_is_honoured_for_every_error(self) -> None:
        """A 503 with a `retry-after` waits for it, too, and not for its own shorter backoff."""
        call = World({"a": [error("api_error", status=503, retry_after=9)]}).call(replace(BARE, route=("a",)))
        assert call.waits == [9.25]

    @pytest.mark.parametrize("deadline", [90, None])
    def test_a_day_is_not_slept(self, deadline: float | None) -> None:
        """`retry-after: 86400` fails at once with one target, and goes to the other at once with two."""
        day = error("rate_limit_error", status=429, retry_after=86400)
        alone = World({"a": day}).call(replace(BARE, route=("a",), deadline=deadline))
        assert (alone.waits, alone.ended) == ([], alone.started)
        assert alone.failure == Fail(
            None,
            "rate_limit_error",
            "1 attempt: 1 at a with opus; a asks for a wait of 86400 s, which is above the cap of 60 s",
            86400,
        )
        hopped = World({"a": day, "b": OK}).call(replace(TWO, deadline=deadline))
        assert (hopped.targets, hopped.waits) == (["a", "b"], [])
        assert hopped.events == [Hop("rate_limit_error", "a", "opus", "b", "opus")]

    def test_a_call_after_it_does_not_come_early(self) -> None:
        """Other calls aren't sent before the reset either: rejected with the time that is left."""
        world = World({"a": error("rate_limit_error", status=429, retry_after=86400)})
        policy = replace(BARE, route=("a",))
        world.call(policy)
        world.now += 100
        call = world.call(policy)
        assert call.sends == []
        assert call.failure is not None
        assert call.failure.reason == "throttled"
        assert call.failure.retry_after == pytest.approx(86300, abs=1)


class TestBackoff:
    """Full jitter otherwise, with a longer base for 529. `x-should-retry` is obeyed."""

    def test_it_is_random_below_a_bound_that_doubles(self) -> None:
        """The waits are the draws times base, twice the base, and so on up to the cap."""
        rules = _rules(api_error=RetryRule(5, 1, 6, 0, hop=True, explicit=True))
        draws = iter([0.0, 1.0, 0.25, 0.5, 1.0, 0.75])  # the first is for the jitter of holds
        world = World({"a": error("api_error")}, random=lambda: next(draws, 0.5))
        call = world.call(replace(BARE, route=("a",), error_types=rules))
        assert call.waits == [1.0, 0.5, 2.0, 6.0, 4.5]

    def test_an_overloaded_provider_gets_more_time(self) -> None:
        """A 529 waits five times as long as a 500."""
        slow = World({"a": OVERLOADED}).call(replace(BARE, route=("a",))).waits
        quick = World({"a": error("api_error")}).call(replace(BARE, route=("a",))).waits
        assert slow == [5 * wait for wait in quick]

    def test_a_server_that_forbids_retries_gets_none(self) -> None:
        """`x-should-retry: false` ends retries there, and the call goes to the other target."""
        forbidden = replace(OVERLOADED, should_retry=False)
        assert World({"a": forbidden}).call(replace(BARE, route=("a",))).targets == ["a"]
        assert World({"a": forbidden, "b": OK}).call(TWO).targets == ["a", "b"]

    def test_a_server_that_asks_for_a_retry_gets_one(self) -> None:
        """`x-should-retry: true` repeats an error that the table never repeats, within the limits of the policy."""
        conflict = error("invalid_request_error", status=409, should_retry=True)
        assert len(World({"a": conflict}).call(replace(BARE, route=("a",))).sends) == 3

    @pytest.mark.parametrize("name", [name for name, row in ERROR_TYPES.items() if row.owner == "caller"])
    def test_the_callers_own_errors_are_not_repeated(self, name: str) -> None:
        """An error of the caller is raised at once: no retry, no hop, no other answer."""
        policy = replace(TWO, then=(Answer("static", "sorry"),), models=("opus", "sonnet"))
        call = World({"a": error(name, status=400), "b": OK}).call(policy)
        assert call.targets == ["a"]
        assert call.failure is not None

    def test_the_table_decides(self) -> None:
        """There is one table of error types: its kinds of retry are all that decides whether there is one."""
        for name, row in ERROR_TYPES.items():
            sends = World({"a": error(name)}).call(replace(BARE, route=("a",))).sends
            # What only the app can repeat once it has content is repeated here: the attempt gave none.
            assert (len(sends) > 1) == (row.retryable or row.retry == "by_app"), name


class TestTimeouts:
    """A timeout is retried once; it may have been billed."""

    TIMEOUT = error("client_timeout_error", status=None)

    def test_once_on_one_target(self) -> None:
        """One target gets two attempts."""
        assert World({"a": self.TIMEOUT}).call(replace(BARE, route=("a",))).targets == ["a", "a"]

    def test_once_over_all_targets(self) -> None:
        """With three targets it is the second one that gets the second attempt, and there is no third."""
        call = World(dict.fromkeys("abc", self.TIMEOUT)).call(replace(BARE, route=("a", "b", "c")))
        assert call.targets == ["a", "b"]
        assert call.failure is not None
        assert "each attempt may be billed" in call.failure.detail

    def test_one_that_was_not_sent_is_not_billed(self) -> None:
        """A timeout while connecting is no such attempt: the call goes on to every target."""
        unsent = replace(self.TIMEOUT, sent=False)
        assert World(dict.fromkeys("abc", unsent)).call(replace(BARE, route=("a", "b", "c"))).targets[-1] == "c"


class TestBreaker:
    """Breaker per (target, model) of provider and network errors; works with one target too."""

    def test_it_opens_and_rejects(self) -> None:
        """Five failures open it. Then nothing is sent, and the error says when to come back."""
        world = World({"a": OVERLOADED})
        policy = replace(GUARDED, route=("a",))
        calls = [world.call(policy) for _ in range(4)]
        assert [len(call.sends) for call in calls] == [3, 2, 0, 0]
        assert Transition("a", "opus", "open") in calls[1].events
        assert calls[1].failure is not None
        assert calls[1].failure.reason is None
        assert "the circuit of a opened" in calls[1].failure.detail
        failure = calls[2].failure
        assert failure is not None
        assert (failure.reason, failure.error_type) == ("circuit_open", "circuit_open_error")
        assert failure.retry_after == pytest.approx(67.5, abs=5)
        assert calls[2].events == [Rejected("circuit_open")]

    @pytest.mark.parametrize(
        "outcome",
        [
            error("invalid_request_error", status=400),
            error("rate_limit_error", status=429),
            error("authentication_error", status=401),
            error("client_timeout_error", status=None),
            error("pool_timeout_error", status=None, sent=False),
        ],
        ids=lambda outcome: outcome.error_type,
    )
    def test_what_never_opens_it(self, outcome: Outcome) -> None:
        """Errors of the caller, of quota and account, timeouts of the app and the local pool don't open it."""
        world = World({"a": outcome})
        for _ in range(30):
            world.call(replace(GUARDED, route=("a",), attempts=1))
        assert world.runtime.health.state("a", "opus") == "closed"

    @pytest.mark.parametrize(
        "outcome",
        [
            OVERLOADED,
            error("connection_error", status=None),
            error("timeout_error", status=504),
            error("client_timeout_error", status=None, policy_timeout=True),
            error("client_timeout_error", status=None, sent=False),
        ],
        ids=["overloaded", "connection", "provider's timeout", "policy's timeout", "connect timeout"],
    )
    def test_what_opens_it(self, outcome: Outcome) -> None:
        """Errors of the provider and the network open it, and so do timeouts of the policy itself."""
        world = World({"a": outcome})
        for _ in range(5):
            world.call(replace(GUARDED, route=("a",), attempts=1))
        assert world.runtime.health.state("a", "opus") == "open"

    def test_cancellations_never_open_it(self) -> None:
        """A call that the app cancels says nothing about the target."""
        world = World({"a": OK})
        for _ in range(30):
            plan = world.plan(replace(GUARDED, route=("a",)), ONE, [])
            assert isinstance(plan.next(), Send)
            plan.cancelled()
        assert world.runtime.health.state("a", "opus") == "closed"

    def test_it_is_per_target_and_model(self) -> None:
        """An open circuit of one model leaves the other models of the target alone."""
        world = World({"a": OVERLOADED})
        _open(world, GUARDED)
        world.targets["a"] = OK
        assert world.call(replace(GUARDED, route=("a",)), RequestFacts(model="sonnet")).targets == ["a"]
        assert world.call(replace(GUARDED, route=("a",)), ONE).targets == []

    def test_every_hop_feeds_its_own(self) -> None:
        """Failures at the second target open the circuit of the second target."""
        world = World({"a": OVERLOADED, "b": OVERLOADED})
        for _ in range(5):
            world.call(replace(GUARDED, route=("a", "b"), attempts=1))
        assert {key[0]: state for key, state in world.runtime.health.states().items()} == {"a": "open", "b": "open"}

    def test_the_window_rolls(self) -> None:
        """Failures that are older than the window don't count: five in 31 s don't open it, five in 29 s do."""
        for gap, state in ((7.75, "closed"), (7.25, "open")):
            world = World({"a": OVERLOADED})
            for _ in range(5):
                world.call(replace(GUARDED, route=("a",), attempts=1))
                world.now += gap
            assert world.runtime.health.state("a", "opus") == state

    def test_by_rate_with_a_minimum_of_calls(self) -> None:
        """At 50 % of at least ten calls: nine failures don't open it, and five of ten do, and four of ten don't."""
        rule = BreakerRule(failures=None, rate=0.5, minimum_calls=10)
        policy = replace(BARE, route=("a",), attempts=1, breaker=rule)

        def after(*outcomes: Outcome) -> str:
            world = World({"a": list(outcomes)})
            for _ in outcomes:
                world.call(policy)
            return world.runtime.health.state("a", "opus")

        assert after(*[OVERLOADED] * 9) == "closed"
        assert after(*[OVERLOADED] * 10) == "open"
        assert after(*[OK] * 5, *[OVERLOADED] * 5) == "open"
        assert after(*[OK] * 6, *[OVERLOADED] * 4) == "closed"


class TestQuota:
    """429 is quota: held per (target, model, limit) until its reset. A spend limit is not retried."""

    def test_nothing_is_sent_before_the_reset(self) -> None:
        """In a storm of 429s with `retry-after: 30`, a hundred calls send one request before the reset."""
        world = World({"a": error("rate_limit_error", status=429, retry_after=30)})
        policy = replace(BARE, route=("a",))
        first = world.plan(policy, ONE, [])
        assert isinstance(first.next(), Send)
        first.failed(error("rate_limit_error", status=429, retry_after=30))
        assert first.next() == Wait(30.25, "retry_after")
        world.now += 1
        later = [world.plan(policy, ONE, []) for _ in range(100)]
        assert [plan.next() for plan in later] == [Wait(29.25, "quota")] * 100
        world.now += 28.9
        assert all(isinstance(plan.next(), Wait) for plan in [first, *later])
        world.now += 0.4
        assert all(isinstance(plan.next(), Send) for plan in [first, *later])

    def test_the_wait_is_told(self) -> None:
        """A call that waits for quota before it is sent says for how long it queued."""
        world = World({"a": [error("rate_limit_error", status=429, retry_after=30)]})
        world.call(replace(BARE, route=("a",), attempts=1))
        call = world.call(replace(BARE, route=("a",)))
        assert [action for action in call.actions if isinstance(action, Wait)] == [Wait(30.25, "quota")]
        assert call.events == [Queued("throttle", 30.25)]

    def test_it_ends_at_the_reset_of_the_headers(self) -> None:
        """Without `retry-after` the reset of the limit that is used up counts."""
        limits = {"requests": Limit(50, 10, 5.0), "input_tokens": Limit(1000, 0, 12.0)}
        call = World({"a": [error("rate_limit_error", status=429, limits=limits)]}).call(replace(BARE, route=("a",)))
        assert call.actions[1] == Wait(12.25, "quota")

    def test_a_hold_is_of_one_model(self) -> None:
        """Another model of the target is not held back, and another target takes the calls of the model."""
        world = World({"a": [error("rate_limit_error", status=429, retry_after=30)], "b": OK})
        world.call(replace(BARE, route=("a",), attempts=1))
        assert world.call(TWO, RequestFacts(model="sonnet")).waits == []
        call = world.call(TWO)
        assert (call.targets, call.waits) == (["b"], [])
        assert call.events == [Hop("throttled", "a", "opus", "b", "opus")]

    def test_a_spend_limit_is_not_retried(self) -> None:
        """It is raised at once with one target. With two the other one is asked, now and for the next calls."""
        spent = error("spend_limit_error", status=429)
        assert World({"a": spent}).call(replace(GUARDED, route=("a",))).targets == ["a"]
        world = World({"a": spent, "b": OK})
        assert world.call(replace(GUARDED, route=("a", "b"))).targets == ["a", "b"]
        assert world.call(replace(GUARDED, route=("a", "b"))).targets == ["b"]

    def test_an_account_error_does_not_block_the_only_target(self) -> None:
        """With one target every call is sent, so that the app sees the real error."""
        world = World({"a": error("authentication_error", status=401)})
        assert [world.call(replace(GUARDED, route=("a",))).targets for _ in range(20)] == [["a"]] * 20

    def test_headers_slow_calls_down_before_the_429(self) -> None:
        """With no requests left of 60 a minute, the next call waits a second for the bucket to fill."""
        policy = replace(BARE, route=("a",), throttle=frozenset({"rate-limit-headers"}))
        world = World({"a": Succeeded(limits={"requests": Limit(60, 0, 60.0)})})
        world.call(policy)
        call = world.call(policy)
        assert call.actions[0] == Wait(1.0, "throttle")
        assert call.events == [Queued("throttle", 1.0)]

    def test_calls_under_way_count_before_headers_tell(self) -> None:
        """Calls that run at once share what is left: with two requests left, the third waits."""
        policy = replace(BARE, route=("a",), throttle=frozenset({"rate-limit-headers"}))
        world = World({"a": Succeeded(limits={"requests": Limit(60, 2, 58.0)})})
        world.call(policy)
        actions = [world.plan(policy, ONE, []).next() for _ in range(3)]
        assert [type(action) for action in actions] == [Send, Send, Wait]


class TestHalfOpen:
    """One probe at a time under a lease that expires; cancellation frees it; late completions don't count; ramp."""

    POLICY = replace(GUARDED, route=("a",))

    def _half_open(self) -> World:
        world = World({"a": OVERLOADED})
        _open(world, self.POLICY)
        world.now += 70
        return world

    def test_one_probe_at_a_time(self) -> None:
        """While a probe is under way, other calls are rejected."""
        world = self._half_open()
        probe = world.plan(self.POLICY, ONE, [])
        assert isinstance(probe.next(), Send)
        assert world.call(self.POLICY).sends == []
        probe.succeeded(OK)
        world.targets["a"] = OK
        assert len(world.call(self.POLICY).sends) == 1

    def test_a_failed_probe_opens_it_again(self) -> None:
        """It stays open for another cooldown, and the probe isn't repeated."""
        world = self._half_open()
        call = world.call(self.POLICY)
        assert len(call.sends) == 1
        assert [event.to for event in call.events if isinstance(event, Transition)] == ["half_open", "open"]
        world.now += 59
        assert world.call(self.POLICY).sends == []
        world.now += 20
        assert len(world.call(self.POLICY).sends) == 1

    @pytest.mark.parametrize("status", [400, 429])
    def test_a_target_that_answers_is_well(self, status: int) -> None:
        """A probe that the target refuses because of the request closes the circuit: the target is there."""
        world = self._half_open()
        world.targets["a"] = error("rate_limit_error" if status == 429 else "invalid_request_error", status=status)
        world.call(replace(self.POLICY, attempts=1))
        assert world.runtime.health.state("a", "opus") == "closed"

    def test_cancellation_frees_the_probe(self) -> None:
        """A cancelled probe lets the next call probe at once."""
        world = self._half_open()
        probe = world.plan(self.POLICY, ONE, [])
        assert isinstance(probe.next(), Send)
        probe.cancelled()
        assert isinstance(world.plan(self.POLICY, ONE, []).next(), Send)

    def test_a_probe_that_could_not_be_sent_is_freed(self) -> None:
        """Where the driver has no slot for the probe, the next call may probe."""
        world = self._half_open()
        probe = world.plan(self.POLICY, ONE, [])
        assert isinstance(probe.next(), Send)
        probe.not_sent("queue_timeout")
        failure = probe.next()
        assert isinstance(failure, Fail)
        assert failure.reason == "queue_timeout"
        assert isinstance(world.plan(self.POLICY, ONE, []).next(), Send)

    def test_the_lease_expires(self) -> None:
        """A probe that never ends gives way after its lease, and its own late end counts no more."""
        world = self._half_open()
        lost = world.plan(self.POLICY, ONE, [])
        assert isinstance(lost.next(), Send)
        world.now += 61
        second = world.plan(self.POLICY, ONE, [])
        assert isinstance(second.next(), Send)
        lost.failed(OVERLOADED)
        assert world.runtime.health.state("a", "opus") == "half_open"
        second.succeeded(OK)
        assert world.runtime.health.state("a", "opus") == "closed"

    def test_late_completions_do_not_count(self) -> None:
        """Calls from before the outage that fail after the recovery don't open the circuit again."""
        world = World({"a": OVERLOADED})
        late = [world.plan(self.POLICY, ONE, []) for _ in range(10)]
        assert all(isinstance(plan.next(), Send) for plan in late)
        _open(world, self.POLICY)
        world.now += 80
        world.targets["a"] = OK
        world.call(self.POLICY)
        for plan in late:
            plan.failed(OVERLOADED)
        assert world.runtime.health.state("a", "opus") == "closed"

    def test_the_cooldown_is_jittered(self) -> None:
        """Two processes whose circuits open at the same time don't probe at the same time."""
        ready = []
        for draw in (0.0, 1.0):
            world = World({"a": OVERLOADED}, random=draw)
            _open(world, self.POLICY)
            ready.append(next(seconds for seconds in range(200) if not self._blocked(world, seconds)))
        assert ready == [60, 75]

    @staticmethod
    def _blocked(world: World, seconds: float) -> bool:
        return world.runtime.health.blocked("a", "opus", world.now + seconds)

    def test_successes_in_a_row(self) -> None:
        """With `successes: 2` it takes two probes, one after the other."""
        policy = replace(self.POLICY, breaker=replace(COUNT, successes=2))
        world = World({"a": OVERLOADED})
        _open(world, policy)
        world.now += 80
        world.targets["a"] = OK
        states = []
        for _ in range(2):
            world.call(policy)
            states.append(world.runtime.health.state("a", "opus"))
        assert states == ["half_open", "closed"]

    def test_traffic_ramps_up(self) -> None:
        """After it has closed, a target takes a tenth of the calls, then more, and all after the ramp."""
        policy = replace(GUARDED, route=("a", "b"))
        draws = iter(range(10**9))
        world = World({"a": OVERLOADED, "b": OK}, random=lambda: (next(draws) * 0.6180339887) % 1)
        _open(world, policy)
        world.now += 80
        world.targets["a"] = OK
        assert world.call(policy).targets == ["a"]
        shares = []
        for seconds in (0.5, 5, 8, 10):
            start, world.now = world.now, world.now + seconds
            shares.append(sum(world.call(policy).targets == ["a"] for _ in range(200)) / 200)
            world.now = start
        assert shares == pytest.approx([0.1, 0.5, 0.8, 1.0], abs=0.06)

    def test_no_ramp_without_another_target(self) -> None:
        """With one target, all calls go to it as soon as it is back."""
        world = self._half_open()
        world.targets["a"] = OK
        assert all(world.call(self.POLICY).sends for _ in range(50))


class TestOpenTargets:
    """A call is never sent to an open target, except that when all are open the least bad is tried, and says so."""

    def test_never_to_an_open_target(self) -> None:
        """With one circuit open, every call goes to the other target at once."""
        world = World({"a": OVERLOADED, "b": OK})
        _open(world, GUARDED)
        calls = [world.call(replace(GUARDED, route=("a", "b"))) for _ in range(50)]
        assert {tuple(call.targets) for call in calls} == {("b",)}
        assert all(call.waits == [] for call in calls)
        assert calls[0].events == [Hop("circuit_open", "a", "opus", "b", "opus")]

    def test_the_least_bad_when_all_are_open(self) -> None:
        """With both circuits open, one attempt goes to the one that opened first; its error says so."""
        world = World({"a": OVERLOADED, "b": OVERLOADED})
        _open(world, GUARDED, "b")
        world.now += 10
        _open(world, GUARDED, "a")
        call = world.call(replace(GUARDED, route=("a", "b")))
        assert call.targets == ["b"]
        assert call.sends[0].all_open
        assert call.failure is not None
        assert call.failure.reason is None
        assert "every circuit is open; b was tried as the least bad" in call.failure.detail

    def test_an_outage_of_everything_sends_what_is_asked(self) -> None:
        """In the steady state of a total outage, each call makes one attempt at most."""
        world = World({"a": OVERLOADED, "b": OVERLOADED})
        for _ in range(10):
            world.call(replace(GUARDED, route=("a", "b")))
        assert {len(world.call(replace(GUARDED, route=("a", "b"))).sends) for _ in range(100)} == {1}


class TestStreams:
    """Before the first content event a stream restarts freely, and its verdict comes at its end."""

    def test_the_verdict_comes_at_the_end(self) -> None:
        """Streams that open well and break later open the circuit."""
        world, policy = World({"a": OK}), replace(GUARDED, route=("a",))
        for _ in range(5):
            plan = world.plan(policy, replace(ONE, stream=True), [])
            assert isinstance(plan.next(), Send)
            plan.succeeded(Succeeded(stream=True))
            plan.stream_opened()
            plan.stream_ended("stream_interrupted_error")
            failure = plan.next()
            assert isinstance(failure, Fail)
            assert (failure.reason, failure.error_type) == (None, "stream_interrupted_error")
        assert world.runtime.health.state("a", "opus") == "open"

    def test_it_restarts_before_its_first_content(self) -> None:
        """A stream that breaks before any content is repeated like any other attempt."""
        world = World({"a": OK})
        plan = world.plan(replace(BARE, route=("a",)), replace(ONE, stream=True), [])
        assert isinstance(plan.next(), Send)
        plan.succeeded(Succeeded(stream=True))
        plan.stream_ended("overloaded_error")
        assert plan.next() == Wait(1.25, "backoff")

    def test_it_is_not_repeated_after_content(self) -> None:
        """Once the app has content, nothing is repeated, hopped to or answered otherwise."""
        world = World({"a": OK, "b": OK})
        plan = world.plan(replace(TWO, then=(Answer("static", "x"),)), replace(ONE, stream=True), [])
        assert isinstance(plan.next(), Send)
        plan.succeeded(Succeeded(stream=True))
        plan.stream_opened()
        plan.stream_ended("overloaded_error")
        assert isinstance(plan.next(), Fail)


class TestModels:
    """A fallback model is checked first; the next hop is priced before it is taken."""

    CHAIN = replace(BARE, route=("a", "b"), models=("opus", "sonnet", "haiku"), attempts=1, retry_budget=0.1)

    def test_targets_first_then_models(self) -> None:
        """The chain goes over all targets with the model that was asked for, and then to the next model."""
        call = World(dict.fromkeys("ab", OVERLOADED)).call(self.CHAIN)
        assert call.places == [
            ("a", "opus"),
            ("b", "opus"),
            ("a", "sonnet"),
            ("b", "sonnet"),
            ("a", "haiku"),
            ("b", "haiku"),
        ]

    def test_a_call_falls_back_to_the_models_after_its_own(self) -> None:
        """A call for the second model of the chain never gets the first."""
        world = World({"a": lambda send, _: OK if send.model == "haiku" else OVERLOADED})
        call = world.call(replace(self.CHAIN, route=("a",)), RequestFacts(model="sonnet"))
        assert call.places == [("a", "sonnet"), ("a", "haiku")]
        assert call.events == [Hop("overloaded_error", "a", "sonnet", "a", "haiku"), Degraded("model")]

    def test_a_model_that_does_not_fit_is_passed_over(self) -> None:
        """A model that can't serve the request isn't asked, and the error says why."""
        world = World({"a": OVERLOADED})
        world.models.unfit = {"sonnet": ("its window is 200000 tokens",)}
        call = world.call(replace(self.CHAIN, route=("a",)))
        assert call.places == [("a", "opus"), ("a", "haiku")]
        assert call.failure is not None
        assert "sonnet can't serve the request: its window is 200000 tokens" in call.failure.detail

    def test_a_hop_is_priced(self) -> None:
        """A hop that may cost more than the ceiling, with what lost attempts may have cost, isn't taken."""
        world = World({"a": error("api_error", status=None), "b": OK})
        world.models.prices = {"opus": Decimal("0.40"), "sonnet": Decimal("0.11"), "haiku": Decimal("0.10")}
        call = world.call(replace(self.CHAIN, max_cost_usd=Decimal("0.50")))
        assert call.places == [("a", "opus"), ("a", "haiku")]
        assert call.failure is not None
        assert "may cost more than max_cost_usd: 0.50" in call.failure.detail

    def test_errors_of_an_account_skip_the_whole_target(self) -> None:
        """A target whose key is refused isn't asked for other models."""
        call = World({"a": error("authentication_error", status=401), "b": OVERLOADED}).call(self.CHAIN)
        assert call.places == [("a", "opus"), ("b", "opus"), ("b", "sonnet"), ("b", "haiku")]


class TestConversations:
    """A conversation sticks to its target, and goes back after a probe and the ramp."""

    POLICY = replace(GUARDED, route=("a", "b"))
    TURN = replace(ONE, conversation="c1")

    def test_it_stays_and_goes_back(self) -> None:
        """After an outage it stays at the second target for five minutes, and then goes back."""
        world = World({"a": OVERLOADED, "b": OK})
        assert world.call(self.POLICY, self.TURN).targets[-1] == "b"
        world.targets["a"] = OK
        assert world.call(self.POLICY, self.TURN).targets == ["b"]
        assert world.call(self.POLICY, self.TURN).events == []
        assert world.call(self.POLICY, replace(ONE, conversation="c2")).targets == ["a"]
        world.now += 301
        assert [world.call(self.POLICY, self.TURN).targets for _ in range(2)] == [["a"], ["a"]]

    def test_it_does_not_go_back_to_a_target_that_is_not_well(self) -> None:
        """While the preferred circuit is open or ramps up, the conversation stays where it is."""
        world = World({"a": OVERLOADED, "b": OK}, random=0.0)
        policy = replace(self.POLICY, stick=0)
        _open(world, policy)
        world.call(policy, self.TURN)
        assert world.call(policy, self.TURN).events == []
        world.now += 60
        world.targets["a"] = OK
        assert world.call(policy).targets == ["a"]
        assert world.call(policy, self.TURN).targets == ["b"]
        world.now += 10
        assert world.call(policy, self.TURN).targets == ["a"]

    def test_one_of_them_probes(self) -> None:
        """Where all calls are of conversations that stay elsewhere, one of them probes the preferred target."""
        world = World({"a": OVERLOADED, "b": OK}, random=0.0)
        policy = replace(self.POLICY, stick=10)
        _open(world, policy)
        world.call(policy, self.TURN)
        world.now += 61
        assert world.call(policy, self.TURN).targets == ["a", "b"]
        assert world.call(policy, self.TURN).targets == ["b"]


class TestAnswers:
    """Static or function answers come after all targets and models, and before the error."""

    POLICY = replace(BARE, route=("a",), attempts=1, then=(Answer("cache", 3600.0), Answer("static", "sorry")))

    def test_the_first_that_there_is(self) -> None:
        """A cache without the answer is passed over, and the app gets the static one, which counts as degraded."""
        call = World({"a": OVERLOADED}).call(self.POLICY, answers=lambda answer: answer.kind != "cache")
        assert call.answer == Answer("static", "sorry")
        assert call.events == [Degraded("static")]

    def test_none_is_the_real_error(self) -> None:
        """Where there is no answer, the real error is raised."""
        call = World({"a": OVERLOADED}).call(self.POLICY, answers=lambda _: False)
        assert call.failure is not None
        assert call.failure.error_type == "overloaded_error"

    def test_for_calls_that_were_not_sent(self) -> None:
        """A call that an open circuit rejects gets the answer, too, and isn't counted as rejected."""
        world = World({"a": OVERLOADED})
        policy = replace(self.POLICY, breaker=COUNT)
        _open(world, policy)
        call = world.call(policy)
        assert (call.sends, call.answer, call.events) == ([], Answer("cache", 3600.0), [Degraded("cache")])
