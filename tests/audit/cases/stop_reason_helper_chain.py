"""A helper returns the text, the caller parses it."""
import json

import anthropic

client = anthropic.AsyncAnthropic(timeout=60)


async def _text(prompt):
    message = await client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=prompt)  # @ sdk-async by-caller ! stop-reason-ignored
    return "".join(block.text for block in message.content if block.type == "text")


async def facts(topic):
    try:
        raw = await _text([{"role": "user", "content": topic}])
    except anthropic.APIError as error:
        raise RuntimeError("no facts") from error
    return json.loads(raw.removeprefix("```json").removesuffix("```"))["facts"]
