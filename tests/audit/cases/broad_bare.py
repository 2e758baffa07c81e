"""A bare except and a log."""
import logging

from anthropic import AnthropicVertex

client = AnthropicVertex(region="europe-west1", project_id="p")


def ask(question):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=question)  # @ sdk-sync bare-or-broad ! broad-except ? no-timeout
    except:  # noqa: E722
        logging.error("failed")
        return None
