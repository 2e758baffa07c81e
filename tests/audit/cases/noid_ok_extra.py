"""The id is in extra."""
import logging

import anthropic

client = anthropic.Anthropic(timeout=20)


def ask(prompt):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIStatusError as e:
        logging.error("refused", extra={"status": e.status_code, "request": e.response.headers.get("request-id")})
        raise RuntimeError("refused") from e
    except anthropic.APIError:
        logging.exception("claude failed")
        raise
