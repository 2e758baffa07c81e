"""gather with map."""
import asyncio

import anthropic


class Grader:
    def __init__(self):
        self.client = anthropic.AsyncAnthropic(timeout=20)

    async def grade(self, essay):
        return await self.client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=essay)  # @ sdk-async by-caller ! unbounded-concurrency

    async def grade_all(self, essays):
        try:
            return await asyncio.gather(*map(self.grade, essays))
        except anthropic.APIError as error:
            raise RuntimeError("grading failed") from error
