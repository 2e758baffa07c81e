"""A semaphore that the class owns."""
import asyncio

import anthropic


class Grader:
    def __init__(self, at_once=8):
        self.client = anthropic.AsyncAnthropic(timeout=20)
        self._free = asyncio.Semaphore(at_once)

    async def grade(self, essay):
        async with self._free:
            return await self.client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=essay)  # @ sdk-async by-caller

    async def grade_all(self, essays):
        try:
            return await asyncio.gather(*[self.grade(e) for e in essays])
        except anthropic.APIError as error:
            raise RuntimeError("grading failed") from error
