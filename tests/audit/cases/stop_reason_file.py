"""Into a file, by print(file=…)."""
import sys

import anthropic


def main(path, topic):
    client = anthropic.Anthropic(timeout=60)
    try:
        message = client.messages.create(model="claude-sonnet-5-5", max_tokens=4000, messages=[{"role": "user", "content": topic}])  # @ sdk-sync specific ! stop-reason-ignored
    except anthropic.APIError as error:
        sys.exit(f"failed: {error}")
    with open(path, "w") as file:
        for block in message.content:
            if block.type == "text":
                print(block.text, file=file)
