"""litellm, several forms."""
import logging
import os

import litellm
from litellm import Router, acompletion
from litellm.exceptions import APIError, RateLimitError

MODEL = os.getenv("MODEL", "claude-sonnet-5-5")
router = Router(model_list=[{"model_name": "main", "litellm_params": {"model": "anthropic/claude-sonnet-5-5"}}], timeout=30)


def ask(text):
    try:
        return litellm.completion(MODEL, [{"role": "user", "content": text}], timeout=20)  # @ litellm specific
    except (RateLimitError, APIError) as error:
        logging.error("failed: %s", error)
        raise


async def both(text):
    try:
        one = await acompletion(model=f"anthropic/{MODEL}", messages=text, timeout=5)  # @ litellm specific
        two = await router.acompletion(model="main", messages=text)  # @ litellm specific
    except APIError as error:
        logging.error("failed: %s", error)
        raise
    return one, two


def other(text):
    return litellm.completion(model="gpt-5", messages=text)
