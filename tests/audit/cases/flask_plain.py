"""Flask without anything."""
import anthropic
from flask import Flask, request

app = Flask(__name__)


@app.route("/ask", methods=["POST"])
def ask():
    client = anthropic.Anthropic()
    reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": request.json["q"]}])  # @ sdk-sync none ! unhandled-call no-timeout
    return reply.content[0].text
