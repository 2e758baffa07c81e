"""AnthropicError is not broad."""
import logging

import anthropic

log = logging.getLogger(__name__)


def count(messages):
    client = anthropic.Anthropic(timeout=10)
    try:
        return client.messages.count_tokens(model="claude-haiku-5-5", messages=messages).input_tokens  # @ sdk-sync specific
    except anthropic.AnthropicError as error:
        log.warning("no count: %s", error)
        return None
