"""submit without result."""
from concurrent.futures import ThreadPoolExecutor

import anthropic

pool = ThreadPoolExecutor(max_workers=4)
client = anthropic.Anthropic(timeout=60)


def audit(text):
    reply = client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=text)  # @ sdk-sync none ! fire-and-forget unhandled-call
    print(reply.content)


def on_event(event):
    pool.submit(audit, event["text"])
