"""The try ends before the iteration."""
import anthropic

client = anthropic.Anthropic(timeout=30)


def speak(prompt, say):
    try:
        stream = client.messages.create(model="claude-haiku-5-5", max_tokens=99, messages=prompt, stream=True)  # @ sdk-sync specific ! stream-error-unhandled
    except anthropic.APIError as error:
        say(f"sorry: {error}")
        return
    for event in stream:
        if event.type == "content_block_delta":
            say(event.delta.text)
