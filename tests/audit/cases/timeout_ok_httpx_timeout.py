"""httpx.Timeout given by a settings object."""
import anthropic
import httpx
from fastapi import FastAPI, HTTPException

app = FastAPI()
client = anthropic.AsyncAnthropic(timeout=httpx.Timeout(30, connect=5))


@app.post("/ask")
async def ask(body: dict):
    try:
        reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=body["messages"])  # @ sdk-async specific
    except anthropic.APIError as error:
        raise HTTPException(503, "unavailable") from error
    return reply.content[0].text
