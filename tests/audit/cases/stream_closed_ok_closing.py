"""closing() closes."""
from contextlib import closing

import anthropic

client = anthropic.Anthropic()


def first_line(prompt):
    text = ""
    try:
        with closing(client.messages.create(model="claude-haiku-5-5", max_tokens=500, messages=prompt, stream=True)) as events:  # @ sdk-sync specific ? no-timeout
            for event in events:
                if event.type == "content_block_delta":
                    text += event.delta.text
                if "\n" in text:
                    break
    except anthropic.APIError as error:
        raise SystemExit(str(error)) from error
    return text
