"""pydantic-settings and an enum."""
import logging
from enum import StrEnum

import anthropic
from pydantic_settings import BaseSettings


class Model(StrEnum):
    FAST = "claude-3-5-haiku-latest"
    GOOD = "claude-sonnet-5-5"


class Settings(BaseSettings):
    model: str = "claude-3-7-sonnet-20250219"


settings = Settings()
client = anthropic.Anthropic(timeout=20)


def fast(prompt):
    try:
        return client.messages.create(model=Model.FAST, max_tokens=5, messages=prompt)  # @ sdk-sync specific ! retired-model
    except anthropic.APIError:
        logging.exception("fast")
        raise


def good(prompt):
    try:
        return client.messages.create(model=Model.GOOD, max_tokens=5, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIError:
        logging.exception("good")
        raise


def configured(prompt):
    try:
        return client.messages.create(model=settings.model, max_tokens=5, messages=prompt)  # @ sdk-sync specific ! retired-model
    except anthropic.APIError:
        logging.exception("configured")
        raise
