"""A retired model as the default of a parameter."""
import os
import anthropic

client = anthropic.Anthropic(timeout=9)
NEWER = {"claude-2.1": "claude-haiku-5-5"}


def ask(prompt, model=os.environ.get("MODEL", "claude-3-7-sonnet-latest")):
    try:
        return client.messages.create(model=model, max_tokens=9, messages=prompt)  # @ sdk-sync specific ! retired-model
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error


def new(prompt):
    try:
        return client.messages.create(model=NEWER["claude-2.1"], max_tokens=9, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
