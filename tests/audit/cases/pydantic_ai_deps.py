"""pydantic-ai: an agent by name, one by model, and a tool."""
from pydantic_ai import Agent, RunContext
from pydantic_ai.exceptions import AgentRunError, ModelHTTPError
from pydantic_ai.models.anthropic import AnthropicModel

agent = Agent("anthropic:claude-sonnet-5-5", system_prompt="Be brief", deps_type=str, model_settings={"timeout": 20})
other = Agent(AnthropicModel("claude-haiku-5-5"), retries=2)


@agent.tool
async def weather(ctx: RunContext[str], city: str) -> str:
    result = await other.run(f"Weather in {city}")  # @ pydantic-ai by-caller|none|by-decorator ? unhandled-call no-timeout
    return result.output


async def ask(text):
    try:
        async with agent.run_stream(text, deps="x") as response:  # @ pydantic-ai specific
            return await response.get_output()
    except ModelHTTPError as error:
        raise RuntimeError(f"refused: {error.status_code}") from error


def ask_now(text):
    try:
        return agent.run_sync(text, deps="x").output  # @ pydantic-ai specific
    except AgentRunError as error:
        raise RuntimeError("no answer") from error
