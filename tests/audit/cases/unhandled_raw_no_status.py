"""Nobody looks at the status."""
import os

import httpx


def summarise(text):
    reply = httpx.post(  # @ raw-http none ! unhandled-call ? no-timeout stop-reason-ignored
        "https://api.anthropic.com/v1/messages",
        headers={"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01"},
        json={"model": "claude-haiku-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": text}]},
    )
    return reply.json()["content"][0]["text"]
