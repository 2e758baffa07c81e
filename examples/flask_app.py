"""A web app under gunicorn: POST /translate with {"text": "…", "to": "…"} answers with a translation."""

from __future__ import annotations

from typing import Any

from anthropic import Anthropic, APIStatusError, RateLimitError
from flask import Flask, request

app = Flask(__name__)
claude = Anthropic()


@app.post("/translate")
def translate() -> tuple[dict[str, Any], int]:
    """Translate a text."""
    asked = request.get_json()
    try:
        message = claude.messages.create(
            model="claude-haiku-5-5",
            max_tokens=500,
            system=f"Translate into {asked['to']}. Answer with the translation alone.",
            messages=[{"role": "user", "content": asked["text"]}],
        )
    except RateLimitError:
        return {"error": "We are busy. Please try again in a minute."}, 503
    except APIStatusError:
        return {"error": "We could not translate this."}, 502
    return {"text": "".join(block.text for block in message.content if block.type == "text")}, 200
