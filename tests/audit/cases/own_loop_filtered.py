"""An own loop that gives up on what it can't mend."""
import asyncio
import logging
import anthropic

log = logging.getLogger(__name__)
client = anthropic.AsyncAnthropic(max_retries=0, timeout=30)


async def ask(prompt):
    for attempt in range(5):
        try:
            return await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-async specific ! ignores-retry-after
        except anthropic.APIStatusError as error:
            if error.status_code not in (429, 500, 529):
                raise
            log.warning("retry %s: %s", attempt, error)
        except anthropic.APIConnectionError as error:
            log.warning("retry %s: %s", attempt, error)
        await asyncio.sleep(2**attempt)
    raise RuntimeError("gave up")
