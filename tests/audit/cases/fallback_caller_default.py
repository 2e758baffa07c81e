"""The caller answers with an empty list."""
import instructor
from anthropic import Anthropic, APIError
from instructor.exceptions import InstructorRetryException
from pydantic import BaseModel

client = instructor.from_anthropic(Anthropic(timeout=20))


class Tags(BaseModel):
    names: list[str]


def extract(text):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=text, response_model=Tags)  # @ instructor by-caller ! fallback-hides-error


def tags(article):
    try:
        return extract(article.text).names
    except (APIError, InstructorRetryException):
        return []
