"""The health of all targets, as the calls of this process share it: one circuit for each target and model."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from claudescope._internal.fork import renew_in_child
from claudescope.resilience.engine.actions import BreakerState, Transition
from claudescope.resilience.engine.breaker import Circuit, Permit, Snapshot, Verdict, cooldown_of
from claudescope.resilience.engine.rules import BreakerRule

__all__ = ["Ask", "Blocked", "Health", "Message", "Share"]

_Key: TypeAlias = "tuple[str, str | None]"

MessageKind = Literal["look", "bad", "trip", "probe", "probe_good", "probe_bad", "probe_free"]

_PROBE_ENDS: Final[Mapping[Verdict, MessageKind]] = {
    "good": "probe_good",
    "answered": "probe_good",
    "bad": "probe_bad",
    "none": "probe_free",
}
_VERDICTS: Final[Mapping[MessageKind, Verdict]] = {
    "bad": "bad",
    "probe_good": "good",
    "probe_bad": "bad",
    "probe_free": "none",
}

_FRESH: Final = 1.0
_FRESH_IN_TROUBLE: Final = 0.005
_MAX_CIRCUITS: Final = 1000


@dataclass(frozen=True, slots=True)
class Message:
    """What the shared store is told of a circuit. Each is answered with a snapshot.

    Attributes:
        kind: `look`: nothing. `bad`: an attempt failed. `trip`: it opened while the store was away. `probe`: may a
            probe go? `probe_good`, `probe_bad`, `probe_free`: how it ended.
        target: The target.
        model: The model.
        rule: When it opens.
        epoch: The epoch of the attempt.
        token: The lease of the probe.
        successes: Successes since the last message.
        random: A random number from 0 to 1, for the jitter of the cooldown.
    """

    kind: MessageKind
    target: str
    model: str | None
    rule: BreakerRule
    epoch: int = -1
    token: str = ""
    successes: int = 0
    random: float = 0.0

    @property
    def cooldown(self) -> float:
        """The cooldown that begins if this opens the circuit."""
        return cooldown_of(self.rule, self.random)


class Share(Protocol):
    """The store that shares circuits between processes."""

    def available(self) -> bool:
        """Whether it answered lately. Never blocks."""
        ...

    def exchange(self, messages: Sequence[Message]) -> list[Snapshot] | None:
        """Tell it, and get a snapshot for each message; None where it doesn't answer in time. Never raises."""
        ...

    async def exchange_async(self, messages: Sequence[Message]) -> list[Snapshot] | None:
        """The same without blocking the event loop."""
        ...

    def tell(self, messages: Sequence[Message], then: Callable[[list[Snapshot] | None], None]) -> None:
        """Tell it in the background, and call `then` with the answer in another thread. Never blocks, never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Blocked:
    """The circuit lets nothing through for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ask:
    """The shared store has to be asked first."""

    message: Message


