"""What the guard of a stream asks of its call, and has it do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from claudescope.resilience.drivers.events import degraded
from claudescope.resilience.drivers.patience import Patience, patience_with
from claudescope.resilience.streams.rounds import Rounds
from claudescope.resilience.targets.places import Destination, body_of, with_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claudescope.probe.driven import DrivenCall
    from claudescope.resilience.drivers.events import LastFailure
    from claudescope.resilience.engine.actions import RequestFacts, Send
    from claudescope.resilience.pipeline import CallGuard

__all__ = ["StreamedCall"]


class StreamedCall:
    """The part of a session that its stream needs, and the joining of answers."""

    __slots__ = ("_rounds",)

    _client: Any
    _destination: Destination | None
    _driven: DrivenCall | None
    _failure: LastFailure
    _options: Any
    _request: RequestFacts
    _rounds: Rounds | None
    _sending: Send | None
    _sent_at: float
    rounds: int
    steps: CallGuard | None

    def stream_failed(self, error: Exception, body: Mapping[str, Any] | None) -> None:
        """The stream failed, and another attempt may follow.

        Args:
            error: Why.
            body: What that one asks; None for the request as it was.
        """
        self._failure.note(error, of_stream=True)
        if body is not None:
            self._options = with_body(self._options, body)

    def ends_truncated(self) -> None:
        """The app gets what came of the stream that failed, and no more."""
        self._failure.given_up(self._driven)
        degraded(self._driven, "partial")

    @property
    def _joins(self) -> Rounds | None:
        """Joins the answers of a call without a stream; None where it has one only."""
        if self.rounds and self._rounds is None and self.is_chat and not self._request.stream:
            self._rounds = Rounds(self.rounds, self.body, self.room)
        return self._rounds

    @property
    def room(self) -> int | None:
        """The most tokens that the model of the call writes; None where that is not known."""
        return None if self.steps is None else self.steps.room

    def patience(self, response: Any) -> Patience | None:
        """How long the stream of a response may bring nothing; None where there is no limit."""
        sending = self._sending
        return None if sending is None else patience_with(response, sending.timeouts, time.monotonic() - self._sent_at)

    @property
    def body(self) -> Mapping[str, Any]:
        """The request as it is asked."""
        return body_of(self._options)

    @property
    def is_chat(self) -> bool:
        """Whether a model answers."""
        return self._request.operation == "chat"

    @property
    def driven(self) -> DrivenCall | None:
        """What the probe is told by; None where no probe sees the call."""
        return self._driven

    @property
    def client(self) -> Any:
        """The client of the last attempt."""
        return self._client if self._destination is None else self._destination.client
