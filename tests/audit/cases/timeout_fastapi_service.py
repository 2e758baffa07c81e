"""The call stands in a service, two layers below the route."""
from functools import lru_cache
from typing import Annotated

import anthropic
from fastapi import APIRouter, Depends, HTTPException

router = APIRouter()


class Service:
    def __init__(self) -> None:
        self.client = anthropic.AsyncAnthropic(max_retries=3)

    async def answer(self, question: str) -> str:
        reply = await self.client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=[{"role": "user", "content": question}])  # @ sdk-async by-caller ! no-timeout
        return reply.content[0].text


@lru_cache
def service() -> Service:
    return Service()


@router.get("/answer")
async def answer(question: str, svc: Annotated[Service, Depends(service)]):
    try:
        return {"answer": await svc.answer(question)}
    except anthropic.APIError as error:
        raise HTTPException(status_code=503, detail="Please try later") from error
