"""A plain def endpoint runs in a thread."""
import anthropic
from fastapi import FastAPI, HTTPException

app = FastAPI()
client = anthropic.Anthropic(timeout=20)


@app.get("/ask")
def ask(q: str):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=[{"role": "user", "content": q}]).content  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise HTTPException(503, "later") from error
