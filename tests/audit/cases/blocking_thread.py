"""The same in a thread."""
import asyncio
import anthropic
from fastapi import FastAPI, HTTPException

app = FastAPI()
client = anthropic.Anthropic(timeout=9)


def helper(text):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": text}])  # @ sdk-sync by-caller


@app.get("/x")
async def x(text: str):
    try:
        return (await asyncio.to_thread(helper, text)).content[0].text
    except anthropic.APIError:
        raise HTTPException(503, "later")
