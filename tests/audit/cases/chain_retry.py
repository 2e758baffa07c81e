"""LangChain: a chain with its own retries around a model that retries."""
from langchain_anthropic import ChatAnthropic
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

prompt = ChatPromptTemplate.from_template("Summarise {text}")
chain = (prompt | ChatAnthropic(model="claude-haiku-5-5") | StrOutputParser()).with_retry(stop_after_attempt=3)


def summarise(text):
    return chain.invoke({"text": text})  # @ langchain by-decorator ! retry-non-retryable nested-retries ? unhandled-call no-timeout
