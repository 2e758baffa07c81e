"""The method is handed to a thread."""
import asyncio
import anthropic

client = anthropic.Anthropic(timeout=9)


async def main(prompt):
    try:
        return await asyncio.to_thread(client.messages.create, model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise SystemExit(str(error))
