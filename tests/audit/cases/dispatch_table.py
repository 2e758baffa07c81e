"""Functions in a table; whoever calls handles."""
import logging
import anthropic

client = anthropic.Anthropic(timeout=30)


def short(text):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=text)  # @ sdk-sync by-caller


ACTIONS = {"short": short}


def act(name, text):
    try:
        return ACTIONS[name](text)
    except anthropic.APIError as error:
        logging.error("%s: %s", name, error)
        raise RuntimeError(name) from error