class Health:
    """Circuits by target and model. Thread-safe, and without I/O of its own.

    Args:
        random: Returns a number from 0 up to 1.
        share: What shares them between processes; None for this process alone.

    Attributes:
        share: The same.
    """

    def __init__(self, random: Callable[[], float], share: Share | None = None) -> None:
        self.share = share
        self._random = random
        self._circuits: dict[_Key, Circuit] = {}
        self._transitions: deque[Transition] = deque(maxlen=_MAX_CIRCUITS)
        # Reentrant, as garbage collection may end a stream, and report it, anywhere.
        self._lock = threading.RLock()
        renew_in_child(self, "_lock")

    def admit(
        self, target: str, model: str | None, rule: BreakerRule | None, now: float, *, alone: bool = False
    ) -> Permit | Blocked | Ask:
        """Ask whether an attempt may be sent now.

        Args:
            target: The target.
            model: The model.
            rule: When the circuit opens; None for no breaker.
            now: The time.
            alone: Whether to leave the shared store out.
        """
        if rule is None:
            return Permit(target, model, None)
        shared = not alone and self._shared()
        with self._lock:
            circuit = self._circuit(target, model)
            message = self._question(circuit, target, model, rule, now) if shared else None
            if message is not None:
                return Ask(message)
            if circuit.state == "closed":
                return Permit(target, model, circuit.epoch)
            if not circuit.ready_for_probe(now):
                return Blocked(max(0.0, circuit.until - now))
            token = uuid.uuid4().hex
            self._note(target, model, circuit.state, "half_open")
            circuit.probe(rule, token, now)
            return Permit(target, model, circuit.epoch, token)

    def _question(
        self, circuit: Circuit, target: str, model: str | None, rule: BreakerRule, now: float
    ) -> Message | None:
        """What the shared store has to be asked before an attempt; None where this process knows enough."""
        if circuit.trip_unreported:
            return Message("trip", target, model, rule, random=self._random())
        if circuit.state == "closed":
            return Message("look", target, model, rule) if _is_stale(circuit, now) else None
        if circuit.ready_for_probe(now):
            return Message("probe", target, model, rule, token=uuid.uuid4().hex)
        return None

    def report(self, permit: Permit, rule: BreakerRule | None, verdict: Verdict, now: float) -> Message | None:
        """Report how an attempt ended.

        Returns:
            What the shared store has to be told; None where it need not know.
        """
        if rule is None:
            return None
        shared = self._shared()
        with self._lock:
            circuit = self._circuit(permit.target, permit.model)
            if not shared:
                self._report_alone(circuit, rule, permit, verdict, now)
                return None
            if permit.token is not None:
                kind = _PROBE_ENDS[verdict]
                return Message(kind, permit.target, permit.model, rule, token=permit.token, random=self._random())
            if permit.epoch != circuit.epoch:
                return None
            if verdict == "good" and rule.rate is not None:
                circuit.unreported += 1
            if verdict != "bad":
                return None
            epoch = -1 if permit.epoch is None or permit.epoch.of != "store" else permit.epoch.number
            successes, circuit.unreported = circuit.unreported, 0
            return Message(
                "bad",
                permit.target,
                permit.model,
                rule,
                epoch=epoch,
                successes=successes,
                random=self._random(),
            )

    def adopt(self, message: Message, snapshot: Snapshot | None, now: float) -> Permit | None:
        """Take over what the shared store answered.

        Args:
            message: What it was told.
            snapshot: What it answered; None where it didn't: then this process decides alone.
            now: The time.

        Returns:
            The permit of the probe that was asked for; None where none was, or where it may not go.
        """
        with self._lock:
            circuit = self._circuit(message.target, message.model)
            if snapshot is None:
                self._decide_alone(circuit, message, now)
                return None
            self._note(message.target, message.model, circuit.state, snapshot.state)
            circuit.adopt(snapshot, message.token or None, now)
            if message.kind == "probe" and snapshot.granted:
                return Permit(message.target, message.model, circuit.epoch, message.token)
            return None

    def _decide_alone(self, circuit: Circuit, message: Message, now: float) -> None:
        verdict = _VERDICTS.get(message.kind)
        if verdict is not None:
            permit = Permit(message.target, message.model, circuit.epoch, message.token or None)
            self._report_alone(circuit, message.rule, permit, verdict, now)

    def _report_alone(self, circuit: Circuit, rule: BreakerRule, permit: Permit, verdict: Verdict, now: float) -> None:
        before = circuit.state
        circuit.report(rule, permit, verdict, now)
        self._note(permit.target, permit.model, before, circuit.state)
        circuit.trip_unreported |= self.share is not None and circuit.state == "open" and before != "open"

    def state(self, target: str, model: str | None) -> BreakerState:
        """The state of a circuit, as this process knows it."""
        with self._lock:
            circuit = self._circuits.get((target, model))
            return "closed" if circuit is None else circuit.state

    def blocked(self, target: str, model: str | None, now: float) -> bool:
        """Whether a circuit would let nothing through now."""
        with self._lock:
            circuit = self._circuits.get((target, model))
            return circuit is not None and circuit.state != "closed" and not circuit.ready_for_probe(now)

    def is_well(self, target: str, model: str | None, rule: BreakerRule | None, now: float) -> bool:
        """Whether a circuit takes all of its traffic, or waits for a call to probe it."""
        with self._lock:
            circuit = self._circuits.get((target, model))
            if circuit is None or rule is None:
                return True
            return circuit.share(rule, now) >= 1 or circuit.ready_for_probe(now)

    def share_of(self, target: str, model: str | None, rule: BreakerRule | None, now: float) -> float:
        """The share of traffic that a closed circuit takes while it comes back; 1 for all others."""
        with self._lock:
            circuit = self._circuits.get((target, model))
            if circuit is None or rule is None or circuit.state != "closed":
                return 1.0
            return circuit.share(rule, now)

    def states(self) -> Mapping[_Key, BreakerState]:
        """The state of every circuit that was used."""
        with self._lock:
            return {key: circuit.state for key, circuit in self._circuits.items()}

    def drain(self) -> list[Transition]:
        """The transitions since this was last called, by whichever call."""
        with self._lock:
            found = list(self._transitions)
            self._transitions.clear()
        return found

    def _shared(self) -> bool:
        return self.share is not None and self.share.available()

    def _circuit(self, target: str, model: str | None) -> Circuit:
        key = (target, model)
        circuit = self._circuits.get(key)
        if circuit is None:
            if len(self._circuits) >= _MAX_CIRCUITS:  # an app may invent names of models
                del self._circuits[
                    next((k for k, c in self._circuits.items() if c.state == "closed"), next(iter(self._circuits)))
                ]
            circuit = self._circuits[key] = Circuit(self._random)
        return circuit

    def _note(self, target: str, model: str | None, before: BreakerState, after: BreakerState) -> None:
        if before != after:
            self._transitions.append(Transition(target, model, after))


def _is_stale(circuit: Circuit, now: float) -> bool:
    if circuit.seen_at is None:
        return True
    return now - circuit.seen_at > (_FRESH_IN_TROUBLE if circuit.failures else _FRESH)
