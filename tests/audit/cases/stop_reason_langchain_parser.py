"""A JsonOutputParser parses the answer."""
import logging

from anthropic import APIError
from langchain_anthropic import ChatAnthropic
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.prompts import PromptTemplate

chain = PromptTemplate.from_template("JSON for {x}") | ChatAnthropic(model="claude-sonnet-5-5", timeout=30) | JsonOutputParser()


def table(x):
    try:
        return chain.invoke({"x": x})  # @ langchain specific ? stop-reason-ignored
    except APIError:
        logging.exception("no table")
        return None
