"""Status and id, no text."""
import logging

import anthropic
from fastapi import FastAPI, HTTPException

app = FastAPI()
client = anthropic.AsyncAnthropic(timeout=20)


@app.post("/ask")
async def ask(body: dict):
    try:
        reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=body["messages"])  # @ sdk-async specific
    except anthropic.RateLimitError as exc:
        raise HTTPException(429, "Too many questions", headers={"Retry-After": exc.response.headers.get("retry-after", "5")}) from exc
    except anthropic.APIStatusError as exc:
        logging.error("ask: %s", exc)
        raise HTTPException(502, detail={"code": exc.status_code, "reference": exc.request_id}) from exc
    except anthropic.APIConnectionError:
        raise HTTPException(503, "Try later") from None
    return reply.content[0].text
