"""Flask: a user waits for as long as it takes."""
import anthropic
from flask import Blueprint, jsonify, request

bp = Blueprint("ask", __name__)
client = anthropic.Anthropic()


@bp.route("/ask", methods=["POST"])
def ask():
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=request.json["messages"])  # @ sdk-sync specific ! no-timeout
    except anthropic.APIError:
        return jsonify(error="unavailable"), 503
    return jsonify(answer=reply.content[0].text)
