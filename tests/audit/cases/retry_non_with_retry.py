"""LangChain's with_retry without a list of errors."""
from langchain_anthropic import ChatAnthropic
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

model = ChatAnthropic(model="claude-sonnet-5-5", timeout=30, max_retries=0)
chain = ChatPromptTemplate.from_template("Rhyme with {word}") | model.with_retry(stop_after_attempt=3) | StrOutputParser()


def rhyme(word):
    return chain.invoke({"word": word})  # @ langchain by-decorator ! retry-non-retryable ? unhandled-call ignores-retry-after
