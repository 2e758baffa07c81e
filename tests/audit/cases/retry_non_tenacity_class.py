"""A method behind tenacity that repeats every exception of the SDK's base class."""
import logging

import anthropic
from tenacity import before_sleep_log, retry, retry_if_exception_type, stop_after_attempt, wait_exponential

log = logging.getLogger(__name__)


class Namer:
    def __init__(self):
        self._api = anthropic.AsyncAnthropic(max_retries=0)

    @retry(
        retry=retry_if_exception_type(anthropic.APIError),
        wait=wait_exponential(max=60),
        stop=stop_after_attempt(6),
        before_sleep=before_sleep_log(log, logging.WARNING),
    )
    async def name(self, thing):
        reply = await self._api.messages.create(model="claude-sonnet-5-5", max_tokens=20, messages=thing)  # @ sdk-async by-decorator ! retry-non-retryable ignores-retry-after ? unhandled-call no-timeout
        return reply.content[0].text
