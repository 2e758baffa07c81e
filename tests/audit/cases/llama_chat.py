"""llama-index: a chat in a Flask view."""
from flask import Flask, jsonify, request
from llama_index.llms.anthropic import Anthropic

app = Flask(__name__)
llm = Anthropic(model="claude-haiku-5-5")


@app.post("/chat")
def chat():
    try:
        answer = llm.complete(request.json["text"])  # @ llama-index bare-or-broad ! broad-except error-shown-to-user ? no-timeout
    except Exception as e:
        return jsonify(error=str(e)), 500
    return jsonify(answer=str(answer))
