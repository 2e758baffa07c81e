"""Runs plans in a world of its own: a clock that only waits move, and targets that answer as a test says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from claudescope.resilience.engine.actions import (
    Action,
    Answer,
    Exchange,
    Fail,
    Failed,
    PlanEvent,
    RequestFacts,
    Send,
    Succeeded,
    Wait,
)
from claudescope.resilience.engine.health import Health, Share
from claudescope.resilience.engine.plan import Plan
from claudescope.resilience.engine.rules import CallPolicy
from claudescope.resilience.engine.runtime import Runtime

__all__ = ["Outcome", "Target", "World", "error"]

Outcome = Failed | Succeeded
Target = Callable[[Send, float], Outcome]
"""What a target answers to an attempt at a time."""


def error(error_type: str, **facts: object) -> Failed:
    """A failed attempt; with a status unless a test says otherwise."""
    return Failed(error_type, **{"status": 500, **facts})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@dataclass
class Models:
    """Knowledge about models, as a test says."""

    unfit: dict[str, tuple[str, ...]] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)

    def fits(self, request: RequestFacts, model: str) -> tuple[str, ...]:
        """The reasons that the test gave."""
        return self.unfit.get(model, ())

    def price_of(self, request: RequestFacts, model: str) -> Decimal | None:
        """The price that the test gave."""
        return self.prices.get(model)


@dataclass
class Call:
    """What one call did."""

    actions: list[Action] = field(default_factory=list)
    events: list[PlanEvent] = field(default_factory=list)
    sent_at: list[float] = field(default_factory=list)
    started: float = 0.0
    ended: float = 0.0

    @property
    def sends(self) -> list[Send]:
        """Its attempts."""
        return [action for action in self.actions if isinstance(action, Send)]

    @property
    def places(self) -> list[tuple[str, str | None]]:
        """Where it was sent."""
        return [(send.target, send.model) for send in self.sends]

    @property
    def targets(self) -> list[str]:
        """Its targets."""
        return [send.target for send in self.sends]

    @property
    def waits(self) -> list[float]:
        """Its waits in seconds."""
        return [action.seconds for action in self.actions if isinstance(action, Wait)]

    @property
    def failure(self) -> Fail | None:
        """How it failed; None where it got an answer."""
        last = self.actions[-1]
        return last if isinstance(last, Fail) else None

    @property
    def answer(self) -> Answer | None:
        """The answer without a target; None where there is none."""
        last = self.actions[-1]
        return last if isinstance(last, Answer) else None


class World:
    """A process: a clock, randomness, and targets.

    Args:
        targets: What each target answers; one outcome for always, a list for one after the other, or a function.
        random: What every random number is, or a function.
        share: The shared store.
        latency: Seconds that an attempt takes.
    """

    def __init__(
        self,
        targets: dict[str, Target | Outcome | list[Outcome]],
        *,
        random: float | Callable[[], float] = 0.5,
        share: Share | None = None,
        latency: float = 0.0,
    ) -> None:
        self.now = 1000.0
        self.latency = latency
        self.targets = targets
        self.models = Models()
        draw = random if callable(random) else lambda: random
        self.runtime = Runtime(lambda: self.now, draw, self.models, Health(draw, share))

    def plan(self, policy: CallPolicy, request: RequestFacts, events: list[PlanEvent]) -> Plan:
        """A plan in this world."""
        return Plan(policy, request, self.runtime, events.append)

    def call(
        self,
        policy: CallPolicy,
        request: RequestFacts | None = None,
        *,
        answers: Callable[[Answer], bool] = lambda _: True,
    ) -> Call:
        """Make one call to its end."""
        call = Call(started=self.now)
        plan = self.plan(policy, request or RequestFacts(model="opus"), call.events)
        for _ in range(1000):
            action = plan.next()
            call.actions.append(action)
            if isinstance(action, Send):
                call.sent_at.append(self.now)
                outcome = self._answer(action)
                self.now += self.latency
                if isinstance(outcome, Succeeded):
                    plan.succeeded(outcome)
                    break
                plan.failed(outcome)
            elif isinstance(action, Wait):
                assert action.seconds > 0
                self.now += action.seconds
            elif isinstance(action, Exchange):
                plan.exchanged(action.run())
            elif isinstance(action, Answer) and not answers(action):
                plan.declined()
            else:
                if isinstance(action, Answer):
                    plan.answered()
                break
        else:
            raise AssertionError(f"the plan never ends: {call.actions[-10:]}")
        call.ended = self.now
        return call

    def _answer(self, send: Send) -> Outcome:
        target = self.targets[send.target]
        if isinstance(target, list):
            return target.pop(0) if target else Succeeded()
        return target(send, self.now) if callable(target) else target
