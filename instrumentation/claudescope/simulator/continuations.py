"""Remembers what the model would have said, so that a request for the rest of an answer gets exactly the rest."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any, Final

from claudescope.simulator.requests import MessageRequest

__all__ = ["Answers"]

_MOST: Final = 2000
_PER_PROMPT: Final = 20


class Answers:
    """The texts of the latest answers, by the messages that they answer."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, list[str]] = OrderedDict()

    def remember(self, request: MessageRequest, text: str) -> None:
        """Remember the whole text of an answer, however much of it is sent."""
        texts = self._texts.setdefault(_key(request.messages), [])
        texts.append(text)
        del texts[:-_PER_PROMPT]
        if len(self._texts) > _MOST:
            self._texts.popitem(last=False)

    def rest(self, request: MessageRequest) -> str | None:
        """What is left of the answer that the request asks to go on with; None for any other request.

        Such a request ends in a turn of the assistant, which has the beginning of an earlier answer to the turns before
        it, and in one of the user.
        """
        turns = request.messages
        if len(turns) < 3 or turns[-2].role != "assistant" or turns[-1].role != "user":
            return None
        begun = turns[-2].content
        if not isinstance(begun, str):
            return None
        texts = self._texts.get(_key(turns[:-2]), [])
        return next((text[len(begun) :] for text in reversed(texts) if text.startswith(begun)), None)

    def texts(self, messages: list[dict[str, Any]]) -> list[str]:
        """The whole texts of the latest answers to messages, as a client sent them."""
        return list(self._texts.get(_canonical(messages), []))


def _key(turns: list[Any]) -> str:
    return _canonical([{"role": turn.role, "content": turn.content} for turn in turns])


def _canonical(messages: list[dict[str, Any]]) -> str:
    return json.dumps(messages, sort_keys=True, default=str)
