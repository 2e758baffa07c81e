"""A service with problem documents, on Flask: POST /ask with {"question": "…"}.

Run it with `flask --app flask_app run`.
"""

from __future__ import annotations

from anthropic import Anthropic
from flask import Flask, request

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
