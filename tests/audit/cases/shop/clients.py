"""Factories."""
import os

import anthropic


def make_client(retries=0):
    return anthropic.AsyncAnthropic(api_key=os.environ["KEY"], max_retries=retries, timeout=20)


shared = make_client()
