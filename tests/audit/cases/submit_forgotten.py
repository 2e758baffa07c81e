"""A pool whose futures nobody reads."""
from concurrent.futures import ThreadPoolExecutor

import anthropic

client = anthropic.Anthropic(timeout=15)
pool = ThreadPoolExecutor(max_workers=2)


def log_topic(prompt):
    print(client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt).content[0].text)  # @ sdk-sync none ! fire-and-forget unhandled-call


def later(prompt):
    pool.submit(log_topic, prompt)
