"""chainlit: the error as a message."""
import anthropic
import chainlit as cl

client = anthropic.AsyncAnthropic(timeout=30)


@cl.on_message
async def main(message: cl.Message):
    try:
        reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": message.content}])  # @ sdk-async specific ! error-shown-to-user
    except anthropic.APIError as e:
        await cl.Message(content=f"Error: {e}").send()
        return
    await cl.Message(content=reply.content[0].text).send()
