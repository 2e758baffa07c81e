"""FastAPI: a client by dependency injection, through an alias of the annotation."""
from typing import Annotated

import anthropic
from fastapi import Depends, FastAPI, HTTPException

app = FastAPI()


def get_client():
    return anthropic.AsyncAnthropic()


Claude = Annotated[anthropic.AsyncAnthropic, Depends(get_client)]


@app.post("/tags")
async def tags(text: str, claude: Claude):
    try:
        reply = await claude.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=[{"role": "user", "content": text}])  # @ sdk-async specific ! no-timeout
    except anthropic.APIError as error:
        raise HTTPException(503, "Try later") from error
    return {"tags": reply.content[0].text}
