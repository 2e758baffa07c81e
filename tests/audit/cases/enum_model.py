"""Models in an enum and a nested dict."""
from enum import Enum

import anthropic


class Model(str, Enum):
    FAST = "claude-haiku-5-5"
    OLD = "claude-instant-1.2"


CONFIG = {"claude": {"model": "claude-3-sonnet-20240229", "tokens": 9}}
client = anthropic.Anthropic(timeout=30)


def a(prompt):
    try:
        return client.messages.create(model=Model.OLD.value, max_tokens=9, messages=prompt)  # @ sdk-sync specific ! retired-model
    except anthropic.APIError as error:
        raise RuntimeError("a") from error


def b(prompt):
    try:
        return client.messages.create(model=CONFIG["claude"]["model"], max_tokens=9, messages=prompt)  # @ sdk-sync specific ! retired-model
    except anthropic.APIError as error:
        raise RuntimeError("b") from error


def c(prompt):
    try:
        return client.messages.create(model=Model.FAST, max_tokens=9, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError("c") from error
