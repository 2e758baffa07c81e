"""A pool's map over everything, read in a try."""
from concurrent.futures import ThreadPoolExecutor

import anthropic

client = anthropic.Anthropic(timeout=15)


def ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt).content[0].text  # @ sdk-sync by-caller


def all_of(prompts):
    try:
        with ThreadPoolExecutor(max_workers=8) as pool:
            return list(pool.map(ask, prompts))
    except anthropic.APIError as error:
        raise SystemExit(str(error))
