"""The plan of one call: what it does next, given the policy and what has happened. `actions` shows how it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Final, Literal, cast

from claudescope.resilience.engine.actions import (
    ERROR_TYPE_OF,
    Action,
    Answer,
    Degraded,
    Exchange,
    Fail,
    Failed,
    Hop,
    PlanEvent,
    Queued,
    Rejected,
    RejectedReason,
    RequestFacts,
    Send,
    Succeeded,
    Timeouts,
    Wait,
)
from claudescope.resilience.engine.breaker import Permit, Snapshot, Verdict
from claudescope.resilience.engine.candidates import Candidate, candidates
from claudescope.resilience.engine.health import Ask, Message
from claudescope.resilience.engine.progress import Progress, least
from claudescope.resilience.engine.quota import ACCOUNT, UNNAMED
from claudescope.resilience.engine.repeat import Repeat, decide, most_attempts
from claudescope.resilience.engine.retry import is_degradable, is_quota, row_of, rule_of, verdict_of, was_billed
from claudescope.resilience.engine.rules import CallPolicy
from claudescope.resilience.engine.runtime import Runtime
from claudescope.resilience.engine.selection import Chosen, Pause, select

__all__ = ["Plan", "Runtime"]

_LONGEST_HOLD: Final = 86400.0


class Plan:
    """Decides for one call. Not thread-safe, as one call is in one place at a time; `cancelled` may come from anywhere.

    Args:
        policy: What holds for the call.
        request: The call.
        runtime: What the calls of this process share.
        on_event: Called with what spans and metrics are to tell. It must not raise.
        since: When the app made the call, by the clock; None for now.
    """

    def __init__(
        self,
        policy: CallPolicy,
        request: RequestFacts,
        runtime: Runtime,
        on_event: Callable[[PlanEvent], None],
        *,
        since: float | None = None,
    ) -> None:
        now = runtime.clock()
        self.since = now if since is None else since
        self._policy = policy
        self._request = request
        self._runtime = runtime
        self._on_event = on_event
        deadline = None if policy.deadline is None else self.since + policy.deadline
        self._progress = Progress(candidates(policy, request, runtime, now), deadline)
        self._jitter = runtime.random() * rule_of(policy.error_types, "rate_limit_error").jitter
        self._wanted = self._progress.order[0]
        self._repeat: Repeat | None = None
        self._message: Message | None = None  # to be exchanged
        self._probe: Permit | None = None  # that the shared store has granted
        self._permit: Permit | None = None  # of the attempt that is under way
        self._at: Candidate | None = None
        self._last: Failed | None = None
        self._over: RejectedReason | Literal["failed"] | None = None
        self._retry_after: float | None = None
        self._answers = 0
        self._streaming: Literal["no", "headers", "content"] = "no"
        self._reported = 0.0

    @property
    def retry_budget_remaining(self) -> float | None:
        """Retries that the budget of the process has left; None without a budget."""
        return None if self._policy.retry_budget is None else self._runtime.budgets.remaining

    @property
    def most_attempts(self) -> int:
        """The most attempts that the call may make, at all targets."""
        return most_attempts(self._policy, self._request, self._progress, self._last)

    def next(self) -> Action:
        """What to do now."""
        while True:
            if self._message is not None:
                return self._exchange(self._message)
            now = self._runtime.clock()
            if self._over is not None:
                return self._finish()
            if self._progress.deadline is not None and now >= self._progress.deadline:
                self._stop("deadline", f"the deadline of {self._policy.deadline:g} s has passed")
                continue
            action = self._step(now)
            if action is not None:
                return action

    def exchanged(self, result: object) -> None:
        """Report the result of an `Exchange`."""
        message, self._message = self._message, None
        if message is None:
            return
        snapshots = cast("Sequence[Snapshot] | None", result)
        if not snapshots:
            self._progress.alone = True
        permit = self._runtime.health.adopt(message, snapshots[0] if snapshots else None, self._runtime.clock())
        self._probe = permit
        self._tell_transitions()

    def failed(self, fact: Failed) -> None:
        """Report that the attempt failed: it raised, or its stream did before the app got any content."""
        at = self._at
        if at is None:
            return
        now = self._runtime.clock()
        self._last = fact
        self._streaming = "no"
        verdict = verdict_of(fact)
        self._message = self._report(verdict, now)
        self._learn(at, fact, verdict, now)
        if (fact.streamed and not fact.resumable) or self._progress.forced:
            self._stop("failed")
            return
        rule = rule_of(self._policy.error_types, fact.error_type)
        self._repeat = decide(self._policy, self._request, self._runtime, self._progress, at, fact, now)
        if self._repeat is None:
            row = row_of(fact.error_type)
            if not rule.hop:
                self._stop("failed")
            elif self._progress.timeouts > rule.retries and row.retry == "once":
                self._stop("failed", "a timeout is repeated no more, as each attempt may be billed")
            else:
                self._progress.leave(at, fact.error_type, whole_target=row.owner in {"account", "network"})

    def succeeded(self, fact: Succeeded) -> None:
        """Report that the attempt succeeded, or that its response is a stream, whose end is reported later."""
        at = self._at
        if at is None:
            return
        now = self._runtime.clock()
        self._runtime.headers.observe(*at, fact.limits, now)
        if "adaptive" in self._policy.throttle:
            self._runtime.adaptive.count(*at, accepted=True, now=now)
        if fact.stream:
            self._streaming = "headers"
        else:
            self._succeed(at, now)

    def stream_opened(self) -> None:
        """Report the first content event of a stream."""
        self._streaming = "content"

    def stream_ended(self, error_type: str | None, *, policy_timeout: bool = False, resumable: bool = False) -> None:
        """Report that the stream ended.

        Where it broke before its first content, or is resumable, the plan goes on, and `next` says how.

        Args:
            error_type: None for `message_stop`, else the error type.
            policy_timeout: Whether a timeout of the policy ended it.
            resumable: Whether another attempt may follow though the app has received content.
        """
        at, streaming = self._at, self._streaming
        if at is None or streaming == "no":
            return
        self._streaming = "no"
        if error_type is None:
            self._succeed(at, self._runtime.clock())
            return
        streamed = streaming == "content"
        fact = Failed(
            error_type, status=200, policy_timeout=policy_timeout, streamed=streamed, resumable=streamed and resumable
        )
        self.failed(fact)
        if fact.streamed and not fact.resumable:
            self._tell(self._message)
            self._message = None

    def not_sent(self, reason: RejectedReason) -> None:
        """Report that the driver could not send: no slot was free in time, or a budget is used up.

        The plan goes on to another target; where there is none, `next` fails with this reason.
        """
        at = self._at
        if at is None:
            return
        self._tell(self._report("none", self._runtime.clock()))
        self._progress.total -= 1
        self._progress.sent[at] -= 1
        self._progress.leave(at, reason)
        if len(self._progress.gone) == len(self._progress.order):
            self._stop(reason)

    def answered(self) -> None:
        """Report that the app got the `Answer`."""
        self._on_event(Degraded(self._policy.then[self._answers].kind))

    def declined(self) -> None:
        """Report that there is no such answer."""
        self._answers += 1

    def cancelled(self) -> None:
        """Report that the app has cancelled the call, or dropped its stream. Frees what it holds; never raises."""
        now = self._runtime.clock()
        if self._message is not None and self._message.kind == "probe":
            self._tell(replace(self._message, kind="probe_free"))
        self._message = None
        if self._probe is not None:
            self._permit, self._probe = self._probe, None
        self._tell(self._report("none", now))
        self._stop("failed")

    def _step(self, now: float) -> Action | None:
        """One step; None to look again."""
        if self._probe is not None:
            permit, self._probe = self._probe, None
            return self._send(Chosen(Candidate(permit.target, permit.model), permit), now)
        repeat = self._repeat
        if repeat is not None and self._policy.breaker and self._runtime.health.blocked(*repeat.candidate, now):
            self._repeat = repeat = None
            self._leave_opened()
        if repeat is not None and now < repeat.at:
            return Wait(repeat.at - now, repeat.why)
        if self._progress.total >= self._policy.total_attempts:
            self._stop("failed", f"{self._progress.total} attempts are the most that a call may make")
            return None
        return self._select(repeat, now)

    def _leave_opened(self) -> None:
        """Go elsewhere, as the circuit opened while the call waited to repeat."""
        if self._at is not None and self._last is not None:
            self._progress.leave(self._at, self._last.error_type)
            self._progress.note(f"the circuit of {self._at.target} opened")

    def _select(self, repeat: Repeat | None, now: float) -> Action | None:
        found = select(
            self._policy,
            self._request,
            self._runtime,
            self._progress,
            now,
            jitter=self._jitter,
            prefer=repeat.candidate if repeat else None,
        )
        self._tell_transitions()
        if isinstance(found, Chosen):
            return self._send(found, now)
        if isinstance(found, Pause):
            self._progress.queued += found.seconds
            return Wait(found.seconds, found.why)
        if isinstance(found, Ask):
            self._message = found.message
        else:
            self._retry_after = found.retry_after
            self._stop(found.reason)
        return None

    def _send(self, chosen: Chosen, now: float) -> Send:
        candidate, progress = chosen.candidate, self._progress
        if candidate != self._wanted:
            reason = progress.skipped.get(self._wanted, self._last.error_type if self._last else "circuit_open")
            self._on_event(Hop(reason, *self._wanted, *candidate))
            self._wanted = candidate
        if progress.queued > self._reported:
            self._on_event(Queued("throttle", progress.queued - self._reported))
            self._reported = progress.queued
        if self._repeat is not None:
            progress.repeats += candidate == self._repeat.candidate
            self._repeat = None
        progress.total += 1
        progress.sent[candidate] += 1
        progress.forced = chosen.forced
        self._permit, self._at = chosen.permit, candidate
        if "rate-limit-headers" in self._policy.throttle:
            self._runtime.headers.take(*candidate, self._request.input_tokens, now)
        return Send(*candidate, self._timeouts(now), progress.total, chosen.permit, all_open=chosen.forced)

    def _timeouts(self, now: float) -> Timeouts:
        """The policy's timeouts, within the app's own and what is left of the deadline."""
        rules = self._policy.timeouts
        left = None if self._progress.deadline is None else self._progress.deadline - now

        def capped(seconds: float | None) -> float | None:
            return None if seconds is None else least(seconds, self._request.timeout, left)

        return Timeouts(capped(rules.connect), capped(rules.first_token), capped(rules.stall), least(rules.whole, left))

    def _learn(self, at: Candidate, fact: Failed, verdict: Verdict, now: float) -> None:
        """Tell throttles and quota what the failure says of the target."""
        runtime, row = self._runtime, row_of(fact.error_type)
        runtime.headers.observe(*at, fact.limits, now)
        if "adaptive" in self._policy.throttle and verdict != "none":
            runtime.adaptive.count(*at, accepted=verdict != "bad" and row.owner != "quota", now=now)
        if row.retry == "once" and fact.sent:
            self._progress.timeouts += 1
        if was_billed(fact) and runtime.steps is not None and at.model is not None:
            self._progress.spent += runtime.steps.price_of(self._request, at.model) or Decimal(0)
        if is_quota(fact.error_type):
            exhausted = [kind for kind, limit in fact.limits.items() if limit.remaining == 0]
            resets = [fact.limits[kind].reset_after or 0.0 for kind in exhausted]
            wait = fact.retry_after if fact.retry_after is not None else max(resets, default=0.0)
            if wait > 0:
                runtime.quota.hold(*at, exhausted or [UNNAMED], now + min(wait, _LONGEST_HOLD), now)
        elif row.owner == "account" and self._policy.breaker is not None:
            runtime.quota.hold(*at, [ACCOUNT], now + self._policy.breaker.cooldown, now)

    def _succeed(self, at: Candidate, now: float) -> None:
        self._tell(self._report("good", now))
        if self._policy.retry_budget is not None:
            self._runtime.budgets.of(self._policy.budget_key, self._policy.retry_budget).put()
        if self._request.conversation is not None:
            preferred = at.target == self._policy.route[0]
            self._runtime.affinity.moved(self._request.conversation, at.target, preferred=preferred, now=now)
        if at.model != self._request.model:
            self._on_event(Degraded("model"))
        self._at = None

    def _report(self, verdict: Verdict, now: float) -> Message | None:
        """Report the attempt under way to its circuit, once."""
        permit, self._permit = self._permit, None
        if permit is None:
            return None
        message = self._runtime.health.report(permit, self._policy.breaker, verdict, now)
        self._tell_transitions()
        return message

    def _tell(self, message: Message | None) -> None:
        """Tell the shared store in the background, where nobody waits for its answer."""
        health = self._runtime.health
        if message is None or health.share is None:
            return
        clock = self._runtime.clock

        def adopt(snapshots: Sequence[Snapshot] | None) -> None:
            health.adopt(message, snapshots[0] if snapshots else None, clock())

        health.share.tell([message], adopt)

    def _tell_transitions(self) -> None:
        for transition in self._runtime.health.drain():
            self._on_event(transition)

    def _exchange(self, message: Message) -> Exchange:
        share = self._runtime.health.share
        if share is None:
            raise RuntimeError("there is a message without a shared store")
        return Exchange(partial(share.exchange, [message]), partial(share.exchange_async, [message]))

    def _stop(self, reason: RejectedReason | Literal["failed"], note: str | None = None) -> None:
        self._over = reason
        self._repeat = None
        if note is not None:
            self._progress.note(note)

    def _finish(self) -> Answer | Fail:
        reason = None if self._last is not None or self._over == "failed" else self._over
        error_type = self._last.error_type if self._last else ERROR_TYPE_OF.get(reason or "invalid", "unknown_error")
        if self._answers < len(self._policy.then) and self._may_answer(reason):
            return self._policy.then[self._answers]
        if reason is not None:
            self._on_event(Rejected(reason))
        retry_after = self._last.retry_after if self._last else self._retry_after
        return Fail(reason, error_type, self._detail(), retry_after)

    def _may_answer(self, reason: RejectedReason | None) -> bool:
        """Whether another answer may stand in for the failure."""
        if self._last is not None:
            return is_degradable(self._last.error_type) and not self._last.streamed
        return reason is not None and reason != "invalid"

    def _detail(self) -> str:
        progress = self._progress
        sent = ", ".join(
            f"{count} at {candidate.target}{f' with {candidate.model}' if candidate.model else ''}"
            for candidate, count in progress.sent.items()
            if count
        )
        attempts = "1 attempt" if progress.total == 1 else f"{progress.total} attempts"
        parts = [f"{attempts}: {sent}" if sent else "Nothing was sent", *progress.notes]
        return "; ".join(parts)
