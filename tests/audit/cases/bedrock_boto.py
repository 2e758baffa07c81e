"""Vertex and Foundry clients."""
from anthropic import AnthropicFoundry, AsyncAnthropicVertex, APIError

vertex = AsyncAnthropicVertex(project_id="p", region="global", timeout=9)
foundry = AnthropicFoundry(resource="r", timeout=9)


async def a():
    try:
        return await vertex.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-async specific
    except APIError as error:
        raise RuntimeError("a") from error


def b():
    return foundry.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync none ! unhandled-call
