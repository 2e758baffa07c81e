"""Hands the app an answer that no target gave."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from claudescope.resilience.answers.deliver import deliver, deliver_async
from claudescope.resilience.drivers.events import degraded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claudescope.probe.driven import DrivenCall
    from claudescope.resilience.engine.actions import RequestFacts
    from claudescope.resilience.steps import Content

__all__ = ["Delivering"]


class Delivering:
    """The part of a session that gives other answers."""

    __slots__ = ()

    _client: Any
    _driven: DrivenCall | None
    _is_async: bool
    _options: Any
    _request: RequestFacts
    arguments: dict[str, Any]
    cast_to: Any

    def over(self, message: Mapping[str, Any] | None = None) -> None:
        """The call has ended."""
        raise NotImplementedError

    def deliver(self, content: Content) -> Any:
        """What the app gets of an answer that no target gave; of an async client, an awaitable of it."""
        degraded(self._driven, content.by)
        give = deliver_async if self._is_async else deliver
        return give(
            self._client,
            content.message,
            self.cast_to,
            self._options,
            stream=self._request.stream,
            stream_cls=self.arguments.get("stream_cls"),
        )

    def delivering(self) -> AbstractContextManager[None]:
        """Around `deliver`: keeps the probe from taking the answer for one of the API."""
        return nullcontext() if self._driven is None else self._driven.hidden()

    def delivered(self) -> None:
        """The app gets the answer."""
        self.over()
        if self._driven is not None:
            self._driven.ended_unsent()
