"""A runner that is read outside of the try."""
import anthropic

client = anthropic.Anthropic(timeout=30)


def run(tools, messages):
    try:
        runner = client.beta.messages.tool_runner(model="claude-sonnet-5-5", max_tokens=999, tools=tools, messages=messages)  # @ sdk-sync specific ! stream-error-unhandled
    except anthropic.APIError:
        raise RuntimeError("no runner")
    for message in runner:
        print(message)
