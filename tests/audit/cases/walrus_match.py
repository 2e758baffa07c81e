"""A walrus, match, and a client in a tuple."""
import sys

import anthropic

clients = (anthropic.Anthropic(timeout=9), anthropic.AnthropicBedrock(timeout=9))


def ask(prompt, where):
    match where:
        case "aws":
            client = clients[1]
        case _:
            client = clients[0]
    try:
        if (reply := client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)).content:  # @ sdk-sync specific
            return reply.content[0].text
    except anthropic.APIError as error:
        sys.exit(str(error))
