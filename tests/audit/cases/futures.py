"""A pool whose results are read in a try."""
import logging
from concurrent.futures import ThreadPoolExecutor, as_completed

import anthropic

client = anthropic.Anthropic(timeout=30)


def ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync by-caller


def all_of(prompts):
    answers = []
    with ThreadPoolExecutor(max_workers=4) as pool:
        futures = [pool.submit(ask, p) for p in prompts]
        for future in as_completed(futures):
            try:
                answers.append(future.result())
            except anthropic.APIError as error:
                logging.error("one failed: %s", error)
    return answers
