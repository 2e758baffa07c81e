"""A service, a repository and a route; the error is shown through str(e)."""
import anthropic
from fastapi import APIRouter, Depends, HTTPException

router = APIRouter()


class Summaries:
    def __init__(self):
        self.client = anthropic.Anthropic(timeout=15)

    def make(self, text):
        reply = self.client.messages.create(model="claude-haiku-5-5", max_tokens=99, messages=[{"role": "user", "content": text}])  # @ sdk-sync by-caller ! error-shown-to-user broad-except
        return reply.content[0].text


@router.post("/s")
def summary(text: str, service: Summaries = Depends(Summaries)):
    try:
        return {"summary": service.make(text)}
    except Exception as e:
        raise HTTPException(status_code=500, detail=str(e)) from e
