"""flask.g, current_app.extensions and config keep clients."""
import anthropic
from flask import Flask, current_app, g

app = Flask(__name__)
app.extensions["claude"] = anthropic.Anthropic(timeout=20)


def get_claude():
    if "claude" not in g:
        g.claude = anthropic.Anthropic(timeout=20)
    return g.claude


@app.get("/a")
def a():
    try:
        return get_claude().messages.create(model="claude-haiku-5-5", max_tokens=5, messages=[]).content[0].text  # @ sdk-sync specific
    except anthropic.APIError:
        return "later", 503


@app.get("/b")
def b():
    client = current_app.extensions["claude"]
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=[]).content[0].text  # @ sdk-sync specific
    except anthropic.APIError:
        return "later", 503
