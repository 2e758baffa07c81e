"""LangChain: everything at once."""
from langchain_anthropic import ChatAnthropic
import anthropic

llm = ChatAnthropic(model="claude-haiku-5-5", timeout=20)


async def titles(articles):
    try:
        return await llm.abatch(articles)  # @ langchain specific ! unbounded-concurrency
    except anthropic.APIError as error:
        raise RuntimeError("no titles") from error
