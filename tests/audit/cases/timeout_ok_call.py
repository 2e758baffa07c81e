"""The call has its own, in a dict that is passed on."""
import anthropic
from flask import Flask, request

app = Flask(__name__)
client = anthropic.Anthropic()
COMMON = {"model": "claude-haiku-5-5", "max_tokens": 5, "timeout": 20}


@app.post("/ask")
def ask():
    try:
        reply = client.messages.create(messages=request.json["messages"], **COMMON)  # @ sdk-sync specific
    except anthropic.APIError:
        app.logger.exception("ask failed")
        return {"error": "unavailable"}, 503
    return {"answer": reply.content[0].text}
