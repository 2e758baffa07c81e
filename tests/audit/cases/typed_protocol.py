"""TYPE_CHECKING imports, string annotations, generics."""
from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

T = TypeVar("T")


class Repository(Generic[T]):
    client: AsyncAnthropic | None = None

    async def ask(self, prompt):
        from anthropic import APIError

        assert self.client is not None
        try:
            return await self.client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-async specific ? no-timeout
        except APIError as error:
            raise RuntimeError("no answer") from error


async def direct(client: "AsyncAnthropic", prompt):
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-async none ! unhandled-call
