"""A service with problem documents, on Flask: POST /ask and POST /stream with {"question": "…"}.

Run it with `flask --app flask_app run`.
"""

from __future__ import annotations

from collections.abc import Iterator

from anthropic import Anthropic
from flask import Flask, Response, request

import claudescope.web

app = Flask(__name__)
claudescope.web.install(app)
claude = Anthropic(max_retries=0)


@app.post("/ask")
def ask() -> dict[str, str]:
    """Answer a question."""
    message = claude.messages.create(
        model="claude-opus-5-5",
        max_tokens=500,
        messages=[{"role": "user", "content": request.get_json()["question"]}],
    )
    return {"answer": "".join(block.text for block in message.content if block.type == "text")}


@app.post("/stream")
def stream() -> Response:
    """Answer a question with server-sent events, the last of which is `error` where the answer breaks off."""
    return Response(events(request.get_json()["question"]), mimetype="text/event-stream")


def events(question: str) -> Iterator[str]:
    """Yield an event for each piece of the answer."""
    with claude.messages.stream(
        model="claude-opus-5-5", max_tokens=500, messages=[{"role": "user", "content": question}]
    ) as answer:
        for text in answer.text_stream:
            yield "".join(f"data: {line}\n" for line in text.split("\n")) + "\n"
