"""max_workers."""
from concurrent.futures import ThreadPoolExecutor, as_completed

import anthropic

client = anthropic.Anthropic(timeout=20)


def ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=prompt)  # @ sdk-sync by-caller


def ask_all(prompts):
    with ThreadPoolExecutor(max_workers=5) as pool:
        futures = {pool.submit(ask, p): p for p in prompts}
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except anthropic.APIError as error:
                yield futures[future], error
