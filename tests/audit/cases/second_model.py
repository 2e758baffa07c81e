"""A second model takes over; both are handled."""
import logging
import anthropic

client = anthropic.Anthropic(timeout=30)


def _ask(model, prompt):
    return client.messages.create(model=model, max_tokens=9, messages=prompt)  # @ sdk-sync by-caller


def ask(prompt):
    try:
        return _ask("claude-opus-5-5", prompt)
    except anthropic.APIError as error:
        logging.warning("opus: %s", error)
    try:
        return _ask("claude-haiku-5-5", prompt)
    except anthropic.APIError as error:
        logging.error("haiku: %s", error)
        raise
