"""How a stream goes on that broke after its first content, as the policy says: `stream: restart | continue | partial`.

restart     The SDK's stream helpers get a `StreamResetEvent`, and then the events of another answer. The snapshot of
            the helper starts again, so that `get_final_message()` is right. Who reads only texts, or the plain events
            of `create(stream=True)`, can't be told: there the error is raised, with what came in `partial_message`.
continue    The rest is asked for by a further turn of the user, and goes on in the same stream.
partial     The stream ends as a whole one does. The last `delta` and the message of a helper have `truncated`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, cast
from weakref import ref

from claudescope._internal import internal_errors
from claudescope.probe.response import field_of
from claudescope.resilience.errors import StreamResetEvent
from claudescope.resilience.streams.answer import AnswerSoFar
from claudescope.resilience.streams.continuation import Splice, continuation_of

if TYPE_CHECKING:
    from claudescope.resilience.engine.rules import StreamStrategy

__all__ = ["Recovery", "async_marked", "marked"]

_SNAPSHOT: Final = "__final_message_snapshot"
_BUFFERS: Final = "__json_bufs"


class Recovery:
    """What the app has of the answer, and what may follow.

    Args:
        strategy: The policy's.
        body: The request as the app made it.
        rounds: How often the rest is asked for of an answer that `max_tokens` cuts.

    Attributes:
        cut: Whether `max_tokens` has cut the answer, and the rest is asked for when its stream ends.
        answer: The answer so far.
        marker: The event that a helper yields next; None for none.
        text_only: Whether the app reads only the texts of a helper, which have no place for a marker.
    """

    def __init__(self, strategy: StreamStrategy | None, body: Mapping[str, Any], rounds: int = 0) -> None:
        self.strategy = strategy
        self.cut = False
        self._rounds = rounds
        self._held: list[Any] = []
        self.answer = AnswerSoFar()
        self.marker: StreamResetEvent | None = None
        self.text_only = False
        self._body = body
        self._helper: Callable[[], Any] = type(None)
        self._splice: Splice | None = None
        self._before: dict[str, int] = {}
        self._resets = 0

    def helped_by(self, helper: Any) -> None:
        """The app reads the stream through a helper of the SDK."""
        self._helper = ref(helper)

    @property
    def may_go_on(self) -> bool:
        """Whether another response may follow now."""
        if self.cut:
            return True
        if self.strategy == "restart":
            return not self.text_only and self._helper() is not None
        return self.strategy == "partial" or (self.strategy == "continue" and self.answer.is_text)

    @property
    def is_spliced(self) -> bool:
        """Whether the response carries on the message of an earlier one."""
        return self._splice is not None

    def after(self, error_type: str) -> Literal["resume", "end", "raise"]:
        """What follows a failure.

        Args:
            error_type: Why it failed.
        """
        if self.strategy == "partial":
            return "end" if self.answer.can_end else "raise"
        if not self.may_go_on:
            return "raise"
        if self.strategy == "restart":
            return "resume"
        return "raise" if error_type == "refusal" or self.next_body() is None else "resume"

    def next_body(self) -> dict[str, Any] | None:
        """The request of the next attempt; None where it is the app's own, or there can be none."""
        continues = self.cut or self.strategy == "continue"
        return continuation_of(self._body, self.answer.text) if continues else None

    def resumed(self, error_type: str, partial: Any) -> bool:
        """Another response follows.

        Returns:
            Whether the app begins anew, so that the events are held back until the first content.
        """
        if self.cut or self.strategy == "continue":
            self.cut = False
            for name, count in self.answer.usage.items():
                self._before[name] = count
            self._splice = Splice(self.answer, dict(self._before))
            return False
        self._resets += 1
        self.marker = StreamResetEvent(partial=partial, error_type=error_type, attempt=self._resets + 1)
        self.answer = AnswerSoFar()
        helper = self._helper()
        if helper is not None:
            _forget(helper)
        return True

    def events(self, event: object) -> Sequence[Any]:
        """What the app gets for an event of the response: itself, or decoded events in its place."""
        made = (event,) if self._splice is None else self._splice.events(event)
        if self._rounds:
            made = [each for one in made for each in self._unless_cut(one)]
        for each in made:
            self.answer.take(each)
        return made

    def _unless_cut(self, event: object) -> Sequence[Any]:
        """Hold the end of a text block until it is clear that the rest of it is not asked for."""
        kind = field_of(event, "type")
        if self.cut:
            return ()  # `message_stop`
        if kind == "content_block_stop" and self.answer.is_text:
            self._held = [event]
            return ()
        if kind == "message_delta" and field_of(field_of(event, "delta"), "stop_reason") == "max_tokens":
            is_text = self.answer.is_text and continuation_of(self._body, self.answer.text) is not None
            if is_text:
                self.cut, self._held = True, []
                self._rounds -= 1
                self.answer.count(field_of(event, "usage"))
                return ()
        ready, self._held = [*self._held, event], []
        return ready

    def closing_events(self) -> Sequence[dict[str, Any]]:
        """The events that end the stream here, decoded."""
        answer = self.answer
        block = () if answer.open_block is None else ({"type": "content_block_stop", "index": answer.open_block},)
        tokens = answer.usage.get("output_tokens", 0)
        delta = {"stop_reason": None, "stop_sequence": None, "truncated": True}
        made = (
            *block,
            {"type": "message_delta", "delta": delta, "usage": {"output_tokens": tokens}},
            {"type": "message_stop"},
        )
        for each in made:
            answer.take(each)
        return made

    def mark_truncated(self) -> None:
        """Mark the message of the helper, which has taken the events until here."""
        for name, value in _attributes(self._helper()):
            if name.endswith(_SNAPSHOT) and value is not None:
                try:
                    value.truncated = True
                except Exception:  # noqa: BLE001 - a class of the app may refuse it
                    internal_errors.record("resilience")


def marked(recovery: Recovery, events: Iterator[Any]) -> Iterator[Any]:
    """The events of a helper of the SDK, with those that say that the answer starts again."""
    for event in events:
        if recovery.marker is not None:
            marker, recovery.marker = recovery.marker, None
            yield marker
        yield event


async def async_marked(recovery: Recovery, events: AsyncGenerator[Any, None]) -> AsyncIterator[Any]:
    """As `marked`."""
    try:
        async for event in events:
            if recovery.marker is not None:
                marker, recovery.marker = recovery.marker, None
                yield marker
            yield event
    finally:
        await events.aclose()


def _forget(helper: Any) -> None:
    """Let a helper start its message again."""
    for name, value in _attributes(helper):
        if name.endswith(_SNAPSHOT):
            setattr(helper, name, None)
        elif name.endswith(_BUFFERS):
            value.clear()


def _attributes(helper: Any) -> list[tuple[str, Any]]:
    return [] if helper is None else list(cast("dict[str, Any]", vars(helper)).items())
