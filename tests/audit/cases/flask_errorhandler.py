"""Flask: the handler shows the error."""
import anthropic
from flask import Flask, jsonify

app = Flask(__name__)
client = anthropic.Anthropic(timeout=20)


@app.errorhandler(anthropic.APIStatusError)
def refused(error):
    return jsonify(error=error.message), 502


@app.get("/joke")
def joke():
    reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": "A joke"}])  # @ sdk-sync by-caller ! error-shown-to-user
    return reply.content[0].text
