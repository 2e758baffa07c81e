"""The client of the package."""
import os
from functools import cache

from anthropic import Anthropic, AsyncAnthropic

claude = Anthropic(api_key=os.environ.get("KEY"), timeout=20)


@cache
def get_client() -> AsyncAnthropic:
    return AsyncAnthropic(timeout=20)
