"""Its body is passed on."""
import anthropic
from flask import Flask, jsonify, request

app = Flask(__name__)
client = anthropic.Anthropic(timeout=20)


@app.post("/ask")
def ask():
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=request.json)  # @ sdk-sync specific ! error-shown-to-user
        return jsonify(reply.model_dump())
    except anthropic.APIStatusError as e:
        app.logger.warning("refused: %s", e)
        return jsonify(e.body), e.status_code
