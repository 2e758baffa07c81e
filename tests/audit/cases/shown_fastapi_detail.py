"""The error's text in the detail."""
import anthropic
from fastapi import FastAPI, HTTPException

app = FastAPI()
client = anthropic.AsyncAnthropic(timeout=20)


@app.post("/ask")
async def ask(body: dict):
    try:
        reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=body["messages"])  # @ sdk-async specific ! error-shown-to-user
    except anthropic.APIError as exc:
        raise HTTPException(status_code=502, detail=f"Claude failed: {exc}") from exc
    return reply.content[0].text
