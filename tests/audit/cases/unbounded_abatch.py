"""abatch without max_concurrency."""
import logging

from anthropic import APIError
from langchain_anthropic import ChatAnthropic

llm = ChatAnthropic(model="claude-haiku-5-5", timeout=20)


async def all_of(prompts):
    try:
        return await llm.abatch(prompts)  # @ langchain specific ! unbounded-concurrency
    except APIError:
        logging.exception("batch failed")
        raise
