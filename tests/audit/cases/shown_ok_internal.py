"""An internal error carries the text; the view does not show it."""
import logging

import anthropic
from flask import Flask, request

app = Flask(__name__)
client = anthropic.Anthropic(timeout=20)


class Failed(Exception):
    """No answer."""


def complete(messages):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=messages).content[0].text  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise Failed(f"claude: {error}") from error


@app.post("/ask")
def ask():
    try:
        return complete(request.json)
    except Failed:
        logging.exception("ask")
        return "Please try again", 503
