"""A class of ours wraps the client in async with."""
import anthropic


class Session:
    async def __aenter__(self):
        self.client = anthropic.AsyncAnthropic(timeout=30)
        return self.client

    async def __aexit__(self, *exc):
        await self.client.close()


async def ask(prompt):
    async with Session() as claude:
        return await claude.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-async none ! unhandled-call
