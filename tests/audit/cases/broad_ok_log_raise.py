"""Logs and raises again."""
import logging

import anthropic

client = anthropic.Anthropic(timeout=20)


def ask(prompt):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=prompt)  # @ sdk-sync bare-or-broad ? unhandled-call
    except Exception:
        logging.exception("claude failed")
        raise
