"""A plain def endpoint runs in a thread."""
import logging
import anthropic
from fastapi import FastAPI, HTTPException

log = logging.getLogger(__name__)
app = FastAPI()
client = anthropic.Anthropic(timeout=9)


@app.get("/x")
def x(text: str):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": text}]).content[0].text  # @ sdk-sync specific
    except anthropic.RateLimitError as error:
        log.warning("busy, request %s", error.request_id)
        raise HTTPException(429, "busy")
    except anthropic.APIError as error:
        log.error("failed: %s", error)
        raise HTTPException(503, "later")
