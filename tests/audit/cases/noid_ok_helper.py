"""A helper that logs is given the error."""
import logging

import anthropic

log = logging.getLogger(__name__)
client = anthropic.Anthropic(timeout=20)


def note(error: anthropic.APIStatusError):
    log.error("claude %s, request %s", error.status_code, error.request_id)


def ask(prompt):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIStatusError as e:
        note(e)
        log.info("giving up")
        raise RuntimeError("refused") from e
    except anthropic.APIConnectionError as e:
        raise RuntimeError("unreachable") from e
