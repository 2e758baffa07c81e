"""A health endpoint."""
import anthropic
from fastapi import FastAPI

app = FastAPI()
client = anthropic.AsyncAnthropic(timeout=3, max_retries=0)


@app.get("/health")
async def health():
    try:
        await client.messages.count_tokens(model="claude-haiku-5-5", messages=[{"role": "user", "content": "x"}])  # @ sdk-async specific ? fallback-hides-error swallowed-error
    except anthropic.APIError:
        return {"claude": "down"}
    return {"claude": "up"}
