"""A default, with a log."""
import logging

import anthropic

client = anthropic.Anthropic(timeout=10)
log = logging.getLogger(__name__)


def mood(text):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=text).content[0].text  # @ sdk-sync specific
    except anthropic.APIError as error:
        log.warning("no mood: %s", error)
        return "neutral"
