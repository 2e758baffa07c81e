"""Logs and raises again."""
import logging
import anthropic

client = anthropic.Anthropic(timeout=9)


def ask(prompt):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync bare-or-broad|none
    except Exception:
        logging.exception("ask")
        raise
