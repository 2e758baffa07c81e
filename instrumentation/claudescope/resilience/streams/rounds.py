"""Joins the answers of several requests to one, where `max_tokens` has cut them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from claudescope.probe.response import field_of
from claudescope.resilience.body import mapping, plain, sequence, whole
from claudescope.resilience.streams.answer import COUNTS
from claudescope.resilience.streams.continuation import continuation_of, with_more_room

__all__ = ["Rounds"]

_CUT: Final = "max_tokens"


class Rounds:
    """The answers of one call without a stream.

    Args:
        most: How often more is asked for.
        body: The request as the app made it.
        room: The most tokens that the model writes in an answer; None where that is not known.
    """

    def __init__(self, most: int, body: Mapping[str, Any], room: int | None) -> None:
        self._left = most
        self._body = body
        self._room = room
        self._kept: list[dict[str, Any]] = []
        self._before: dict[str, int] = {}

    def next_body(self, message: object) -> dict[str, Any] | None:
        """The request of the next round; None where the answer is whole, or no round may follow.

        The text of a cut answer is kept. A tool's input, structured output or thinking that was cut can't be carried
        on: the same is asked again, with twice the room.

        Args:
            message: The answer, a model of the SDK.
        """
        if field_of(message, "type") != "message" or field_of(message, "stop_reason") != _CUT or self._left <= 0:
            return None
        blocks = [mapping(plain(block)) for block in sequence(field_of(message, "content"))]
        kept = [*self._kept, *({**block} for block in blocks if block.get("type") == "text")]
        text = "".join(str(block.get("text") or "") for block in kept)
        is_text = bool(blocks) and blocks[-1].get("type") == "text"
        body = continuation_of(self._body, text) if is_text else None
        if body is None:
            self._body = with_more_room(self._body, self._room) or {}
            if not self._body:
                return None
            kept_text = "".join(str(block.get("text") or "") for block in self._kept)
            body = (continuation_of(self._body, kept_text) if self._kept else None) or self._body
        else:
            self._kept = kept
        self._left -= 1
        for name in COUNTS:
            count = whole(field_of(field_of(message, "usage"), name))
            if count is not None:
                self._before[name] = self._before.get(name, 0) + count
        return {**body}

    def joined(self, message: Any) -> Any:
        """The last answer, with the text of those before it and the tokens of all."""
        if not self._before:
            return message
        content = list(message.content)
        if self._kept:
            text = "".join(str(block.get("text") or "") for block in self._kept)
            place = next((index for index, block in enumerate(content) if block.type == "text"), None)
            if place is None:
                made = cast("Any", type(message)).construct(
                    **{**message.to_dict(), "content": [{**self._kept[0], "text": text}]}
                )
                content = [*made.content, *content]
            else:
                content[place] = content[place].model_copy(update={"text": text + content[place].text})
                content = [block for index, block in enumerate(content) if index >= place or block.type == "text"]
        usage = message.usage.model_copy(
            update={
                name: (getattr(message.usage, name, None) or 0) + count
                for name, count in self._before.items()
                if hasattr(message.usage, name)
            }
        )
        return message.model_copy(update={"content": content, "usage": usage})
