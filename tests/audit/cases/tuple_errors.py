"""Errors in a constant; a broad one in another function."""
import logging
import anthropic

ERRORS = (anthropic.APIStatusError, anthropic.APIConnectionError)
client = anthropic.Anthropic(timeout=9)


def a():
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync specific
    except ERRORS as error:
        logging.error("a: %s", error)
        return None


def b():
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync bare-or-broad ! broad-except
    except:
        logging.exception("b")
        return None
