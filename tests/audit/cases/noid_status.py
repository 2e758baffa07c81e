"""Logs the status, not the id."""
import logging

import anthropic

log = logging.getLogger(__name__)
client = anthropic.Anthropic(timeout=20)


def ask(prompt):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific ! missing-request-id-in-log
    except anthropic.APIStatusError as error:
        log.error("claude answered %s", error.status_code)
        raise
