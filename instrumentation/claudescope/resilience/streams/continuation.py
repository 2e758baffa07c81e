"""Asks for the rest of an answer, and makes one stream of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from claudescope.probe.response import field_of
from claudescope.resilience.body import mapping, plain, turns, whole
from claudescope.resilience.streams.answer import COUNTS, AnswerSoFar

__all__ = ["PLEASE_CONTINUE", "Splice", "continuation_of", "with_more_room"]

PLEASE_CONTINUE: Final = (
    "Your answer was cut off. Continue it from the exact character where it ends. Do not repeat any of it, do not "
    "comment, and do not start again."
)
"""The further turn of the user that asks for the rest. Newer models take no prefill, so the answer can't end in it."""

_STRUCTURED: Final = ("output_format",)


def continuation_of(body: Mapping[str, Any], text: str) -> dict[str, Any] | None:
    """The request for the rest of an answer.

    Args:
        body: The request that was answered.
        text: The text of the answer until it was cut.

    Returns:
        The body; None where the rest can't be asked for: there is no text, or the answer has to be one whole JSON
        document, of which a second request would begin another.
    """
    if not text.strip() or any(body.get(name) for name in _STRUCTURED):
        return None
    if field_of(body.get("output_config"), "format"):
        return None
    further = [{"role": "assistant", "content": text}, {"role": "user", "content": PLEASE_CONTINUE}]
    return {**body, "messages": [*turns(body), *further]}


def with_more_room(body: Mapping[str, Any], most: int | None) -> dict[str, Any] | None:
    """The request with twice the room for its answer; None where it has all that there is.

    Args:
        body: The request.
        most: The most that the model writes; None where that is not known.
    """
    room = whole(body.get("max_tokens"))
    if room is None or (most is not None and room >= most):
        return None
    return {**body, "max_tokens": room * 2 if most is None else min(room * 2, most)}


class Splice:
    """Turns the events of a continuation into further events of the stream that the app reads.

    The message goes on under its own id and model; the first text goes on in the text block that is open. Thinking of
    the continuation is left out, as it is signed for an answer that the app does not have.

    Args:
        answer: The answer so far.
        before: The tokens that were billed before, by the API's names, which the last `usage` adds up.
    """

    def __init__(self, answer: AnswerSoFar, before: Mapping[str, int]) -> None:
        self._answer = answer
        self._before = before
        self._own: dict[str, int] = {}
        self._indexes: dict[int, int | None] = {}
        self._joined = False

    def events(self, event: object) -> Sequence[Any]:
        """What the app gets for an event: the event itself, or decoded ones that stand for it."""
        kind = field_of(event, "type")
        if kind == "message_start":
            self._count(field_of(field_of(event, "message"), "usage"))
            return ()
        if kind == "content_block_start":
            return self._started(event)
        if kind in {"content_block_delta", "content_block_stop"}:
            index = whole(field_of(event, "index"))
            ours = None if index is None else self._indexes.get(index)
            if ours is None:
                return ()
            return (event,) if ours == index else ({**mapping(plain(event)), "index": ours},)
        if kind == "message_delta":
            return (*self._close(), self._delta(event))
        return (event,)

    def _started(self, event: object) -> Sequence[Any]:
        index = whole(field_of(event, "index"))
        if index is None:
            return ()
        kind = field_of(field_of(event, "content_block"), "type")
        if kind in {"thinking", "redacted_thinking"}:
            self._indexes[index] = None
            return ()
        open_block = self._answer.open_block
        if kind == "text" and not self._joined and open_block is not None:
            self._indexes[index] = open_block
            self._joined = True
            return ()
        self._joined = True
        closed = self._close()
        ours = self._indexes[index] = self._answer.next_block
        return (*closed, {**mapping(plain(event)), "index": ours})

    def _close(self) -> tuple[dict[str, Any], ...]:
        open_block = self._answer.open_block
        return () if open_block is None else ({"type": "content_block_stop", "index": open_block},)

    def _count(self, usage: object) -> None:
        for name in COUNTS:
            value = whole(field_of(usage, name))
            if value is not None:
                self._own[name] = value

    def _delta(self, event: object) -> dict[str, Any]:
        self._count(field_of(event, "usage"))
        made = mapping(plain(event))
        usage = {**mapping(made.get("usage"))}
        for name in COUNTS:
            if name in usage or name in self._own:
                usage[name] = self._own.get(name, 0) + self._before.get(name, 0)
        return {**made, "usage": usage}
