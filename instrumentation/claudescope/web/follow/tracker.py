"""Makes states of what the probe and the policy tell of a call, and keeps the last of them until they are read."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from claudescope._internal import internal_errors
from claudescope._internal.call_events import CallEvent, Degraded, Queued, Rerouted, Retrying, Sending, Writing
from claudescope.schema.classify import classify
from claudescope.web.failures import failure_of, retry_after_of
from claudescope.web.follow.state import State, StateName
from claudescope.web.follow.words import WAITING
from claudescope.web.messages import LANGUAGES, Messages, degraded_message, language_of, time_words, user_message
from claudescope.web.messages.words import GROUPS

if TYPE_CHECKING:
    from typing import TypeAlias

    _Asked: TypeAlias = Callable[[], float | int | None] | None

__all__ = ["MOST_KEPT", "Tracker", "Wakeable"]

MOST_KEPT: Final = 64
"""States that wait to be read. Where nobody reads, the oldest go."""


class Wakeable(Protocol):
    """One that waits for a state."""

    def wake(self) -> bool:
        """Wake it. Never blocks."""
        ...


class Tracker:
    """The states of one call. Nothing in it blocks, and nothing needs a lock: the call runs in any thread.

    Args:
        locale: The language of messages, as for `user_message`.
        messages: Texts of the app's own.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        locale: str | None,
        messages: Messages | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._locale = locale
        self._messages = messages
        language = language_of(locale)
        self._units = LANGUAGES[language].units
        self._words = WAITING[language]
        self._gap = "" if language == "ja" else " "
        self._clock = clock
        self._began = clock()
        self._states: deque[State] = deque(maxlen=MOST_KEPT)
        self._waiting: deque[Wakeable] = deque(maxlen=MOST_KEPT)
        self._event: CallEvent | None = None
        self._event_at = self._began
        self._attempt: int | None = None
        self._attempts: int | None = None
        self._target: str | None = None
        self._model: str | None = None
        self._error_type: str | None = None
        self._degraded_by: str | None = None
        self._tokens: Callable[[], int] | None = None
        self._end = [True]  # `pop` is atomic: a call ends once
        self.last: State | None = None
        self.newest = self._made("waiting", self._words.waiting)
        self._states.append(self.newest)

    # --- what is told, in the call's own thread -----------------------------------------------------------------

    def take(self, event: CallEvent) -> None:
        """Take an event of the call."""
        if self.last is not None:
            return
        if isinstance(event, Degraded):
            self._degraded_by = event.by
            return
        if isinstance(event, Sending):
            self._attempt, self._target = event.attempt, event.target or self._target
        elif isinstance(event, Retrying):
            self._attempt, self._attempts, self._error_type = event.attempt, event.attempts, event.error_type
        elif isinstance(event, Rerouted):
            self._target, self._model = event.target, event.model
        elif isinstance(event, Writing):
            self._tokens = event.tokens
        self._event, self._event_at = event, self._clock()
        if not (isinstance(event, Sending) and self.newest.name == "waiting"):  # which may be told more than once
            self._add(self._state_of(event))

    def done(self) -> None:
        """The call has returned."""
        text = self._words.done
        if self._degraded_by is not None:
            by: Any = self._degraded_by
            text = degraded_message(by, locale=self._locale, messages=self._messages)
        self._finish("done", text)

    def failed(self, error: BaseException) -> None:
        """The call has raised."""
        try:
            failure = failure_of(error) or error
            error_type, after = classify(failure).name, retry_after_of(failure)
            text = user_message(error, locale=self._locale, messages=self._messages)
        except Exception:  # noqa: BLE001 - an attribute of a third-party exception may raise anything
            internal_errors.record("progress")
            error_type, after = "unknown_error", None
            text = user_message(error_type, locale=self._locale, messages=self._messages)
        self._error_type = error_type
        self._finish("failed", text, error=error, retry_after=after)

    def cancelled(self) -> None:
        """The call was cancelled."""
        self._finish("cancelled", self._words.cancelled)

    def _finish(self, name: StateName, text: str, **more: Any) -> None:
        try:
            self._end.pop()
        except IndexError:
            return
        self._event = None
        self.last = self._made(name, text, **more)
        self._add(self.last)

    def _add(self, state: State) -> None:
        self.newest = state
        self._states.append(state)
        while self._waiting:
            try:
                waiter = self._waiting.popleft()
            except IndexError:  # another thread has it
                return
            waiter.wake()

    # --- what is read ------------------------------------------------------------------------------------------

    @property
    def elapsed(self) -> float:
        """Seconds since the call began."""
        return self._clock() - self._began

    def next(self) -> State | None:
        """The oldest state that was not read; None where there is none."""
        try:
            return self._states.popleft()
        except IndexError:
            return None

    def waits(self, waiter: Wakeable) -> bool:
        """Let a state wake `waiter`. Returns whether there is none to read yet."""
        self._waiting.append(waiter)
        return not self._states

    def still(self) -> State:
        """What the call does now, where nothing was told for a while."""
        event = self._event
        if isinstance(event, (Queued, Retrying)):
            state = self._state_of(event)
        else:
            writes = self._tokens is not None
            state = self._made("working", self._words.writing if writes else self._words.working)
        if self.last is None:
            self.newest = state
        return state

    # --- states ------------------------------------------------------------------------------------------------

    def _state_of(self, event: CallEvent) -> State:
        words = self._words
        if isinstance(event, Retrying):
            left = max(event.seconds - (self._clock() - self._event_at), 0.0)
            happened = LANGUAGES[language_of(self._locale)].happened[GROUPS.get(event.error_type, "unknown")]
            count = "" if event.attempts is None else words.attempt.format(n=event.attempt, most=event.attempts)
            return self._made("retrying", self._text(happened, self._when(words.retrying, left), count), wait=left)
        if isinstance(event, Queued):
            place, wait = _ask(event.place), _ask(event.seconds)
            parts = [words.queued]
            if place:
                parts.append(words.place.format(n=place))
            if wait is not None:
                parts.append(self._when(words.turn, wait))
            return self._made("queued", self._text(*parts), wait=wait, place=int(place) if place else None)
        if isinstance(event, Rerouted):
            return self._made("rerouted", words.rerouted if event.model is None else words.other_model)
        if isinstance(event, Writing):
            return self._made("working", words.writing)
        return self._made("waiting", words.waiting)

    def _when(self, text: str, seconds: float) -> str:
        return text.format(time=time_words(seconds, self._units))

    def _text(self, *sentences: str) -> str:
        return self._gap.join(sentence[0].upper() + sentence[1:] for sentence in sentences if sentence)

    def _made(self, name: StateName, text: str, **more: Any) -> State:
        known: dict[str, Any] = {
            "attempt": self._attempt,
            "attempts": self._attempts,
            "tokens": _ask(self._tokens),
            "error_type": self._error_type if name in {"retrying", "rerouted", "failed"} else None,
            "degraded_by": self._degraded_by,
            "target": self._target,
            "model": self._model,
        }
        return State(name, text, self.elapsed, **{**known, **more})


def _ask(question: _Asked) -> float | int | None:
    try:
        return None if question is None else question()
    except Exception:  # noqa: BLE001 - an internal error must not reach the app
        internal_errors.record("progress")
        return None
