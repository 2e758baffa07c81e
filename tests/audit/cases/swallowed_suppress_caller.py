"""contextlib.suppress in the caller."""
from contextlib import suppress

import anthropic

client = anthropic.Anthropic(timeout=10)


def _title(text):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=10, messages=text).content[0].text  # @ sdk-sync by-caller|swallowed ! swallowed-error


def title(note):
    with suppress(anthropic.APIError):
        note.title = _title(note.text)
