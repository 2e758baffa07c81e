"""Vertex, Foundry, AWS."""
from anthropic import APIError, AnthropicFoundry, AsyncAnthropicVertex
from anthropic.lib.bedrock import AsyncAnthropicBedrock

foundry = AnthropicFoundry(resource="r", timeout=9)


async def ask(prompt, vertex=AsyncAnthropicVertex(region="global", project_id="p", timeout=9)):
    bedrock = AsyncAnthropicBedrock(aws_region="eu-west-1", timeout=9)
    try:
        one = await vertex.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-async specific
        two = await bedrock.messages.create(model="anthropic.claude-haiku-5-5-v1:0", max_tokens=5, messages=prompt)  # @ sdk-async specific
        return one, two
    except APIError as error:
        raise RuntimeError("no answer") from error


def now(prompt):
    try:
        return foundry.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific
    except APIError as error:
        raise RuntimeError("no answer") from error
