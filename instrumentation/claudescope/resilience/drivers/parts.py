"""What a session hands to drivers and to the guard of its stream."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["Guarding", "Prepared"]


class Guarding(Protocol):
    """What watches the stream of a call, as the session knows it."""

    def attach(self, response: Any) -> None:
        """Watch a response that has just come, before the SDK makes anything of it."""

    def returned(self, response: Any, result: Any) -> None:
        """The SDK has made `result` of the response, for the app."""


class Prepared:
    """An attempt that is ready to be sent.

    Attributes:
        client: The client that sends it.
        options: The SDK's options of the request.
    """

    __slots__ = ("client", "options")

    def __init__(self, client: Any, options: Any) -> None:
        self.client = client
        self.options = options
