"""Picks where a call is sent now, or says why it isn't sent."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal, TypeAlias

from claudescope.resilience.engine.actions import RejectedReason, RequestFacts
from claudescope.resilience.engine.breaker import Permit
from claudescope.resilience.engine.candidates import Candidate
from claudescope.resilience.engine.health import Ask
from claudescope.resilience.engine.progress import Progress
from claudescope.resilience.engine.quota import ACCOUNT
from claudescope.resilience.engine.retry import rule_of
from claudescope.resilience.engine.rules import CallPolicy
from claudescope.resilience.engine.runtime import Runtime

__all__ = ["Chosen", "Pause", "Refusal", "Selection", "select"]

_SHORT_WAIT: Final = 1.0
"""A wait up to this long is worth the prompt cache of the preferred target."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Send there.

    Attributes:
        candidate: Where.
        permit: The breaker's permission.
        forced: Whether every circuit is open, and this is the least bad.
    """

    candidate: Candidate
    permit: Permit
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, and ask again."""

    seconds: float
    why: Literal["quota", "throttle"]
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing can be sent.

    Attributes:
        reason: Why.
        retry_after: Seconds after which it may be otherwise; None where that isn't known.
    """

    reason: RejectedReason
    retry_after: float | None = None


Selection: TypeAlias = Chosen | Pause | Ask | Refusal


@dataclass(slots=True)
class _Search:
    """One search over the candidates.

    Attributes:
        jitter: Seconds that this call adds to the end of a hold, so that not all calls come at once.
        prefer: The candidate that the call repeats at; None for the order of preference.
    """

    policy: CallPolicy
    request: RequestFacts
    runtime: Runtime
    progress: Progress
    now: float
    jitter: float
    prefer: Candidate | None

    def run(self) -> Selection:
        left = [candidate for candidate in self.progress.order if candidate not in self.progress.gone]
        prefer = self.prefer
        if prefer is not None and prefer in left:
            left = [prefer, *(candidate for candidate in left if candidate != prefer)]
        opened: list[tuple[float, Candidate]] = []
        waits: list[Pause] = []
        for _, group in groupby(left, key=lambda candidate: candidate.model):
            found = self._in_group(sorted(group, key=self._is_account_held), opened, waits)
            if found is not None:
                return found
        return self._least_bad(opened) or self._refusal(opened, waits)

    def _in_group(
        self, group: list[Candidate], opened: list[tuple[float, Candidate]], waits: list[Pause]
    ) -> Chosen | Ask | Pause | None:
        """The first target that can serve a model, or a wait for it."""
        pauses: list[Pause] = []
        for candidate in group:
            if self._is_unfit(candidate):
                continue
            pause = self._pause(candidate)
            if pause is not None:
                if pause.seconds <= _SHORT_WAIT and self._may_wait(pause):
                    return pause
                self.progress.skipped[candidate] = "throttled"
                pauses.append(pause)
                continue
            if self._yields(candidate, group) or self._is_rejected(candidate):
                continue
            admitted = self.runtime.health.admit(*candidate, self.policy.breaker, self.now, alone=self.progress.alone)
            if isinstance(admitted, Ask):
                return admitted
            if isinstance(admitted, Permit):
                return Chosen(candidate, admitted)
            self.progress.skipped[candidate] = "circuit_open"
            opened.append((admitted.seconds, candidate))
        waits += pauses
        return min((pause for pause in pauses if self._may_wait(pause)), key=lambda pause: pause.seconds, default=None)

    def _is_unfit(self, candidate: Candidate) -> bool:
        """Whether the model can't serve the request, or may cost too much. Then the call doesn't come back to it."""
        steps, progress, model = self.runtime.steps, self.progress, candidate.model
        if steps is None or model is None or candidate in progress.sent:
            return False
        if model != self.request.model:
            reasons = steps.fits(self.request, model)
            if reasons:
                progress.leave(candidate, "capability")
                progress.note(f"{model} can't serve the request: {', '.join(reasons)}")
                return True
        ceiling = self.policy.max_cost_usd
        if ceiling is not None and progress.total:
            price = steps.price_of(self.request, model)
            if price is not None and progress.spent + price > ceiling:
                progress.leave(candidate, "capability")
                progress.note(f"another attempt with {model} may cost more than max_cost_usd: {ceiling}")
                return True
        return False

    def _is_account_held(self, candidate: Candidate) -> bool:
        """Whether the account of the target has a problem, so that others come first. It is still the last resort."""
        hold = self.runtime.quota.held(*candidate, self.now)
        if hold is None or hold.limit != ACCOUNT:
            return False
        self.progress.skipped.setdefault(candidate, "throttled")
        return True

    def _pause(self, candidate: Candidate) -> Pause | None:
        """How long quota and rate limits hold the candidate back."""
        hold = self.runtime.quota.held(*candidate, self.now)
        if hold is not None and hold.limit != ACCOUNT:
            return Pause(hold.until - self.now + self.jitter, "quota", candidate)
        if "rate-limit-headers" in self.policy.throttle:
            delay = self.runtime.headers.delay(*candidate, self.request.input_tokens, self.now)
            if delay > 0:
                return Pause(delay, "throttle", candidate)
        return None

    def _may_wait(self, pause: Pause) -> bool:
        cap = rule_of(self.policy.error_types, "rate_limit_error").cap
        in_time = self.progress.ends_in_time(pause.seconds, self.now)
        return in_time and self.progress.queued + pause.seconds <= cap + self.jitter

    def _yields(self, candidate: Candidate, group: list[Candidate]) -> bool:
        """Whether a target that comes back leaves this call to another one of the group."""
        health, rule = self.runtime.health, self.policy.breaker
        share = health.share_of(*candidate, rule, self.now)
        if share >= 1 or not any(
            other != candidate
            and other not in self.progress.gone
            and health.state(*other) == "closed"
            and self._pause(other) is None
            for other in group
        ):
            return False
        if self.runtime.random() < share:
            return False
        self.progress.skipped[candidate] = "circuit_open"
        return True

    def _is_rejected(self, candidate: Candidate) -> bool:
        """Whether the adaptive throttle rejects the call."""
        if "adaptive" not in self.policy.throttle:
            return False
        if not self.runtime.adaptive.rejects(*candidate, self.runtime.random(), self.now):
            return False
        self.progress.skipped[candidate] = "throttled"
        return True

    def _least_bad(self, opened: list[tuple[float, Candidate]]) -> Chosen | None:
        """The circuit that opens first, where all are open, and nothing was sent yet."""
        progress = self.progress
        left = [candidate for candidate in progress.order if candidate not in progress.gone]
        if progress.total or len(progress.order) < 2 or not opened or len(opened) != len(left):
            return None
        _, candidate = min(opened, key=lambda item: item[0])
        progress.note(f"every circuit is open; {candidate.target} was tried as the least bad")
        return Chosen(candidate, Permit(*candidate, None), forced=True)

    def _refusal(self, opened: list[tuple[float, Candidate]], waits: list[Pause]) -> Refusal:
        if waits:
            pause = min(waits, key=lambda pause: pause.seconds)
            self.progress.note(f"{pause.candidate.target} is held back for another {pause.seconds:.1f} s")
            return Refusal("throttled", max(0.0, pause.seconds))
        if opened:
            seconds = min(seconds for seconds, _ in opened)
            names = ", ".join(dict.fromkeys(candidate.target for _, candidate in opened))
            self.progress.note(f"the circuit of {names} is open")
            return Refusal("circuit_open", seconds)
        if any(reason == "throttled" for reason in self.progress.skipped.values()):
            self.progress.note("the target accepts too few requests, so the throttle rejected this one")
            return Refusal("throttled")
        return Refusal("circuit_open")


def select(
    policy: CallPolicy,
    request: RequestFacts,
    runtime: Runtime,
    progress: Progress,
    now: float,
    *,
    jitter: float,
    prefer: Candidate | None,
) -> Selection:
    """Pick where the call is sent now.

    Args:
        policy: What holds for the call.
        request: The call.
        runtime: What calls share.
        progress: What has happened in it. Updated with why candidates were passed over.
        now: The time.
        jitter: Seconds that this call adds to the end of a hold.
        prefer: The candidate that it repeats at; None for the order of preference.
    """
    return _Search(policy, request, runtime, progress, now, jitter, prefer).run()
