"""Flask: the generator runs after the view has returned."""
import anthropic
from flask import Flask, Response, request

app = Flask(__name__)
client = anthropic.Anthropic()


@app.post("/chat")
def chat():
    def generate():
        with client.messages.stream(model="claude-haiku-5-5", max_tokens=500, messages=request.json["messages"]) as stream:  # @ sdk-sync none|by-caller ! stream-error-unhandled ? unhandled-call no-timeout
            yield from stream.text_stream

    try:
        return Response(generate(), mimetype="text/event-stream")
    except anthropic.APIError:
        app.logger.exception("chat failed")
        return {"error": "unavailable"}, 503
