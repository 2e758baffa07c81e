"""The API of the shop."""
import anthropic
from fastapi import APIRouter, HTTPException

from shop import texts

router = APIRouter()


@router.get("/describe")
async def describe(item: str):
    try:
        return await texts.describe(item)
    except anthropic.APIError as error:
        raise HTTPException(502, detail=f"Claude: {error.message}")


@router.get("/title")
async def title(item: str):
    return await texts.Titles().title(item)
