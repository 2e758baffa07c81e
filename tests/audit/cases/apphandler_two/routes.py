"""A router whose app handles."""
import anthropic
from fastapi import APIRouter

router = APIRouter()
client = anthropic.AsyncAnthropic(timeout=9)


@router.get("/x")
async def x():
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-async by-caller
