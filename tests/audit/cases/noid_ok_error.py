"""The error itself is logged."""
import logging

import anthropic

client = anthropic.Anthropic(timeout=20)


def ask(prompt):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIStatusError as e:
        logging.error(f"claude: {e}")
        raise
    except anthropic.APIConnectionError:
        logging.error("claude can't be reached")
        raise
