"""LangChain: retries of rate limits only, and the model does not retry."""
import anthropic
from langchain_anthropic import ChatAnthropic

llm = ChatAnthropic(model="claude-haiku-5-5", max_retries=0, timeout=15).with_retry(
    retry_if_exception_type=(anthropic.InternalServerError, anthropic.APIConnectionError), stop_after_attempt=3
)


def ask(text):
    try:
        return llm.invoke(text).content  # @ langchain specific
    except anthropic.APIError as error:
        raise RuntimeError("ask") from error
