"""pydantic-ai: an agent in a FastAPI endpoint, handled."""
import logging

from fastapi import FastAPI, HTTPException
from pydantic_ai import Agent
from pydantic_ai.exceptions import AgentRunError

log = logging.getLogger(__name__)
app = FastAPI()
agent = Agent("anthropic:claude-sonnet-5-5", model_settings={"timeout": 20})


@app.get("/plan")
async def plan(city: str):
    try:
        result = await agent.run(f"A plan for {city}")  # @ pydantic-ai specific
    except AgentRunError:
        log.exception("plan")
        raise HTTPException(502, "No plan today.")
    return {"plan": result.output}
