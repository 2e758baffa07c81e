"""instructor: an extraction whose failure is only printed."""
import anthropic
import instructor
from pydantic import BaseModel

client = instructor.from_anthropic(anthropic.Anthropic(timeout=20))


class Person(BaseModel):
    name: str


def extract(text):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=99, messages=[], response_model=Person)  # @ instructor swallowed ! swallowed-error
    except anthropic.APIError as error:
        print("failed", error)
